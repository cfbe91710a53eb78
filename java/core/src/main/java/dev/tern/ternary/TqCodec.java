package dev.tern.ternary;

import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * TQ1_0 and TQ2_0 of ggml: blocks of 256 columns, each with s as fp16 at its end. Exact in T; s is rounded to fp16 and
 * written into every block, also into blocks of zeros, where ggml's own quantizer writes 0.
 *
 * @param type TQ1_0 or TQ2_0
 */
record TqCodec(GgmlType type) implements TernaryCodec {
    static final int BLOCK = 256;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @Override
    public float storedScale(float scale) {
        return Float.float16ToFloat(Float.floatToFloat16(scale));
    }

    @Override
    public void encode(TernaryMatrix matrix, MemorySegment out) {
        obstacle(matrix.rows(), matrix.cols()).or(() -> scaleObstacle(matrix.scale())).ifPresent(reason -> {
            throw new IllegalArgumentException(reason);
        });
        int blockBytes = type.blockBytes();
        short d = Float.floatToFloat16(matrix.scale());
        byte[] row = new byte[matrix.cols() / BLOCK * blockBytes];
        for (int r = 0; r < matrix.rows(); r++) {
            for (int c = 0, o = 0; c < matrix.cols(); c += BLOCK, o += blockBytes) {
                if (type == GgmlType.TQ1_0) {
                    Tq1Block.encode(matrix.values(), r * matrix.cols() + c, row, o);
                } else {
                    Tq2Block.encode(matrix.values(), r * matrix.cols() + c, row, o);
                }
                row[o + blockBytes - 2] = (byte) d;
                row[o + blockBytes - 1] = (byte) (d >> 8);
            }
            MemorySegment.copy(row, 0, out, ValueLayout.JAVA_BYTE, (long) r * row.length, row.length);
        }
    }

    @Override
    public float scale(MemorySegment in, int rows, int cols, String where) {
        return Float.float16ToFloat(scaleBits(in, rows, cols, where));
    }

    /** The first block's scale that is not zero; zero when there is none. */
    private short scaleBits(MemorySegment in, int rows, int cols, String where) {
        long end = type.bytes(cols, rows);
        for (long at = type.blockBytes() - 2; at < end; at += type.blockBytes()) {
            short d = in.get(SHORT, at);
            if (!Float.isFinite(Float.float16ToFloat(d))) {
                throw InputException.at(where)
                        .problem("the scale of block " + at / type.blockBytes() + " is not finite")
                        .found(Float.float16ToFloat(d))
                        .exception();
            }
            if ((d & 0x7FFF) != 0) {
                return d;
            }
        }
        return 0;
    }

    @Override
    public float pack(
            MemorySegment in, int rows, int cols, int firstRow, int endRow, MemorySegment runtime, String where) {
        short scale = scaleBits(in, rows, cols, where);
        int blockBytes = type.blockBytes();
        long blocks = (long) cols / BLOCK;
        for (long block = firstRow * blocks; block < endRow * blocks; block++) {
            long at = block * blockBytes;
            long to = block * 2 * TernaryWeights.GROUP_BYTES;
            long invalid = type == GgmlType.TQ1_0 ? Tq1Block.pack(in, at, runtime, to) : Tq2Block.pack(in, at, runtime, to);
            if (invalid != 0) {
                throw InputException.at(where)
                        .problem("block " + block % blocks + " of row " + block / blocks
                                + (type == GgmlType.TQ1_0 ? " holds a byte that encodes no five trits" : " holds the code 3"))
                        .cure("The tensor is damaged; convert the checkpoint again.")
                        .exception();
            }
            short d = in.get(SHORT, at + blockBytes - 2);
            if (d != scale && !(isZero(runtime, to) && Float.isFinite(Float.float16ToFloat(d)))) {
                throw differentScales(scale, d, block / blocks, block % blocks, where);
            }
        }
        return Float.float16ToFloat(scale);
    }

    private static boolean isZero(MemorySegment runtime, long to) {
        for (int i = 0; i < 2 * TernaryWeights.GROUP_BYTES; i += 8) {
            if (runtime.get(RuntimeLayout.LONG, to + i) != RuntimeLayout.ZEROS) {
                return false;
            }
        }
        return true;
    }

    private static InputException differentScales(short expected, short found, long row, long block, String where) {
        return InputException.at(where)
                .problem("its blocks have different scales, so it is no ternary matrix of one scale;"
                        + " a file quantized from continuous weights looks like this, and has lost them")
                .expected(Float.float16ToFloat(expected))
                .found(Float.float16ToFloat(found) + " in block " + block + " of row " + row)
                .cure("Convert the original checkpoint with `tern convert`.")
                .exception();
    }
}
