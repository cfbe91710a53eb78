/*
 * portable.h: tables and sums in plain C. What the other paths must equal, and what runs where there is none.
 */

LUT_INLINE void lut_put_entry(uint8_t *table, int high, int entry, int value) {
    table[entry] = (uint8_t)((unsigned)value & 0xff);
    table[high + entry] = (uint8_t)((unsigned)value >> 8 & 0xff);
}

LUT_INLINE int32_t lut_entry(const uint8_t *table, int high, int entry) {
    const int32_t bits = table[entry] | table[high + entry] << 8;
    return bits < 32768 ? bits : bits - 65536;
}

/* Tables of n triples: entry 9p + 3q + r is p a + q b + r c, of which those that are not negative are indices. */
LUT_BLOCK void lut_portable_triples(const int8_t *a, int64_t n, uint8_t *tables) {
    for (int64_t g = 0; g < n; g++, a += 3, tables += LUT_TRIPLE_TABLE) {
        memset(tables, 0, LUT_TRIPLE_TABLE);
        for (int v = 0; v <= 13; v++) {
            const int r = (v + 1) % 3 - 1;
            const int q = ((v - r) / 3 + 1) % 3 - 1;
            const int p = (v - 3 * q - r) / 9;
            lut_put_entry(tables, LUT_TRIPLE_HIGH, v, p * a[0] + q * a[1] + r * a[2]);
        }
    }
}

/* Tables of n pairs: entry 3p + q + 4 is p a + q b. */
LUT_BLOCK void lut_portable_pairs(const int8_t *a, int64_t n, uint8_t *tables) {
    for (int64_t g = 0; g < n; g++, a += 2, tables += LUT_PAIR_TABLE) {
        memset(tables, 0, LUT_PAIR_TABLE);
        for (int entry = 0; entry <= 8; entry++) {
            const int p = entry / 3 - 1;
            const int q = entry % 3 - 1;
            lut_put_entry(tables, LUT_PAIR_HIGH, entry, p * a[0] + q * a[1]);
        }
    }
}

/* The index of an even (odd) triple or pair: the high (low) nibble. */
LUT_INLINE int lut_nibble(uint8_t byte, int64_t odd) {
    return odd ? byte & 15 : byte >> 4;
}

/* sums[t][r] += 32 rows x `groups` sign groups of 24 columns, for each token. */
LUT_BLOCK void lut_portable_threes(const uint8_t *indices, const uint8_t *signs, const uint8_t *tables, int64_t stride,
                                   int64_t groups, int64_t tokens, int32_t *sums, int64_t sum_stride) {
    for (int64_t r = 0; r < LUT_ROWS; r++) {
        for (int64_t g = 0; g < groups * 8; g++) {
            const int index = lut_nibble(indices[g / 2 * LUT_ROWS + lut_tl2_byte(r)], g & 1);
            const uint8_t *word = signs + g / 8 * LUT_ROWS + r % 16 * 2;
            const int bit = 15 - (int)(2 * (g % 8) + r / 16);
            const bool negative = (word[0] | word[1] << 8) >> bit & 1;
            for (int64_t t = 0; t < tokens; t++) {
                const int32_t x = lut_entry(tables + t * stride + g * LUT_TRIPLE_TABLE, LUT_TRIPLE_HIGH, index);
                sums[t * sum_stride + r] += negative ? -x : x;
            }
        }
    }
}

/* sums[t][r] += 32 rows x 32 columns of pairs. */
LUT_BLOCK void lut_portable_twos(const uint8_t *indices, const uint8_t *tables, int64_t stride, int64_t tokens,
                                 int32_t *sums, int64_t sum_stride) {
    for (int64_t r = 0; r < LUT_ROWS; r++) {
        for (int64_t g = 0; g < LUT_PAIR_BLOCK / 2; g++) {
            const int index = lut_nibble(indices[g / 2 * LUT_ROWS + lut_tl2_byte(r)], g & 1);
            for (int64_t t = 0; t < tokens; t++) {
                sums[t * sum_stride + r] += lut_entry(tables + t * stride + g * LUT_PAIR_TABLE, LUT_PAIR_HIGH, index);
            }
        }
    }
}

/* sums[t][16 (s - s_begin) ..] += the rows of cells [s_begin, s_end) of a block of TL1 that is `steps` long. */
LUT_BLOCK void lut_portable_tl1(const uint8_t *cells, const uint8_t *tables, int64_t stride, int64_t steps, int64_t bmm,
                                int64_t s_begin, int64_t s_end, int64_t tokens, int32_t *sums, int64_t sum_stride) {
    const int64_t cells_a_row = 64 / bmm; /* by / 4 */
    for (int64_t step = 0; step < steps; step++) {
        for (int64_t s = s_begin; s < s_end; s++) {
            for (int64_t q = 0; q < cells_a_row; q++) {
                const uint8_t *cell = cells + step * 64 + (s * cells_a_row + q) * 16;
                for (int64_t t = 0; t < tokens; t++) {
                    const uint8_t *table = tables + t * stride + (step * cells_a_row + q) * 2 * LUT_PAIR_TABLE;
                    int32_t *rows = sums + t * sum_stride + (s - s_begin) * 16;
                    for (int r = 0; r < 16; r++) {
                        rows[r] += lut_entry(table, LUT_PAIR_HIGH, cell[r] >> 4) +
                                   lut_entry(table + LUT_PAIR_TABLE, LUT_PAIR_HIGH, cell[r] & 15);
                    }
                }
            }
        }
    }
}
