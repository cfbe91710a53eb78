/*
 * float_tokens.h: a float matrix times some tokens, few enough that their sums over a row live in registers.
 */
#ifndef TERN_AVX512_FLOAT_TOKENS_H
#define TERN_AVX512_FLOAT_TOKENS_H

#include "tern_kernels.h"

#include <stdbool.h>

/* Tokens whose sums, two registers each, leave room for the weights. */
enum { TERN_AVX512_TOKENS = 8 };

/* y for 1 to TERN_AVX512_TOKENS tokens, of a matrix of any type. */
void tern_avx512_float_tokens(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                              int64_t row_begin, int64_t row_end, float *y, int64_t y_stride, bool prefetch);

#endif /* TERN_AVX512_FLOAT_TOKENS_H */
