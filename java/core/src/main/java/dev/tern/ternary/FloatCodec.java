package dev.tern.ternary;

import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import dev.tern.kernels.TernaryEncoding;
import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Ternary matrices as plain floats: 0 and plus or minus s, rounded to the type. Exact in T; reading takes s = max |W|
 * and refuses a tensor with any other value.
 *
 * @param type F16, BF16 or F32
 */
record FloatCodec(GgmlType type) implements TernaryCodec {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @Override
    public Optional<TernaryEncoding> encoding() {
        return Optional.of(TernaryEncoding.valueOf(type.name()));
    }

    @Override
    public float storedScale(float scale) {
        return toFloat(toBits(scale));
    }

    @Override
    public Optional<String> scaleObstacle(float scale) {
        return scale < 0 || scale == 0
                ? Optional.of("the scale " + scale + " cannot be told from the sign of the weights in " + type)
                : TernaryCodec.super.scaleObstacle(scale);
    }

    /** A value rounded to the type, its sign at bit 31: fp16 and bf16 in the upper half. */
    private int toBits(float value) {
        return switch (type) {
            case F16 -> Float.floatToFloat16(value) << 16;
            case BF16 -> Bfloat16.of(value) << 16;
            default -> Float.floatToRawIntBits(value);
        };
    }

    private float toFloat(int bits) {
        return type == GgmlType.F16 ? Float.float16ToFloat((short) (bits >>> 16)) : Float.intBitsToFloat(bits);
    }

    @Override
    public void encode(TernaryMatrix matrix, MemorySegment out) {
        matrix.requireHeldBy(this);
        int cols = matrix.cols();
        byte[] values = matrix.values();
        int magnitude = toBits(matrix.scale());
        int[] bits = new int[cols];
        short[] halves = new short[type == GgmlType.F32 ? 0 : cols];
        for (int row = 0; row < matrix.rows(); row++) {
            int from = row * cols;
            for (int c = 0; c < cols; c++) {
                int t = values[from + c];
                bits[c] = t & 0x8000_0000 | -(t & 1) & magnitude; // no branch: weights are as good as random
            }
            long to = (long) from * type.blockBytes();
            if (type == GgmlType.F32) {
                MemorySegment.copy(bits, 0, out, INT, to, cols);
                continue;
            }
            for (int c = 0; c < cols; c++) {
                halves[c] = (short) (bits[c] >>> 16);
            }
            MemorySegment.copy(halves, 0, out, SHORT, to, cols);
        }
    }

    @Override
    public float scale(MemorySegment in, int rows, int cols, String where) {
        return toFloat(magnitude(in, rows, cols, where));
    }

    /** The bits of |W| of the first weight that is not zero; 0 when there is none. */
    private int magnitude(MemorySegment in, int rows, int cols, String where) {
        long elements = (long) rows * cols;
        for (long i = 0; i < elements; i++) {
            int bits = bits(in, i);
            int magnitude = bits & 0x7FFF_FFFF;
            if (magnitude != 0) {
                if (!Float.isFinite(toFloat(magnitude))) {
                    throw notFinite(toFloat(bits), (int) (i / cols), where);
                }
                return magnitude;
            }
        }
        return 0;
    }

    /** An element's bits as {@link #toBits} gives them. */
    private int bits(MemorySegment in, long i) {
        return type == GgmlType.F32 ? in.get(INT, 4 * i) : in.get(SHORT, 2 * i) << 16;
    }

    private static InputException notFinite(float found, int row, String where) {
        return InputException.at(where)
                .problem("row " + row + " holds " + found)
                .expected("finite weights")
                .exception();
    }

    private void readRow(MemorySegment in, int row, int[] bits) {
        long at = (long) row * bits.length * type.blockBytes();
        if (type == GgmlType.F32) {
            MemorySegment.copy(in, INT, at, bits, 0, bits.length);
            return;
        }
        short[] halves = new short[bits.length];
        MemorySegment.copy(in, SHORT, at, halves, 0, halves.length);
        for (int c = 0; c < bits.length; c++) {
            bits[c] = halves[c] << 16;
        }
    }

    @Override
    public float pack(
            MemorySegment in, int rows, int cols, int firstRow, int endRow, MemorySegment runtime, String where) {
        int magnitude = magnitude(in, rows, cols, where);
        int bytes = type.blockBytes();
        int stored = bytes == 2 ? magnitude >>> 16 : magnitude;
        long rowBytes = TernaryWeights.rowBytes(cols);
        for (int row = firstRow; row < endRow; row++) {
            long to = (row - firstRow) * rowBytes;
            if (!FloatPacking.pack(in, (long) row * cols * bytes, cols, bytes, stored, runtime, to)) {
                throw notTernary(in, magnitude, row, cols, where);
            }
        }
        return toFloat(magnitude);
    }

    private InputException notTernary(MemorySegment in, int magnitude, int row, int cols, String where) {
        int[] bits = new int[cols];
        readRow(in, row, bits);
        int c = 0;
        while ((bits[c] & 0x7FFF_FFFF) == 0 || (bits[c] & 0x7FFF_FFFF) == magnitude) {
            c++;
        }
        float found = toFloat(bits[c]);
        if (!Float.isFinite(found)) {
            return notFinite(found, row, where);
        }
        return new NotTernaryException(InputException.at(where)
                .problem("holds ordinary floats, not ternary weights")
                .expected("0, " + toFloat(magnitude) + " or " + -toFloat(magnitude))
                .found(found + " in row " + row + ", column " + c)
                .cure("Convert the original checkpoint with `tern convert`.")
                .exception());
    }
}
