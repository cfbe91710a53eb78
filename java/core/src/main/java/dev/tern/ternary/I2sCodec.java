package dev.tern.ternary;

import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * I2_S of bitnet.cpp in its file layout (groups of 128, the one that converters write on every platform): the codes, which
 * lie as the run-time layout wants them, then a tail of 32 bytes whose first four are s as float32. Exact in T and s.
 */
final class I2sCodec implements TernaryCodec {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @Override
    public GgmlType type() {
        return GgmlType.I2_S;
    }

    @Override
    public float storedScale(float scale) {
        return scale;
    }

    @Override
    public void encode(TernaryMatrix matrix, MemorySegment out) {
        obstacle(matrix.rows(), matrix.cols()).ifPresent(reason -> {
            throw new IllegalArgumentException(reason);
        });
        byte[] row = new byte[matrix.cols() / 4];
        for (int r = 0; r < matrix.rows(); r++) {
            RuntimeLayout.packRow(matrix.values(), r * matrix.cols(), matrix.cols(), row);
            MemorySegment.copy(row, 0, out, ValueLayout.JAVA_BYTE, (long) r * row.length, row.length);
        }
        MemorySegment.copy(
                tail(matrix.rows(), matrix.cols(), matrix.scale()),
                0,
                out,
                ValueLayout.JAVA_BYTE,
                RuntimeLayout.byteSize(matrix.rows(), matrix.cols()),
                GgmlType.SCALE_TAIL);
    }

    @Override
    public byte[] tail(int rows, int cols, float scale) {
        byte[] tail = new byte[GgmlType.SCALE_TAIL];
        MemorySegment.ofArray(tail).set(FLOAT, 0, scale);
        return tail;
    }

    @Override
    public float scale(MemorySegment in, int rows, int cols, String where) {
        float scale = in.get(FLOAT, RuntimeLayout.byteSize(rows, cols));
        if (!Float.isFinite(scale)) {
            throw InputException.at(where).expected("a finite scale").found(scale).exception();
        }
        return scale;
    }

    @Override
    public float pack(
            MemorySegment in, int rows, int cols, int firstRow, int endRow, MemorySegment runtime, String where) {
        long rowBytes = cols / 4;
        long from = firstRow * rowBytes;
        long size = (endRow - firstRow) * rowBytes;
        requireValid(in.asSlice(from, size), from, rowBytes, where);
        MemorySegment.copy(in, from, runtime, 0, size);
        return scale(in, rows, cols, where);
    }

    @Override
    public boolean isRuntimeLayout() {
        return true;
    }

    @Override
    public float check(MemorySegment in, int rows, int cols, String where) {
        requireValid(in.asSlice(0, RuntimeLayout.byteSize(rows, cols)), 0, cols / 4, where);
        return scale(in, rows, cols, where);
    }

    private static void requireValid(MemorySegment codes, long start, long rowBytes, String where) {
        for (long at = 0; at < codes.byteSize(); at += RuntimeLayout.GROUP_BYTES) {
            long invalid = RuntimeLayout.invalid(codes.get(RuntimeLayout.LONG, at))
                    | RuntimeLayout.invalid(codes.get(RuntimeLayout.LONG, at + 8))
                    | RuntimeLayout.invalid(codes.get(RuntimeLayout.LONG, at + 16))
                    | RuntimeLayout.invalid(codes.get(RuntimeLayout.LONG, at + 24));
            if (invalid != 0) {
                throw invalidCode(codes, at, start, rowBytes, where);
            }
        }
    }

    private static InputException invalidCode(
            MemorySegment codes, long group, long start, long rowBytes, String where) {
        for (int p = 0; ; p++) {
            int codeByte = codes.get(ValueLayout.JAVA_BYTE, group + p) & 0xFF;
            int invalid = codeByte & codeByte >> 1 & 0x55;
            if (invalid != 0) {
                int quarter = (7 - (31 - Integer.numberOfLeadingZeros(invalid))) / 2;
                long column = (start + group) % rowBytes * 4 + p + 32L * quarter;
                return InputException.at(where)
                        .problem("row " + (start + group) / rowBytes + ", column " + column + " holds the code 3")
                        .expected("0, 1 or 2 (-1, 0, +1)")
                        .cure("The tensor is damaged, or its bytes are of another layout; convert the checkpoint again.")
                        .exception();
            }
        }
    }
}
