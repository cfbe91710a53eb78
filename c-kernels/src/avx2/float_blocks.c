/*
 * float_blocks.c, AVX2: matrices of Q8_0 and Q6_K, that is a quantized embedding and head.
 *
 * One token: a row's blocks one after the other; 32 columns are widened into the registers they are multiplied from.
 * That is about 26 instructions for 32 weights of Q6_K, which two cores do faster than they read F16 from memory.
 *
 * Several tokens: widening would be done anew for each tile of tokens, so four rows are widened over a stretch of
 * columns into a buffer in L1, and all tokens of a batch of up to 48 pass by before the next stretch is.
 */
#include "float_blocks.h"
#include "float_blocks_32.h"
#include "float_tile.h"
#include "one_token.h"
#include "tiers.h"

TERN_INLINE lanes32 add_products(lanes32 sum, lanes32 weights, const float *x) {
    for (int j = 0; j < 4; j++) {
        sum.part[j] = _mm256_fmadd_ps(weights.part[j], _mm256_loadu_ps(x + 8 * j), sum.part[j]);
    }
    return sum;
}

/* A block touches at most one line more than begins in it. */
TERN_INLINE void prefetch_block(const uint8_t *block, int64_t bytes) {
    for (int64_t line = 0; line < bytes; line += 64) {
        prefetch_ahead_of(block + line);
    }
}

TERN_INLINE float q8_0_times_token(const tern_float_matrix *w, int64_t row, const float *x, bool prefetch) {
    const uint8_t *block = q8_0_block(w->values, row * w->stride);
    lanes32 sum = lanes_zero();
    for (int64_t c = 0; c < w->cols; c += Q8_0_COLUMNS, block += Q8_0_BYTES) {
        if (prefetch) {
            prefetch_block(block, Q8_0_BYTES);
        }
        sum = add_products(sum, q8_0_lanes(block), x + c);
    }
    return lanes_fold(sum);
}

TERN_INLINE float q6_k_times_token(const tern_float_matrix *w, int64_t row, const float *x, bool prefetch) {
    const uint8_t *block = q6_k_block(w->values, row * w->stride);
    lanes32 sum = lanes_zero();
    for (int64_t c = 0; c < w->cols; c += Q6_K_COLUMNS, block += Q6_K_BYTES) {
        if (prefetch) {
            prefetch_block(block, Q6_K_BYTES);
        }
        float steps[16];
        q6_k_steps(block, steps);
        /* Written out: the shifts of a group must be constants. */
        sum = add_products(sum, q6_k_lanes(block, steps, 0), x + c);
        sum = add_products(sum, q6_k_lanes(block, steps, 1), x + c + 32);
        sum = add_products(sum, q6_k_lanes(block, steps, 2), x + c + 64);
        sum = add_products(sum, q6_k_lanes(block, steps, 3), x + c + 96);
        sum = add_products(sum, q6_k_lanes(block, steps, 4), x + c + 128);
        sum = add_products(sum, q6_k_lanes(block, steps, 5), x + c + 160);
        sum = add_products(sum, q6_k_lanes(block, steps, 6), x + c + 192);
        sum = add_products(sum, q6_k_lanes(block, steps, 7), x + c + 224);
    }
    return lanes_fold(sum);
}

TERN_INLINE void one_token(const tern_float_matrix *w, const float *x, int64_t row_begin, int64_t row_end, float *y,
                           bool prefetch) {
    for (int64_t row = row_begin; row < row_end; row++) {
        y[row] = w->type == TERN_Q8_0 ? q8_0_times_token(w, row, x, prefetch) : q6_k_times_token(w, row, x, prefetch);
    }
}

void tern_avx2_blocks_one_token(const tern_float_matrix *w, const float *x, int64_t row_begin, int64_t row_end,
                                float *y, bool prefetch) {
    if (prefetch) {
        one_token(w, x, row_begin, row_end, y, true);
    } else {
        one_token(w, x, row_begin, row_end, y, false);
    }
}

/* Asks for what lies `ahead` elements after `count` others: the same columns of a row of the next tile. Four rows read
 * in pieces are four streams, which a hardware prefetcher follows badly (Q6_K from memory, two tokens, Zen 4 EPYC: 17.7
 * ms without, 6.1 to 6.5 with). */
TERN_INLINE void prefetch_blocks(const void *values, int32_t type, int64_t at, int64_t count, int64_t ahead) {
    const int64_t columns = type == TERN_Q8_0 ? Q8_0_COLUMNS : Q6_K_COLUMNS;
    const int64_t bytes = type == TERN_Q8_0 ? Q8_0_BYTES : Q6_K_BYTES;
    const uintptr_t first = (uintptr_t)values + (uintptr_t)((at + ahead) / columns * bytes);
    for (int64_t line = 0; line < count / columns * bytes; line += 64) {
        _mm_prefetch((const char *)(first + (uintptr_t)line), _MM_HINT_T0);
    }
}

enum { BATCH = 48 }; /* tokens; a multiple of TILE_TOKENS */

/* `rows` (1 or 4) rows from `row` on, times up to BATCH tokens. */
TERN_INLINE void rows_times_tokens(int rows, const tern_float_matrix *w, int64_t row, const float *x, int64_t x_stride,
                                   int64_t tokens, float *y, int64_t y_stride) {
    float wide[TILE_ROWS * STRETCH];
    lanes32 sums[BATCH / TILE_TOKENS][TILE_ROWS][TILE_TOKENS];
    for (int64_t t = 0; t < tokens; t += TILE_TOKENS) {
        for (int r = 0; r < rows; r++) {
            for (int j = 0; j < TILE_TOKENS; j++) {
                sums[t / TILE_TOKENS][r][j] = lanes_zero();
            }
        }
    }
    for (int64_t c = 0; c < w->cols; c += STRETCH) {
        const int64_t count = c + STRETCH < w->cols ? STRETCH : w->cols - c;
        for (int r = 0; r < rows; r++) {
            const int64_t at = (row + r) * w->stride + c;
            prefetch_blocks(w->values, w->type, at, count, rows * w->stride);
            widen_blocks(w->values, w->type, at, count, wide + r * STRETCH);
        }
        for (int64_t t = 0; t < tokens; t += TILE_TOKENS) {
            const float *from = x + t * x_stride + c;
            lanes32(*tile)[TILE_TOKENS] = sums[t / TILE_TOKENS];
            switch (tokens - t) {
            case 1: add_stretch(rows, 1, wide, TERN_F32, 0, STRETCH, from, x_stride, count, tile); break;
            case 2: add_stretch(rows, 2, wide, TERN_F32, 0, STRETCH, from, x_stride, count, tile); break;
            default: add_stretch(rows, TILE_TOKENS, wide, TERN_F32, 0, STRETCH, from, x_stride, count, tile); break;
            }
        }
    }
    for (int64_t t = 0; t < tokens; t++) {
        for (int r = 0; r < rows; r++) {
            y[t * y_stride + row + r] = lanes_fold(sums[t / TILE_TOKENS][r][t % TILE_TOKENS]);
        }
    }
}

void tern_avx2_blocks_many_tokens(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                                  int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    for (int64_t t = 0; t < tokens; t += BATCH) {
        const int64_t batch = t + BATCH < tokens ? BATCH : tokens - t;
        int64_t row = row_begin;
        for (; row + TILE_ROWS <= row_end; row += TILE_ROWS) {
            rows_times_tokens(TILE_ROWS, w, row, x + t * x_stride, x_stride, batch, y + t * y_stride, y_stride);
        }
        for (; row < row_end; row++) {
            rows_times_tokens(1, w, row, x + t * x_stride, x_stride, batch, y + t * y_stride, y_stride);
        }
    }
}

void tern_avx2_blocks_row(const tern_float_matrix *m, int64_t row, float *y) {
    widen_blocks(m->values, m->type, row * m->stride, m->cols, y);
}
