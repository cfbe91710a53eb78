package dev.tern.cli;

import dev.tern.io.AtomicFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A float32 matrix [rows, columns] as NumPy's format 1.0 has it: little-endian, C order. It appears whole or not at all,
 * with {@link #commit}. The format: NEP 1 of numpy.org.
 */
final class NpyFile implements AutoCloseable {
    private static final ValueLayout.OfFloat LITTLE_ENDIAN_FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final AtomicFile file;
    private final int rows;
    private final int columns;
    private final MemorySegment row;
    private int written;

    private NpyFile(AtomicFile file, int rows, int columns) {
        this.file = file;
        this.rows = rows;
        this.columns = columns;
        this.row = MemorySegment.ofArray(new byte[Math.multiplyExact(columns, Float.BYTES)]);
    }

    /** Starts a file of {@code rows} rows; with {@link #commit} it replaces an existing one. */
    static NpyFile create(Path path, int rows, int columns) {
        AtomicFile file = AtomicFile.create(path, true);
        try {
            byte[] header = header(rows, columns);
            file.expect(header.length + (long) rows * columns * Float.BYTES);
            file.write(MemorySegment.ofArray(header));
            return new NpyFile(file, rows, columns);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static byte[] header(int rows, int columns) {
        String dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + rows + ", " + columns + "), }";
        int preamble = 10; // magic, version, length
        int padding = 63 - (preamble + dictionary.length()) % 64; // with its newline the header ends at a multiple of 64
        String text = dictionary + " ".repeat(padding) + "\n";
        byte[] start = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) text.length(), (byte) (text.length() >> 8)};
        byte[] header = java.util.Arrays.copyOf(start, preamble + text.length());
        System.arraycopy(text.getBytes(StandardCharsets.US_ASCII), 0, header, preamble, text.length());
        return header;
    }

    /** Appends the next row: the first {@code columns} floats of the segment. */
    void append(MemorySegment floats) {
        if (written == rows) {
            throw new IllegalStateException("more than " + rows + " rows");
        }
        MemorySegment.copy(floats, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, row, LITTLE_ENDIAN_FLOAT, 0, columns);
        file.write(row);
        written++;
    }

    /** The file is whole: it gets its name. */
    void commit() {
        if (written != rows) {
            throw new IllegalStateException(written + " of " + rows + " rows");
        }
        file.commit();
    }

    @Override
    public void close() {
        file.close();
    }
}
