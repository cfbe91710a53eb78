package dev.tern.gguf;

import dev.tern.io.AtomicFile;
import dev.tern.io.Sha256;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes a GGUF file: the header at once, then the tensors' data in any order, whole or in pieces of any size, from any
 * number of threads. Keeps nothing in memory; the same layout and data give the same bytes. Thread-safe.
 *
 * <p>Missing or surplus data is the caller's error and throws {@link IllegalStateException}; a file system that refuses
 * throws {@link dev.tern.io.InputException}. Committing the file stays with the caller.
 */
public final class GgufWriter {
    private static final int DIGEST_CHUNK = 1 << 18;

    private final GgufLayout layout;
    private final AtomicFile file;
    private final Map<String, Integer> indices = new HashMap<>();
    private final AtomicLongArray missing;

    private final ReentrantLock digesting = new ReentrantLock();
    private final MessageDigest digest = Sha256.digest();
    private final byte[] chunk = new byte[DIGEST_CHUNK];
    private long digested;
    private int complete; // tensors from the first on, as far as the digest's owner has looked

    /** Announces the file's size to {@code file} and writes the header. */
    public GgufWriter(GgufLayout layout, AtomicFile file) {
        this.layout = layout;
        this.file = file;
        this.missing = new AtomicLongArray(layout.tensors().size());
        for (int i = 0; i < layout.tensors().size(); i++) {
            indices.put(layout.tensors().get(i).name(), i);
            missing.set(i, layout.tensors().get(i).byteSize());
        }
        file.expect(layout.fileSize());
        file.write(layout.headerBytes(), 0);
    }

    /** Writes all data (native memory, or a {@code byte[]}) of a tensor. */
    public void write(String name, MemorySegment data) {
        GgufTensor tensor = layout.tensors().get(index(name));
        if (data.byteSize() != tensor.byteSize()) {
            throw new IllegalStateException(
                    data.byteSize() + " bytes for '" + name + "', which has " + tensor.byteSize());
        }
        write(name, 0, data);
    }

    /** Writes a piece of a tensor's data, {@code offset} bytes from its start. Every byte is to be written once. */
    public void write(String name, long offset, MemorySegment data) {
        int index = index(name);
        GgufTensor tensor = layout.tensors().get(index);
        if (offset < 0 || data.byteSize() > tensor.byteSize() - offset) {
            throw new IllegalStateException(data.byteSize() + " bytes at " + offset + " for '" + name + "', which has "
                    + tensor.byteSize());
        }
        long start = layout.dataStart() + tensor.offset();
        file.write(data, start + offset);
        long padding = GgufLayout.align(tensor.byteSize(), layout.alignment()) - tensor.byteSize();
        if (offset + data.byteSize() == tensor.byteSize() && padding > 0) {
            file.write(MemorySegment.ofArray(new byte[(int) padding]), start + tensor.byteSize());
        }
        if (missing.addAndGet(index, -data.byteSize()) < 0) { // last: from then on others may read it
            throw new IllegalStateException("bytes of '" + name + "' were written twice");
        }
    }

    private int index(String name) {
        Integer index = indices.get(name);
        if (index == null) {
            throw new IllegalStateException("no tensor '" + name + "' was declared");
        }
        return index;
    }

    /**
     * Takes what is complete from the file's start on into its digest, by reading it back, unless another thread does
     * so just now. May be called after every tensor, so that little is left for {@link #finish}.
     */
    public void digestComplete() {
        if (digesting.tryLock()) {
            try {
                advance();
            } finally {
                digesting.unlock();
            }
        }
    }

    private void advance() {
        while (complete < missing.length() && missing.get(complete) == 0) {
            complete++;
        }
        long end = complete == missing.length()
                ? layout.fileSize()
                : layout.dataStart() + layout.tensors().get(complete).offset();
        while (digested < end) {
            int count = (int) Math.min(chunk.length, end - digested);
            file.read(MemorySegment.ofArray(chunk).asSlice(0, count), digested);
            digest.update(chunk, 0, count);
            digested += count;
        }
    }

    /**
     * Checks that all data is there. To be called once, when no thread writes any more.
     *
     * @return SHA-256 of the whole file, hexadecimal
     */
    public String finish() {
        digesting.lock();
        try {
            advance();
            if (complete < missing.length()) {
                throw new IllegalStateException("'" + layout.tensors().get(complete).name() + "' lacks "
                        + missing.get(complete) + " bytes");
            }
            return HexFormat.of().formatHex(digest.digest());
        } finally {
            digesting.unlock();
        }
    }
}
