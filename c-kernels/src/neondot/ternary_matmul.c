/*
 * ternary_matmul.c, NEON with the dot product: ternary weights in rows times int8 activations.
 *
 * SDOT adds four products to each int32 lane. As in the NEON tier they are made with codes (T + 1) and the activations'
 * sum is subtracted at the end; int32 needs no widening.
 */
#include "neon/panels.h"
#include "neondot/panels.h"
#include "tiers.h"

/* A tile of `rows` (1 or 4) rows and up to four tokens from token `t` on: sixteen sums in registers, a row's codes are
 * unpacked once for all tokens and an activation is loaded once for all rows. */
TERN_INLINE void tile(int rows, int tokens, const tern_ternary_matrix *w, const tern_activations *a, int64_t t,
                      int64_t row, float *y, int64_t y_stride) {
    const int64_t groups = (w->cols + TERN_GROUP - 1) / TERN_GROUP;
    int32x4_t sums[4][4];
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < tokens; i++) {
            sums[r][i] = vdupq_n_s32(0);
        }
    }
    for (int64_t at = 0; at < 2 * groups; at++) { /* 16 bytes, half of a group's */
        int8x16_t codes[4][4];
        for (int r = 0; r < rows; r++) {
            codes_of_rows(vld1q_u8(w->codes + (row + r) * w->stride + at * 16), codes[r]);
        }
        for (int i = 0; i < tokens; i++) {
            const int8_t *token = a->values + (t + i) * a->stride + at / 2 * TERN_GROUP + at % 2 * 16;
            for (int quarter = 0; quarter < 4; quarter++) {
                const int8x16_t v = vld1q_s8(token + 32 * quarter);
                for (int r = 0; r < rows; r++) {
                    sums[r][i] = vdotq_s32(sums[r][i], codes[r][quarter], v);
                }
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < tokens; i++) {
            const int32_t dot = (int32_t)((uint32_t)vaddvq_s32(sums[r][i]) - (uint32_t)a->sums[t + i]);
            y[(t + i) * y_stride + row + r] = (float)dot * (w->scale / a->scales[t + i]);
        }
    }
}

/* One token: a row after the other, one stream from memory; a sum for each quarter hides the latency of SDOT. */
static void one_token(const tern_ternary_matrix *w, const tern_activations *a, int64_t row_begin, int64_t row_end,
                      float *y) {
    const int64_t groups = (w->cols + TERN_GROUP - 1) / TERN_GROUP;
    const float scale = w->scale / a->scales[0];
    for (int64_t row = row_begin; row < row_end; row++) {
        const uint8_t *bytes = w->codes + row * w->stride;
        int32x4_t sums[4];
        for (int quarter = 0; quarter < 4; quarter++) {
            sums[quarter] = vdupq_n_s32(0);
        }
        for (int64_t g = 0; g < groups; g++) {
            for (int half = 0; half < 2; half++) {
                int8x16_t codes[4];
                codes_of_rows(vld1q_u8(bytes + g * 32 + half * 16), codes);
                for (int quarter = 0; quarter < 4; quarter++) {
                    const int8x16_t v = vld1q_s8(a->values + g * TERN_GROUP + quarter * 32 + half * 16);
                    sums[quarter] = vdotq_s32(sums[quarter], codes[quarter], v);
                }
            }
        }
        const int32x4_t sum = vaddq_s32(vaddq_s32(sums[0], sums[1]), vaddq_s32(sums[2], sums[3]));
        y[row] = (float)(int32_t)((uint32_t)vaddvq_s32(sum) - (uint32_t)a->sums[0]) * scale;
    }
}

TERN_INLINE void rows_of_tile(int tokens, const tern_ternary_matrix *w, const tern_activations *a, int64_t t,
                              int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    int64_t row = row_begin;
    for (; row + 4 <= row_end; row += 4) {
        tile(4, tokens, w, a, t, row, y, y_stride);
    }
    for (; row < row_end; row++) {
        tile(1, tokens, w, a, t, row, y, y_stride);
    }
}

void tern_neondot_ternary_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                 int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout == TERN_PANELS_MIXED) { /* which wants tables of 32 words */
        tern_scalar_ternary_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
        return;
    }
    if (w->layout != TERN_ROWS) {
        tern_neondot_panels_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
        return;
    }
    if (tokens == 1) {
        one_token(w, a, row_begin, row_end, y);
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
