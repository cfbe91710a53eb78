/*
 * float_matmul.c, AVX2: float matrices, that is the embedding and the head. Those of blocks are float_blocks.c's.
 *
 * A dot product has four registers of lanes, and their order is fixed. One token: one row after the other, so that the
 * matrix is read in one stream from front to back; four independent sums already keep up with memory (two rows side by
 * side were two streams, and half as fast on Zen 4). Several tokens: a tile of 4 rows x 3 tokens takes one of the four
 * parts after the other, each part over a stretch of columns that stays in L1, so that twelve sums live in registers
 * and every widened weight is used three times.
 */
#include "float_tile.h"
#include "lanes.h"
#include "one_token.h"
#include "tiers.h"
#include "x86_features.h"

TERN_INLINE float row_times_token(const tern_float_matrix *w, int32_t type, int64_t row, const float *x,
                                  const lanes32 *x_tail, bool prefetch) {
    lanes32 sum = lanes_zero();
    const int64_t at = row * w->stride;
    const int64_t size = type == TERN_F32 ? 4 : 2;
    int64_t c = 0;
    for (; c + 32 <= w->cols; c += 32) {
        for (int64_t line = 0; prefetch && line < 32 * size; line += 64) {
            prefetch_ahead_of((const char *)w->values + (at + c) * size + line);
        }
        for (int j = 0; j < 4; j++) {
            const __m256 weight = load_8(w->values, type, at + c + 8 * j);
            sum.part[j] = _mm256_fmadd_ps(weight, _mm256_loadu_ps(x + c + 8 * j), sum.part[j]);
        }
    }
    if (c < w->cols) {
        const lanes32 weights = load_partial_32(w->values, type, at + c, w->cols - c);
        for (int j = 0; j < 4; j++) {
            sum.part[j] = _mm256_fmadd_ps(weights.part[j], x_tail->part[j], sum.part[j]);
        }
    }
    return lanes_fold(sum);
}

TERN_INLINE void one_token(const tern_float_matrix *w, int32_t type, const float *x, int64_t row_begin, int64_t row_end,
                           float *y, bool prefetch) {
    const int64_t whole = w->cols / 32 * 32;
    const lanes32 x_tail = load_partial_32(x, TERN_F32, whole, w->cols - whole);
    for (int64_t row = row_begin; row < row_end; row++) {
        y[row] = row_times_token(w, type, row, x, &x_tail, prefetch);
    }
}

TERN_INLINE void one_token_of_type(const tern_float_matrix *w, const float *x, int64_t row_begin, int64_t row_end,
                                   float *y, bool prefetch) {
    switch (w->type) {
    case TERN_F16: one_token(w, TERN_F16, x, row_begin, row_end, y, prefetch); break;
    case TERN_BF16: one_token(w, TERN_BF16, x, row_begin, row_end, y, prefetch); break;
    default: one_token(w, TERN_F32, x, row_begin, row_end, y, prefetch); break;
    }
}

void tern_avx2_float_one_token(const tern_float_matrix *w, const float *x, int64_t row_begin, int64_t row_end, float *y,
                               bool prefetch) {
    if (w->type == TERN_Q8_0 || w->type == TERN_Q6_K) {
        tern_avx2_blocks_one_token(w, x, row_begin, row_end, y, prefetch);
    } else if (prefetch) {
        one_token_of_type(w, x, row_begin, row_end, y, true);
    } else {
        one_token_of_type(w, x, row_begin, row_end, y, false);
    }
}

TERN_INLINE void tile(int rows, int tokens, const tern_float_matrix *w, int32_t type, int64_t row, const float *x,
                      int64_t x_stride, float *y, int64_t y_stride) {
    lanes32 sums[TILE_ROWS][TILE_TOKENS];
    for (int r = 0; r < rows; r++) {
        for (int t = 0; t < tokens; t++) {
            sums[r][t] = lanes_zero();
        }
    }
    const int64_t whole = w->cols / 32 * 32;
    for (int64_t c = 0; c < whole; c += STRETCH) {
        const int64_t count = c + STRETCH < whole ? STRETCH : whole - c;
        add_stretch(rows, tokens, w->values, type, row * w->stride + c, w->stride, x + c, x_stride, count, sums);
    }
    for (int r = 0; r < rows; r++) {
        lanes32 weights = lanes_zero();
        if (whole < w->cols) {
            weights = load_partial_32(w->values, type, (row + r) * w->stride + whole, w->cols - whole);
        }
        for (int t = 0; t < tokens; t++) {
            if (whole < w->cols) {
                const lanes32 v = load_partial_32(x + t * x_stride, TERN_F32, whole, w->cols - whole);
                for (int j = 0; j < 4; j++) {
                    sums[r][t].part[j] = _mm256_fmadd_ps(weights.part[j], v.part[j], sums[r][t].part[j]);
                }
            }
            y[t * y_stride + row + r] = lanes_fold(sums[r][t]);
        }
    }
}

TERN_INLINE void several_tokens(int tokens, const tern_float_matrix *w, int32_t type, int64_t row_begin,
                                int64_t row_end, const float *x, int64_t x_stride, float *y, int64_t y_stride) {
    int64_t row = row_begin;
    for (; row + TILE_ROWS <= row_end; row += TILE_ROWS) {
        tile(TILE_ROWS, tokens, w, type, row, x, x_stride, y, y_stride);
    }
    for (; row < row_end; row++) {
        tile(1, tokens, w, type, row, x, x_stride, y, y_stride);
    }
}

/* Rows in blocks that stay in L2 (64 rows of 2560 F16 weights are 320 KiB) while the tokens pass by. */
TERN_INLINE void many_tokens(const tern_float_matrix *w, int32_t type, const float *x, int64_t x_stride, int64_t tokens,
                             int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    const int64_t block = 64;
    for (int64_t first = row_begin; first < row_end; first += block) {
        const int64_t end = first + block < row_end ? first + block : row_end;
        for (int64_t t = 0; t < tokens; t += TILE_TOKENS) {
            const float *from = x + t * x_stride;
            float *to = y + t * y_stride;
            switch (tokens - t) {
            case 1: several_tokens(1, w, type, first, end, from, x_stride, to, y_stride); break;
            case 2: several_tokens(2, w, type, first, end, from, x_stride, to, y_stride); break;
            default: several_tokens(TILE_TOKENS, w, type, first, end, from, x_stride, to, y_stride); break;
            }
        }
    }
}

void tern_avx2_float_matmul(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                            int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (tokens == 1) {
        tern_avx2_float_one_token(w, x, row_begin, row_end, y, tern_prefetch_pays());
        return;
    }
    switch (w->type) {
    case TERN_F16: many_tokens(w, TERN_F16, x, x_stride, tokens, row_begin, row_end, y, y_stride); break;
    case TERN_BF16: many_tokens(w, TERN_BF16, x, x_stride, tokens, row_begin, row_end, y, y_stride); break;
    case TERN_Q8_0:
    case TERN_Q6_K: tern_avx2_blocks_many_tokens(w, x, x_stride, tokens, row_begin, row_end, y, y_stride); break;
    default: many_tokens(w, TERN_F32, x, x_stride, tokens, row_begin, row_end, y, y_stride); break;
    }
}

TERN_INLINE void widen_row(const void *values, int32_t type, int64_t at, int64_t cols, float *y) {
    int64_t c = 0;
    for (; c + 8 <= cols; c += 8) {
        _mm256_storeu_ps(y + c, load_8(values, type, at + c));
    }
    if (c < cols) {
        const lanes32 tail = load_partial_32(values, type, at + c, cols - c);
        _mm256_maskstore_ps(y + c, first_of_8(cols - c), tail.part[0]);
    }
}

void tern_avx2_float_row(const tern_float_matrix *m, int64_t row, float *y) {
    const int64_t at = row * m->stride;
    switch (m->type) {
    case TERN_F16: widen_row(m->values, TERN_F16, at, m->cols, y); break;
    case TERN_BF16: widen_row(m->values, TERN_BF16, at, m->cols, y); break;
    case TERN_Q8_0:
    case TERN_Q6_K: tern_avx2_blocks_row(m, row, y); break;
    default: widen_row(m->values, TERN_F32, at, m->cols, y); break;
    }
}
