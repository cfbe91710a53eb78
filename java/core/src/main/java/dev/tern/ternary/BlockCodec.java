package dev.tern.ternary;

import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import dev.tern.kernels.TernaryEncoding;
import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * Types of ggml whose rows are blocks with a scale of their own: TQ1_0, TQ2_0, Q2_K, Q4_0, Q8_0. Exact in T; s is
 * rounded to fp16 and written into every block, also into blocks of zeros, where ggml's own quantizers write 0. What
 * reading accepts, the block's format says; all blocks of a tensor must have the same s.
 */
record BlockCodec(BlockFormat format) implements TernaryCodec {

    @Override
    public GgmlType type() {
        return format.type();
    }

    @Override
    public Optional<TernaryEncoding> encoding() {
        return Optional.of(TernaryEncoding.valueOf(format.name()));
    }

    @Override
    public float storedScale(float scale) {
        return Float.float16ToFloat(Float.floatToFloat16(scale));
    }

    @Override
    public Optional<String> scaleObstacle(float scale) {
        return format.storesCodes() ? TernaryCodec.super.scaleObstacle(scale) : unsigned(scale);
    }

    private Optional<String> unsigned(float scale) {
        return scale > 0
                ? TernaryCodec.super.scaleObstacle(scale)
                : Optional.of(
                        "the scale " + scale + " cannot be told from the sign of the weights in " + type());
    }

    @Override
    public void encode(TernaryMatrix matrix, MemorySegment out) {
        matrix.requireHeldBy(this);
        int block = type().blockSize();
        int blockBytes = type().blockBytes();
        short d = Float.floatToFloat16(matrix.scale());
        byte[] row = new byte[matrix.cols() / block * blockBytes];
        for (int r = 0; r < matrix.rows(); r++) {
            for (int c = 0, o = 0; c < matrix.cols(); c += block, o += blockBytes) {
                format.encode(matrix.values(), r * matrix.cols() + c, d, row, o);
            }
            MemorySegment.copy(row, 0, out, ValueLayout.JAVA_BYTE, (long) r * row.length, row.length);
        }
    }

    /** The first block's scale that is not zero; zero when there is none. */
    @Override
    public float scale(MemorySegment in, int rows, int cols, String where) {
        long end = type().bytes(cols, rows);
        for (long at = 0; at < end; at += type().blockBytes()) {
            float scale = format.scale(in, at);
            if (!Float.isFinite(scale)) {
                throw InputException.at(where)
                        .problem("the scale of block " + at / type().blockBytes() + " is not finite")
                        .found(scale)
                        .exception();
            }
            if (scale != 0) {
                return scale;
            }
        }
        return 0;
    }

    @Override
    public float pack(
            MemorySegment in, int rows, int cols, int firstRow, int endRow, MemorySegment runtime, String where) {
        float scale = scale(in, rows, cols, where);
        int blocks = cols / type().blockSize();
        long rowBytes = (long) blocks * type().blockBytes();
        for (int row = firstRow; row < endRow; row++) {
            long at = row * rowBytes;
            long to = (row - firstRow) * TernaryWeights.rowBytes(cols);
            int wrong = format.packRow(in, at, blocks, scale, runtime, to);
            if (wrong >= 0) {
                throw format.fault(in, at + (long) wrong * type().blockBytes(), scale, row, wrong, where);
            }
        }
        return scale;
    }
}
