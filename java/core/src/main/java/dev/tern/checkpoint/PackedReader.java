package dev.tern.checkpoint;

import dev.tern.io.InputException;
import dev.tern.ternary.TernaryMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Makes (T, s) of a projection that is packed in uint8, four weights to a byte. */
final class PackedReader {
    private final StoredTensor stored;
    private final int rows;
    private final int cols;

    PackedReader(StoredTensor stored, int rows, int cols) {
        this.stored = stored;
        this.rows = rows;
        this.cols = cols;
    }

    /**
     * Packed codes T + 1. With n = ceil(rows/4), packed row j holds rows j, j+n, j+2n, j+3n in bits 1:0, 3:2, 5:4, 7:6;
     * rows beyond the matrix are padding, and their bits are not looked at.
     */
    TernaryMatrix unpack(float scale) {
        int packedRows = Math.ceilDiv(rows, 4);
        byte[] packed = new byte[cols];
        byte[] t = new byte[rows * cols];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = stored.map(arena);
            for (int j = 0; j < packedRows; j++) {
                MemorySegment.copy(data, ValueLayout.JAVA_BYTE, (long) j * cols, packed, 0, cols);
                for (int quarter = 0; quarter < 4; quarter++) {
                    long row = (long) quarter * packedRows + j;
                    if (row < rows && unpackRow(packed, 2 * quarter, t, (int) row * cols)) {
                        throw forbiddenCode(packed, 2 * quarter, row);
                    }
                }
            }
        }
        return new TernaryMatrix(rows, cols, t, scale);
    }

    /** Whether the forbidden code 3 occurred. */
    private static boolean unpackRow(byte[] packed, int shift, byte[] t, int to) {
        int forbidden = 0;
        for (int k = 0; k < packed.length; k++) {
            int code = (packed[k] >> shift) & 3;
            forbidden |= code & (code >> 1);
            t[to + k] = (byte) (code - 1);
        }
        return forbidden != 0;
    }

    private InputException forbiddenCode(byte[] packed, int shift, long row) {
        int col = 0;
        while (((packed[col] >> shift) & 3) != 3) {
            col++;
        }
        return stored.error()
                .problem("holds a code that stands for no ternary value")
                .expected("0, 1 or 2")
                .found("3 at row " + row + ", column " + col)
                .cure("The file is damaged or packed in another way: download it again.")
                .exception();
    }
}
