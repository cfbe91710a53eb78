package dev.tern.ternary;

import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.Tile;
import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * TL1 and TL2 of bitnet.cpp, packed for one tile. Exact in T and s. Layout as bitnet.cpp's converter and generated
 * kernels have it: the matrix is cut into tiles of BM rows and BK columns, row of tiles after row of tiles; within a
 * tile lie <i>cells</i> of bm rows, one after the other, and within a cell, for every few columns, the bytes of its
 * rows side by side. What a byte holds, {@link LutTables} says.
 *
 * <ul>
 *   <li><b>TL2</b>, the columns that whole tiles cover ({@code three}): for each 6 columns 32 bytes of indices, rows 8
 *       to 15 and 16 to 23 in each other's places. Behind all of them the signs, by cell too: for each 24 columns 16
 *       words of 16 bits, in word i the signs of rows i and i + 16, triple by triple from the highest bit down.
 *   <li><b>TL2</b>, the other columns ({@code two}), behind the signs, in cells of 32 rows and 32 columns: for each 4
 *       columns 32 bytes, rows placed as above.
 *   <li><b>TL1</b>: for each 256/bm columns, for each 16 rows, for each 4 columns 16 bytes.
 * </ul>
 *
 * <p>Then zeros, and in the first four of the last 32 bytes s as float32.
 *
 * @param format TL1 or TL2
 * @param tile legal for the matrices that are encoded or decoded
 */
record LutCodec(LutFormat format, Tile tile) implements TernaryCodec {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

    /** Columns of one sign group of TL2, and of a cell of its pairs. */
    private static final int SIGN_COLS = 24;

    private static final int PAIR_COLS = 32;

    /**
     * Bytes beyond a row of codes that decoding may overwrite; keeps rows of 2^n columns off each other's cache lines
     * too.
     */
    private static final int SLACK = 64;

    /** The format of a tensor type, empty for others. */
    static Optional<LutFormat> format(GgmlType type) {
        return switch (type) {
            case TL1 -> Optional.of(LutFormat.TL1);
            case TL2 -> Optional.of(LutFormat.TL2);
            default -> Optional.empty();
        };
    }

    @Override
    public GgmlType type() {
        return format == LutFormat.TL1 ? GgmlType.TL1 : GgmlType.TL2;
    }

    @Override
    public Optional<String> obstacle(int rows, int cols) {
        return format.obstacle(new MatrixShape(rows, cols), tile)
                .map(reason -> type() + " in tiles of " + tile + " cannot hold " + rows + "x" + cols + ": " + reason);
    }

    @Override
    public float storedScale(float scale) {
        return scale;
    }

    /** Where the parts of a tensor start, in bytes, and how its columns are divided. */
    private record Parts(int rows, int cols, int three, long signs, long pairs) {

        /** Columns of the two-part region, which for TL1 is all. */
        int two() {
            return cols - three;
        }

        /** Where zeros and the scale follow. */
        long end() {
            return pairs + (long) rows * two() / 4;
        }
    }

    private Parts parts(int rows, int cols) {
        int three = format.threeColumns(new MatrixShape(rows, cols), tile);
        long triples = (long) rows * three;
        return new Parts(rows, cols, three, triples / 6, triples * 5 / 24);
    }

    /** The index of a cell among all of its region, whose tiles have {@code tileCols} of {@code cols} columns. */
    private long cell(int firstRow, int firstCol, int cols, int tileCols) {
        long tileIndex = (long) (firstRow / tile.rows()) * (cols / tileCols) + firstCol / tileCols;
        return tileIndex * (tile.rows() / tile.rowBlock()) + firstRow % tile.rows() / tile.rowBlock();
    }

    /** Where row r of 32 has its byte: the lane order of the kernels' unpack instructions. */
    private static int place(int r) {
        return (r + 8 & 16) == 0 ? r : r ^ 24;
    }

    @Override
    public void encode(TernaryMatrix matrix, MemorySegment out) {
        obstacle(matrix.rows(), matrix.cols()).ifPresent(reason -> {
            throw new IllegalArgumentException(reason);
        });
        Parts parts = parts(matrix.rows(), matrix.cols());
        byte[] cell = new byte[cellBytes()];
        byte[] signs = new byte[tile.cols() / SIGN_COLS * 32];
        for (int row = 0; row < matrix.rows(); row += tile.rowBlock()) {
            for (int col = 0; col < parts.three; col += tile.cols()) {
                encodeTriples(matrix, row, col, cell, signs);
                long index = cell(row, col, parts.three, tile.cols());
                int bytes = tile.cols() / 6 * 32;
                MemorySegment.copy(cell, 0, out, ValueLayout.JAVA_BYTE, index * bytes, bytes);
                MemorySegment.copy(
                        signs, 0, out, ValueLayout.JAVA_BYTE, parts.signs + index * signs.length, signs.length);
            }
            int width = pairTileCols();
            for (int col = 0; col < parts.two(); col += width) {
                encodePairs(matrix, row, parts.three + col, width, cell);
                int bytes = width / 4 * tile.rowBlock();
                MemorySegment.copy(
                        cell,
                        0,
                        out,
                        ValueLayout.JAVA_BYTE,
                        parts.pairs + cell(row, col, parts.two(), width) * bytes,
                        bytes);
            }
        }
        byte[] tail = tail(parts.rows, parts.cols, matrix.scale());
        MemorySegment.copy(tail, 0, out, ValueLayout.JAVA_BYTE, parts.end(), tail.length);
    }

    @Override
    public int bandRows() {
        return tile.rows();
    }

    /** Rows of tiles lie one after the other in each of the three parts. */
    @Override
    public List<Piece> pieces(int rows, int cols, int firstRow, int count) {
        Parts whole = parts(rows, cols);
        Parts band = parts(count, cols);
        long before = (long) firstRow * whole.three;
        long triples = (long) count * whole.three;
        return List.of(
                new Piece(0, before / 6, triples / 6),
                new Piece(band.signs, whole.signs + before / 24, triples / 24),
                new Piece(band.pairs, whole.pairs + (long) firstRow * whole.two() / 4, (long) count * whole.two() / 4));
    }

    @Override
    public byte[] tail(int rows, int cols, float scale) {
        byte[] tail = new byte[Math.toIntExact(byteSize(rows, cols) - parts(rows, cols).end())];
        MemorySegment.ofArray(tail).set(FLOAT, tail.length - GgmlType.SCALE_TAIL, scale);
        return tail;
    }

    /** Columns of a cell of pairs. */
    private int pairTileCols() {
        return format == LutFormat.TL1 ? tile.cols() : PAIR_COLS;
    }

    /** Bytes of the largest cell. */
    private int cellBytes() {
        return Math.max(pairTileCols() / 4 * tile.rowBlock(), tile.cols() / 6 * 32);
    }

    /** One cell of triples and its signs. */
    private void encodeTriples(TernaryMatrix matrix, int firstRow, int firstCol, byte[] cell, byte[] signs) {
        byte[] values = matrix.values();
        int groups = tile.cols() / SIGN_COLS;
        for (int group = 0; group < groups; group++) {
            int at = group * 128;
            for (int r = 0; r < 32; r++) {
                int from = (firstRow + r) * matrix.cols() + firstCol + group * SIGN_COLS;
                int a = LutTables.triples((long) LONG.get(values, from));
                int b = LutTables.triples((long) LONG.get(values, from + 6));
                int c = LutTables.triples((long) LONG.get(values, from + 12));
                int d = LutTables.lateTriples((long) LONG.get(values, from + 16)); // not beyond the last weight
                int to = at + place(r);
                cell[to] = (byte) a;
                cell[to + 32] = (byte) b;
                cell[to + 64] = (byte) c;
                cell[to + 96] = (byte) d;
                // Eight signs at every second bit of the upper half: those of four bytes, 4 bits apart.
                int word = ((a & 0xA000_0000) >>> 16)
                        | ((b & 0xA000_0000) >>> 20)
                        | ((c & 0xA000_0000) >>> 24)
                        | ((d & 0xA000_0000) >>> 28);
                int wordAt = group * 32 + (r & 15) * 2;
                if (r < 16) {
                    SHORT.set(signs, wordAt, (short) word);
                } else {
                    SHORT.set(signs, wordAt, (short) ((short) SHORT.get(signs, wordAt) | word >>> 1));
                }
            }
        }
    }

    /** One cell of pairs. */
    private void encodePairs(TernaryMatrix matrix, int firstRow, int firstCol, int width, byte[] cell) {
        byte[] values = matrix.values();
        for (int r = 0; r < tile.rowBlock(); r++) {
            int from = (firstRow + r) * matrix.cols() + firstCol;
            int to = pairRow(r);
            for (int c = 0; c < width; c += 4) {
                cell[to + pairCol(c)] = (byte) LutTables.pairs((int) INT.get(values, from + c));
            }
        }
    }

    /** Where a cell of pairs has the byte of row r and columns c to c + 3: {@code pairRow(r) + pairCol(c)}. */
    private int pairRow(int r) {
        return format == LutFormat.TL2 ? place(r) : tile.rowBlock() == 64 ? r : r + (r & 16);
    }

    /** TL1 has 16 rows side by side; in blocks of 32, two times 16 bytes for 8 columns before the next 16 rows. */
    private int pairCol(int c) {
        return format == LutFormat.TL2 ? c * 8 : tile.rowBlock() == 64 ? c * 16 : (c & ~7) * 8 + (c & 4) * 4;
    }

    @Override
    public float scale(MemorySegment in, int rows, int cols, String where) {
        float scale = in.get(FLOAT, byteSize(rows, cols) - GgmlType.SCALE_TAIL);
        if (!Float.isFinite(scale)) {
            throw InputException.at(where).expected("a finite scale").found(scale).exception();
        }
        return scale;
    }

    @Override
    public Optional<PlannedKernel> kernel(int rows, int cols) {
        return obstacle(rows, cols).isPresent()
                ? Optional.empty()
                : Optional.of(new PlannedKernel(format, new MatrixShape(rows, cols), tile));
    }

    /** Eight indices of triples at a time are at most 13, and of pairs at most 8. */
    @Override
    public float check(MemorySegment in, int rows, int cols, String where) {
        Parts parts = parts(rows, cols);
        long invalid = 0;
        for (long at = 0; at < parts.signs; at += 8) { // M * three_k / 6 is a multiple of 128, as are the parts after it
            long x = in.get(RuntimeLayout.LONG, at);
            invalid |= x & x << 1 & x << 2; // 14 and 15 have the three highest bits
        }
        for (long at = parts.pairs; at < parts.end(); at += 8) {
            long x = in.get(RuntimeLayout.LONG, at);
            invalid |= x & (x << 1 | x << 2 | x << 3); // above 8 is the highest bit and another
        }
        if ((invalid & 0x8888_8888_8888_8888L) != 0) {
            try (Arena arena = Arena.ofConfined()) { // finds the place and tells it
                pack(in, rows, cols, arena.allocate(RuntimeLayout.byteSize(rows, cols)), where);
            }
        }
        return scale(in, rows, cols, where);
    }

    @Override
    public float pack(
            MemorySegment in, int rows, int cols, int firstRow, int endRow, MemorySegment runtime, String where) {
        if (cols > TernaryWeights.MAX_COLS || obstacle(rows, cols).isPresent()) {
            throw InputException.at(where)
                    .problem(obstacle(rows, cols).orElse(cols + " columns are more than a sum in 32 bits can take"))
                    .exception();
        }
        float scale = scale(in, rows, cols, where);
        Parts parts = parts(rows, cols);
        int stride = Math.toIntExact(TernaryWeights.rowBytes(cols) * 4) + SLACK;
        int height = Math.min(tile.rowBlock(), endRow - firstRow);
        byte[] codes = new byte[height * stride];
        byte[] packed = new byte[Math.toIntExact(TernaryWeights.rowBytes(cols))];
        for (int block = firstRow / tile.rowBlock() * tile.rowBlock(); block < endRow; block += tile.rowBlock()) {
            int end = Math.min(endRow, block + tile.rowBlock());
            Strip strip = new Strip(block, Math.max(firstRow, block), end, stride);
            if (decode(in, parts, strip, codes) < 0) {
                throw invalidIndex(in, parts, strip, where);
            }
            for (int row = strip.first; row < strip.end; row++) {
                int from = (row - strip.first) * stride;
                Arrays.fill(codes, from + cols, from + packed.length * 4, (byte) 1);
                RuntimeLayout.packCodes(codes, from, packed);
                long to = (long) (row - firstRow) * packed.length;
                MemorySegment.copy(packed, 0, runtime, ValueLayout.JAVA_BYTE, to, packed.length);
            }
        }
        return scale;
    }

    /**
     * Rows {@code first} to {@code end} of those that are interleaved from row {@code block} on, decoded into rows of
     * {@code stride} codes.
     */
    private record Strip(int block, int first, int end, int stride) {}

    /** All codes of a strip; negative when an index is invalid. */
    private int decode(MemorySegment in, Parts parts, Strip strip, byte[] codes) {
        byte[] cell = new byte[cellBytes()];
        byte[] signs = new byte[tile.cols() / SIGN_COLS * 32];
        long invalid = 0;
        for (int col = 0; col < parts.three; col += tile.cols()) {
            readTriples(in, parts, strip.block, col, cell, signs);
            invalid |= decodeTriples(cell, signs, strip, codes, col);
        }
        int invalidPairs = 0;
        int width = pairTileCols();
        for (int col = 0; col < parts.two(); col += width) {
            readPairs(in, parts, strip.block, col, cell);
            invalidPairs |= decodePairs(cell, strip, codes, parts.three + col, width);
        }
        return (int) (invalid >> 32) | invalidPairs;
    }

    private void readTriples(MemorySegment in, Parts parts, int row, int col, byte[] cell, byte[] signs) {
        long index = cell(row, col, parts.three, tile.cols());
        int bytes = tile.cols() / 6 * 32;
        MemorySegment.copy(in, ValueLayout.JAVA_BYTE, index * bytes, cell, 0, bytes);
        MemorySegment.copy(in, ValueLayout.JAVA_BYTE, parts.signs + index * signs.length, signs, 0, signs.length);
    }

    /** @param col from the region's first column */
    private void readPairs(MemorySegment in, Parts parts, int row, int col, byte[] cell) {
        int width = pairTileCols();
        int bytes = width / 4 * tile.rowBlock();
        long from = parts.pairs + cell(row, col, parts.two(), width) * bytes;
        MemorySegment.copy(in, ValueLayout.JAVA_BYTE, from, cell, 0, bytes);
    }

    private long decodeTriples(byte[] cell, byte[] signs, Strip strip, byte[] codes, int col) {
        long invalid = 0;
        int groups = tile.cols() / SIGN_COLS;
        for (int group = 0; group < groups; group++) {
            for (int row = strip.first; row < strip.end; row++) {
                int r = row - strip.block;
                int from = group * 128 + place(r);
                // The first triple's sign at bit 14: rows from 16 on have it there, the others one higher.
                int word = (short) SHORT.get(signs, group * 32 + (r & 15) * 2) >>> 1 - (r >> 4);
                long a = LutTables.sixCodes(cell[from] & 0xFF, word >> 12 & LutTables.SIGNS);
                long b = LutTables.sixCodes(cell[from + 32] & 0xFF, word >> 8 & LutTables.SIGNS);
                long c = LutTables.sixCodes(cell[from + 64] & 0xFF, word >> 4 & LutTables.SIGNS);
                long d = LutTables.sixCodes(cell[from + 96] & 0xFF, word & LutTables.SIGNS);
                invalid |= a | b | c | d;
                // Each writes two bytes more than it has, which the next overwrites.
                int to = (row - strip.first) * strip.stride + col + group * SIGN_COLS;
                LONG.set(codes, to, a);
                LONG.set(codes, to + 6, b);
                LONG.set(codes, to + 12, c);
                LONG.set(codes, to + 18, d);
            }
        }
        return invalid;
    }

    private int decodePairs(byte[] cell, Strip strip, byte[] codes, int col, int width) {
        int invalid = 0;
        for (int row = strip.first; row < strip.end; row++) {
            int from = pairRow(row - strip.block);
            int to = (row - strip.first) * strip.stride + col;
            for (int c = 0; c < width; c += 4) {
                int four = LutTables.fourCodes(cell[from + pairCol(c)] & 0xFF);
                invalid |= four;
                INT.set(codes, to + c, four);
            }
        }
        return invalid;
    }

    /** Looks for the first invalid index of a strip that has one. */
    private InputException invalidIndex(MemorySegment in, Parts parts, Strip strip, String where) {
        byte[] cell = new byte[cellBytes()];
        byte[] signs = new byte[tile.cols() / SIGN_COLS * 32];
        for (int row = strip.first; row < strip.end; row++) {
            int r = row - strip.block;
            for (int col = 0; col < parts.three; col += 6) {
                readTriples(in, parts, strip.block, col, cell, signs);
                int indices = cell[col % tile.cols() / 6 * 32 + place(r)] & 0xFF;
                if (LutTables.sixCodes(indices, 0) < 0) {
                    return invalidIndex(indices, LutTables.MAX_TRIPLE, row, col, 3, where);
                }
            }
            for (int col = 0; col < parts.two(); col += 4) {
                readPairs(in, parts, strip.block, col, cell);
                int indices = cell[pairRow(r) + pairCol(col % pairTileCols())] & 0xFF;
                if (LutTables.fourCodes(indices) < 0) {
                    return invalidIndex(indices, LutTables.MAX_PAIR, row, parts.three + col, 2, where);
                }
            }
        }
        throw new IllegalStateException("the tensor changed while it was read");
    }

    private static InputException invalidIndex(int indices, int max, int row, int col, int width, String where) {
        boolean first = indices >> 4 > max;
        int from = first ? col : col + width;
        return InputException.at(where)
                .problem("row " + row + ", columns " + from + " to " + (from + width - 1) + " hold the index "
                        + (first ? indices >> 4 : indices & 15) + ", which stands for no ternary values")
                .expected("0 to " + max)
                .cure("The tensor is damaged, or packed with other tiles; convert the checkpoint again.")
                .exception();
    }
}
