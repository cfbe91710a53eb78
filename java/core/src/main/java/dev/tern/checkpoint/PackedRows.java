package dev.tern.checkpoint;

import dev.tern.io.InputException;
import dev.tern.ternary.TernaryRows;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * (T, s) of a projection that is packed in uint8, four codes T + 1 to a byte. With n = ceil(rows/4), packed row j holds
 * rows j, j+n, j+2n, j+3n in bits 1:0, 3:2, 5:4, 7:6; rows beyond the matrix are padding, and their bits are not looked
 * at.
 */
final class PackedRows implements TernaryRows {
    private static final VarHandle BYTES = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** The lowest bit of each byte. */
    private static final long ONES = 0x0101_0101_0101_0101L;

    private final StoredTensor stored;
    private final int rows;
    private final int cols;
    private final float scale;
    private final int packedRows;
    private final byte[] packed;

    PackedRows(StoredTensor stored, int rows, int cols, float scale) {
        this.stored = stored;
        this.rows = rows;
        this.cols = cols;
        this.scale = scale;
        this.packedRows = Math.ceilDiv(rows, 4);
        this.packed = new byte[Math.min(packedRows, Math.max(1, StoredTensor.CHUNK / cols)) * cols];
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int cols() {
        return cols;
    }

    @Override
    public float scale() {
        return scale;
    }

    @Override
    public void read(int firstRow, int count, byte[] t) {
        int end = firstRow + count;
        for (int row = firstRow, now; row < end; row += now) {
            int quarter = row / packedRows;
            int untilNext = (quarter + 1) * packedRows - row;
            now = Math.min(Math.min(end - row, untilNext), packed.length / cols);
            stored.read((long) (row - quarter * packedRows) * cols, now * cols, packed);
            if (unpack(packed, now * cols, 2 * quarter, t, (row - firstRow) * cols)) {
                throw forbiddenCode(2 * quarter, row);
            }
        }
    }

    /** Whether the forbidden code 3 occurred. */
    private static boolean unpack(byte[] packed, int count, int shift, byte[] t, int to) {
        long forbidden = 0;
        int whole = count & -8;
        for (int i = 0; i < whole; i += 8) {
            long codes = (long) BYTES.get(packed, i) >>> shift & 3 * ONES;
            forbidden |= codes & codes >>> 1;
            BYTES.set(t, to + i, (codes | 0x80 * ONES) - ONES ^ 0x80 * ONES); // no borrow leaves a byte
        }
        for (int i = whole; i < count; i++) {
            int code = packed[i] >> shift & 3;
            forbidden |= code & code >> 1;
            t[to + i] = (byte) (code - 1);
        }
        return (forbidden & ONES) != 0;
    }

    private InputException forbiddenCode(int shift, int firstRow) {
        int at = 0;
        while ((packed[at] >> shift & 3) != 3) {
            at++;
        }
        return stored.error()
                .problem("holds a code that stands for no ternary value")
                .expected("0, 1 or 2")
                .found("3 at row " + (firstRow + at / cols) + ", column " + at % cols)
                .cure("The file is damaged or packed in another way: download it again.")
                .exception();
    }
}
