package dev.tern.checkpoint;

import dev.tern.io.InputException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/** Reads a tensor that is stored as floats, widened exactly to f32. Keeps its buffers; not thread-safe. */
public final class FloatReader {
    private final StoredTensor stored;
    private byte[] data = new byte[0];
    private float[] values = new float[0];

    FloatReader(StoredTensor stored) {
        this.stored = stored;
    }

    /**
     * Reads elements {@code [first, first + count)}, row-major.
     *
     * @param f32out room for {@code count} floats in native byte order, of any alignment
     * @throws InputException when one of them is NaN or infinite, or the file cannot be read
     */
    public void read(long first, int count, MemorySegment f32out) {
        Objects.checkFromIndexSize(first, count, stored.tensor().elements());
        int chunk = Math.min(count, StoredTensor.CHUNK);
        if (values.length < chunk) {
            data = new byte[chunk * stored.elementBytes()];
            values = new float[chunk];
        }
        for (int done = 0; done < count; done += chunk) {
            int now = Math.min(chunk, count - done);
            stored.read(first + done, now, data);
            stored.widen(data, now, values);
            stored.requireFinite(values, now, first + done);
            MemorySegment.copy(values, 0, f32out, ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * done, now);
        }
    }
}
