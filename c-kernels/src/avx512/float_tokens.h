/*
 * float_tokens.h: a float matrix times some tokens, few enough that their sums over a row live in registers.
 */
#ifndef TERN_AVX512_FLOAT_TOKENS_H
#define TERN_AVX512_FLOAT_TOKENS_H

#include "tern_kernels.h"

/* Tokens whose sums, two registers each, leave room for the weights. */
enum { TERN_AVX512_TOKENS = 8 };

/* y for 2 to TERN_AVX512_TOKENS tokens, of a matrix of Q8_0 or Q6_K. */
void tern_avx512_blocks_tokens(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                               int64_t row_begin, int64_t row_end, float *y, int64_t y_stride);

/* y for TERN_AVX512_TOKENS tokens, of a matrix of F32, F16 or BF16. */
void tern_avx512_floats_8_tokens(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t row_begin,
                                 int64_t row_end, float *y, int64_t y_stride);

#endif /* TERN_AVX512_FLOAT_TOKENS_H */
