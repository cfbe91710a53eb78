/*
 * layout.h: where the weights of a packed matrix lie.
 *
 * A matrix of M rows and K columns is cut into tiles of BM x BK. Row r lies in tile row r / BM; with kb = column / BK,
 * the blocks of a tile row follow each other by kb, and within one by row block mb = (r mod BM) / bm, so that a tile
 * row is read from its first byte to its last.
 *
 * TL2 stores columns in threes below three_k = K / BK * BK, and in twos from there on. bm is 32.
 *
 *   Threes. A triple has the value v = 9 w0 + 3 w1 + w2. A block of 32 rows x BK columns is BK / 6 vectors of 32 bytes;
 * vector k holds |v| of triple 2k in its high nibbles and of triple 2k + 1 in its low ones. Row r of the block stands
 * in byte r, but rows 8..15 and 16..23 change places: a vector is two lanes of 16 bytes, and interleaving lane by lane
 * with a second vector (unpacklo, unpackhi) then gives rows 0..15 and rows 16..31 in order.
 *
 *   Signs lie behind all the indices, at M * three_k / 6: for 8 triples of a block 16 little-endian words of 16 bits.
 * Word r mod 16 has, from its highest bit down, for each triple the sign of row r (r < 16) and of row r + 16; 1 is
 * negative.
 *
 *   Twos lie behind the signs, at 5 * M * three_k / 24. A pair is the index 3 w0 + w1 + 4. A block of 32 rows x 32
 * columns is 8 vectors of 32 bytes, pairs and rows in them as above.
 *
 * TL1 stores all columns in twos. With by = 256 / bm columns a step, a block of bm rows x BK columns is BK / by steps
 * of bm / 16 x by / 4 cells of 16 bytes, a byte a row: the cell of rows 16 s.. and of pairs 2q, 2q + 1 of its step is
 * number s * by / 4 + q, and holds pair 2q in its high nibbles.
 */
enum { LUT_ROWS = 32, LUT_SIGN_GROUP = 24, LUT_PAIR_BLOCK = 32 };

/* Columns that TL2 stores in threes. */
LUT_INLINE int64_t lut_three_k(int64_t cols, int64_t bk) {
    return cols / bk * bk;
}

/* Number of the block of TL2 that starts at `row`, in column block kb of `blocks`. */
LUT_INLINE int64_t lut_tl2_block(int64_t row, int64_t bm, int64_t kb, int64_t blocks) {
    return (row / bm * blocks + kb) * (bm / LUT_ROWS) + row % bm / LUT_ROWS;
}

/* Byte of row r, 0 to 31, in a vector of indices. */
LUT_INLINE int64_t lut_tl2_byte(int64_t r) {
    return r >= 8 && r < 24 ? r ^ 24 : r;
}

/* Byte where the cells of step `step` of a block of TL1 begin; row is the first of a row block. */
LUT_INLINE int64_t lut_tl1_step(int64_t row, int64_t cols, int64_t bm, int64_t bk, int64_t bmm, int64_t kb,
                                int64_t step) {
    const int64_t by = 256 / bmm;
    const int64_t block = (row / bm * (cols / bk) + kb) * (bm / bmm) + row % bm / bmm;
    return (block * (bk / by) + step) * 64; /* bm / 16 * by / 4 cells are four for either bm */
}
