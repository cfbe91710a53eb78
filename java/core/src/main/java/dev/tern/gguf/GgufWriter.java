package dev.tern.gguf;

import dev.tern.io.AtomicFile;
import java.lang.foreign.MemorySegment;

/**
 * Writes a GGUF file front to back: the header at once, then each tensor's data in the layout's order, in pieces of any
 * size. Keeps nothing in memory; the same layout and data give the same bytes. Not thread-safe.
 *
 * <p>Missing, misplaced, short or surplus data is the caller's error and throws {@link IllegalStateException}; a file
 * system that refuses throws {@link dev.tern.io.InputException}. Committing the file stays with the caller.
 */
public final class GgufWriter {
    private final GgufLayout layout;
    private final AtomicFile file;
    private int next;
    private long left;

    /** Announces the file's size to {@code file} and writes the header. */
    public GgufWriter(GgufLayout layout, AtomicFile file) {
        this.layout = layout;
        this.file = file;
        file.expect(layout.fileSize());
        file.write(layout.headerBytes());
    }

    /** Writes all data of the next tensor, which must be the one of this name. */
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
        file.write(data);
        left -= data.byteSize();
        if (left == 0) {
            pad(layout.tensors().get(next - 1).byteSize());
        }
    }

    /** Checks that all data is there. */
    public void finish() {
        requireComplete();
        if (next < layout.tensors().size()) {
            throw new IllegalStateException("'" + layout.tensors().get(next).name() + "' is missing");
        }
    }

    private void requireComplete() {
        if (left > 0) {
            throw new IllegalStateException("'" + layout.tensors().get(next - 1).name() + "' lacks " + left + " bytes");
        }
    }

    private void pad(long size) {
        long padding = GgufLayout.align(size, layout.alignment()) - size;
        file.write(MemorySegment.ofArray(new byte[(int) padding]));
    }
}
