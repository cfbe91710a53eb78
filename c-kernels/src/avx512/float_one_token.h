/*
 * float_one_token.h: a float matrix times one token, with and without software prefetch. float_matmul chooses by
 * tern_prefetch_pays(); the functions stand here so that the tests reach both ways on any machine.
 */
#ifndef TERN_AVX512_FLOAT_ONE_TOKEN_H
#define TERN_AVX512_FLOAT_ONE_TOKEN_H

#include "tern_kernels.h"

#include <stdbool.h>

void tern_avx512_float_one_token(const tern_float_matrix *w, const float *x, int64_t row_begin, int64_t row_end,
                                 float *y, bool prefetch);

/* The same for Q6_K; tern_avx512_float_one_token passes it on. */
void tern_avx512_q6_k_one_token(const tern_float_matrix *w, const float *x, int64_t row_begin, int64_t row_end,
                                float *y, bool prefetch);

#endif /* TERN_AVX512_FLOAT_ONE_TOKEN_H */
