/*
 * neon.h: TL1 with table look-ups of 16 bytes.
 *
 * WHY INT16 IS WIDE ENOUGH. An entry is at most 2 * 128 in magnitude, and the lanes are widened after 32 steps of 2 or
 * 4 pairs at the latest: 128 pairs less one step would already be safe for activations down to -127, but -128 exists (a
 * NaN becomes it), and 128 * 256 is one too many. 32 steps of 2 pairs are 64 * 256 = 16,384; of 4 pairs, which go to
 * two sums, the same.
 */

LUT_INLINE int16x8_t lut_low_rows(uint8x16_t low_bytes, uint8x16_t high_bytes) {
    return vreinterpretq_s16_u8(vzip1q_u8(low_bytes, high_bytes));
}

LUT_INLINE int16x8_t lut_high_rows(uint8x16_t low_bytes, uint8x16_t high_bytes) {
    return vreinterpretq_s16_u8(vzip2q_u8(low_bytes, high_bytes));
}

LUT_INLINE void lut_widen_add(int32_t *sums, int16x8_t v) {
    vst1q_s32(sums, vaddw_s16(vld1q_s32(sums), vget_low_s16(v)));
    vst1q_s32(sums + 4, vaddw_high_s16(vld1q_s32(sums + 4), v));
}

/* The same as lut_portable_tl1. */
LUT_BLOCK void lut_neon_tl1(const uint8_t *cells, const uint8_t *tables, int64_t stride, int64_t steps, int64_t bmm,
                            int64_t s_begin, int64_t s_end, int64_t tokens, int32_t *sums, int64_t sum_stride) {
    const int64_t cells_a_row = 64 / bmm; /* by / 4: 2 or 1 */
    const uint8x16_t nibble = vdupq_n_u8(15);
    for (int64_t t = 0; t < tokens; t++) {
        for (int64_t s = s_begin; s < s_end; s++) {
            int32_t *rows = sums + t * sum_stride + (s - s_begin) * 16;
            for (int64_t first = 0; first < steps; first += 32) {
                const int64_t end = first + 32 < steps ? first + 32 : steps;
                for (int64_t q = 0; q < cells_a_row; q++) {
                    int16x8_t low = vdupq_n_s16(0);
                    int16x8_t high = vdupq_n_s16(0);
                    for (int64_t step = first; step < end; step++) {
                        const uint8x16_t packed = vld1q_u8(cells + step * 64 + (s * cells_a_row + q) * 16);
                        const uint8_t *table = tables + t * stride + (step * cells_a_row + q) * 2 * LUT_PAIR_TABLE;
                        const uint8x16_t even = vshrq_n_u8(packed, 4);
                        const uint8x16_t odd = vandq_u8(packed, nibble);
                        const uint8x16_t even_low = vqtbl1q_u8(vld1q_u8(table), even);
                        const uint8x16_t even_high = vqtbl1q_u8(vld1q_u8(table + LUT_PAIR_HIGH), even);
                        const uint8x16_t odd_low = vqtbl1q_u8(vld1q_u8(table + LUT_PAIR_TABLE), odd);
                        const uint8x16_t odd_high = vqtbl1q_u8(vld1q_u8(table + LUT_PAIR_TABLE + LUT_PAIR_HIGH), odd);
                        low = vaddq_s16(low, lut_low_rows(even_low, even_high));
                        low = vaddq_s16(low, lut_low_rows(odd_low, odd_high));
                        high = vaddq_s16(high, lut_high_rows(even_low, even_high));
                        high = vaddq_s16(high, lut_high_rows(odd_low, odd_high));
                    }
                    lut_widen_add(rows, low);
                    lut_widen_add(rows + 8, high);
                }
            }
        }
    }
}
