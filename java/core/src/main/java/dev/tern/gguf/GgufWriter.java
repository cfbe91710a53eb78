package dev.tern.gguf;

import dev.tern.io.AtomicFile;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Writes a GGUF file front to back: the header at once, then each tensor's data in the layout's order, in pieces of any
 * size. Keeps nothing in memory; the same layout and data give the same bytes. Not thread-safe.
 *
 * <p>Missing, misplaced, short or surplus data is the caller's error and throws {@link IllegalStateException}; a file
 * system that refuses throws {@link dev.tern.io.InputException}. Committing the file stays with the caller.
 */
public final class GgufWriter {
    private static final long DIGEST_CHUNK = 1 << 28;

    private final GgufLayout layout;
    private final AtomicFile file;
    private final MessageDigest digest;
    private int next;
    private long left;

    /** Announces the file's size to {@code file} and writes the header. */
    public GgufWriter(GgufLayout layout, AtomicFile file) {
        this.layout = layout;
        this.file = file;
        try {
            this.digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
        file.expect(layout.fileSize());
        put(layout.headerBytes());
    }

    /** Writes all data (native memory, or a {@code byte[]}) of the next tensor, which must be the one of this name. */
    public void write(String name, MemorySegment data) {
        begin(name);
        append(data);
    }

    /** Starts the next tensor, which must be the one of this name; its data follows by {@link #append}. */
    public void begin(String name) {
        requireComplete();
        if (next == layout.tensors().size() || !layout.tensors().get(next).name().equals(name)) {
            String due = next == layout.tensors().size() ? "nothing" : "'" + layout.tensors().get(next).name() + "'";
            throw new IllegalStateException(due + " is due, not '" + name + "'");
        }
        left = layout.tensors().get(next++).byteSize();
    }

    /** The next bytes of the tensor; its padding follows the last ones. */
    public void append(MemorySegment data) {
        if (data.byteSize() > left) {
            throw new IllegalStateException(
                    data.byteSize() + " bytes for '" + layout.tensors().get(next - 1).name() + "', which lacks " + left);
        }
        put(data);
        left -= data.byteSize();
        if (left == 0) {
            pad(layout.tensors().get(next - 1).byteSize());
        }
    }

    /**
     * Checks that all data is there.
     *
     * @return SHA-256 of the whole file, hexadecimal
     */
    public String finish() {
        requireComplete();
        if (next < layout.tensors().size()) {
            throw new IllegalStateException("'" + layout.tensors().get(next).name() + "' is missing");
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private void requireComplete() {
        if (left > 0) {
            throw new IllegalStateException("'" + layout.tensors().get(next - 1).name() + "' lacks " + left + " bytes");
        }
    }

    private void pad(long size) {
        long padding = GgufLayout.align(size, layout.alignment()) - size;
        put(MemorySegment.ofArray(new byte[(int) padding]));
    }

    private void put(MemorySegment bytes) {
        file.write(bytes);
        for (long from = 0; from < bytes.byteSize(); from += DIGEST_CHUNK) {
            digest.update(bytes.asSlice(from, Math.min(DIGEST_CHUNK, bytes.byteSize() - from)).asByteBuffer());
        }
    }
}
