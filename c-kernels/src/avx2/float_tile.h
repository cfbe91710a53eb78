/*
 * float_tile.h: a tile of rows times tokens over a stretch of columns, and the functions for matrices of blocks.
 */
#ifndef TERN_AVX2_FLOAT_TILE_H
#define TERN_AVX2_FLOAT_TILE_H

#include "lanes.h"

#include <stdbool.h>

enum { TILE_ROWS = 4, TILE_TOKENS = 3, STRETCH = 512 };

/*
 * Adds `count` columns, a whole number of 32s, to the sums of a tile. Row r's weights are elements at + r * stride ..
 * of `values`, token t's activations begin at x + t * x_stride.
 */
TERN_INLINE void add_stretch(int rows, int tokens, const void *values, int32_t type, int64_t at, int64_t stride,
                             const float *x, int64_t x_stride, int64_t count, lanes32 sums[TILE_ROWS][TILE_TOKENS]) {
    for (int j = 0; j < 4; j++) {
        __m256 part[TILE_ROWS][TILE_TOKENS];
        for (int r = 0; r < rows; r++) {
            for (int t = 0; t < tokens; t++) {
                part[r][t] = sums[r][t].part[j];
            }
        }
        for (int64_t c = 8 * j; c < count; c += 32) {
            __m256 v[TILE_TOKENS];
            for (int t = 0; t < tokens; t++) {
                v[t] = _mm256_loadu_ps(x + t * x_stride + c);
            }
            for (int r = 0; r < rows; r++) {
                const __m256 weight = load_8(values, type, at + r * stride + c);
                for (int t = 0; t < tokens; t++) {
                    part[r][t] = _mm256_fmadd_ps(weight, v[t], part[r][t]);
                }
            }
        }
        for (int r = 0; r < rows; r++) {
            for (int t = 0; t < tokens; t++) {
                sums[r][t].part[j] = part[r][t];
            }
        }
    }
}

/* float_matmul for several tokens, and float_row, of Q8_0 and Q6_K. */
void tern_avx2_blocks_many_tokens(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                                  int64_t row_begin, int64_t row_end, float *y, int64_t y_stride);

void tern_avx2_blocks_row(const tern_float_matrix *m, int64_t row, float *y);

#endif /* TERN_AVX2_FLOAT_TILE_H */
