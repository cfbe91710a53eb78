/*
 * ternary_matmul.c, NEON: ternary weights in rows times int8 activations, by widening multiply-adds.
 *
 * The products are made with codes (T + 1: 0, 1, 2), whose unpacking is then a shift and a mask:
 * sum(T * a) = sum(code * a) - sum(a), and the second sum comes with the activations. Padding codes are 1 and meet zero
 * activations. Sums are taken modulo 2^32, so that a wrapping sum(code * a) still leaves the right difference.
 *
 * WHY INT16 IS WIDE ENOUGH, AND FOR HOW LONG. A product is at most 2 * 128 = 256 in magnitude downwards and 254
 * upwards, so an int16 lane may take 128 of them: -32768 just fits, upwards it is 32512. Of a group of 128 columns each
 * of eight lanes takes 16, so they must be widened to int32 after 8 groups at the latest.
 */
#include "lanes.h"
#include "panels.h"
#include "tiers.h"

/* sum + 16 products of codes and activations. */
TERN_INLINE int16x8_t add_products(int16x8_t sum, int8x16_t codes, int8x16_t a) {
    return vmlal_high_s8(vmlal_s8(sum, vget_low_s8(codes), vget_low_s8(a)), codes, a);
}

/* Up to four tokens from token `t` on, for `rows` (1 or 2) rows: eight sums in registers, an activation is loaded once
 * for all rows, a row's codes are unpacked once for all tokens. */
TERN_INLINE void tile(int rows, int tokens, const tern_ternary_matrix *w, const tern_activations *a, int64_t t,
                      int64_t row, float *y, int64_t y_stride) {
    const int64_t groups = (w->cols + TERN_GROUP - 1) / TERN_GROUP;
    int32x4_t wide[2][4];
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < tokens; i++) {
            wide[r][i] = vdupq_n_s32(0);
        }
    }
    for (int64_t first = 0; first < groups; first += 8) {
        const int64_t end = first + 8 < groups ? first + 8 : groups;
        int16x8_t sums[2][4];
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < tokens; i++) {
                sums[r][i] = vdupq_n_s16(0);
            }
        }
        for (int64_t at = 2 * first; at < 2 * end; at++) { /* 16 bytes, half of a group's */
            int8x16_t codes[2][4];
            for (int r = 0; r < rows; r++) {
                codes_of_rows(vld1q_u8(w->codes + (row + r) * w->stride + at * 16), codes[r]);
            }
            for (int i = 0; i < tokens; i++) {
                const int8_t *token = a->values + (t + i) * a->stride + at / 2 * TERN_GROUP + at % 2 * 16;
                for (int quarter = 0; quarter < 4; quarter++) {
                    const int8x16_t v = vld1q_s8(token + 32 * quarter);
                    for (int r = 0; r < rows; r++) {
                        sums[r][i] = add_products(sums[r][i], codes[r][quarter], v);
                    }
                }
            }
        }
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < tokens; i++) {
                wide[r][i] = vpadalq_s16(wide[r][i], sums[r][i]);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < tokens; i++) {
            const int32_t dot = (int32_t)((uint32_t)vaddvq_s32(wide[r][i]) - (uint32_t)a->sums[t + i]);
            y[(t + i) * y_stride + row + r] = (float)dot * (w->scale / a->scales[t + i]);
        }
    }
}

TERN_INLINE void rows_of_tile(int tokens, const tern_ternary_matrix *w, const tern_activations *a, int64_t t,
                              int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    int64_t row = row_begin;
    for (; row + 2 <= row_end; row += 2) {
        tile(2, tokens, w, a, t, row, y, y_stride);
    }
    if (row < row_end) {
        tile(1, tokens, w, a, t, row, y, y_stride);
    }
}

void tern_neon_ternary_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                              int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout == TERN_PANELS_MIXED) { /* which wants tables of 32 words */
        tern_scalar_ternary_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
        return;
    }
    if (w->layout != TERN_ROWS) {
        tern_neon_panels_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
        return;
    }
    const int64_t block = 64; /* rows whose codes stay in L2 while the tokens pass by: 40 KiB at 2560 columns */
    for (int64_t first = row_begin; first < row_end; first += block) {
        const int64_t end = first + block < row_end ? first + block : row_end;
        int64_t t = 0;
        for (; t + 4 <= tokens; t += 4) {
            rows_of_tile(4, w, a, t, first, end, y, y_stride);
        }
        switch (tokens - t) {
        case 3: rows_of_tile(3, w, a, t, first, end, y, y_stride); break;
        case 2: rows_of_tile(2, w, a, t, first, end, y, y_stride); break;
        case 1: rows_of_tile(1, w, a, t, first, end, y, y_stride); break;
        default: break;
        }
    }
}
