/*
 * one_token.h: the matrix times one token or a few, with and without software prefetch.
 *
 * This is what decoding spends its time on, and it waits for memory. The kernels ternary_matmul and float_matmul choose
 * by tern_prefetch_pays(); the functions stand here so that the tests reach both ways on any machine.
 */
#ifndef TERN_AVX2_ONE_TOKEN_H
#define TERN_AVX2_ONE_TOKEN_H

#include "tern_kernels.h"

#include <immintrin.h>
#include <stdbool.h>

/* Asks for the line that is used 4 KiB later (2 to 8 KiB measured alike on Sapphire Rapids). Past the end of the matrix
 * it is harmless: a prefetch never faults. The address is made from an integer, since no pointer may point there. */
static inline __attribute__((always_inline)) void prefetch_ahead_of(const void *at) {
    _mm_prefetch((const char *)((uintptr_t)at + 4096), _MM_HINT_T0);
}

/* y[row] for the first token of a. */
void tern_avx2_ternary_one_token(const tern_ternary_matrix *w, const tern_activations *a, int64_t row_begin,
                                 int64_t row_end, float *y, bool prefetch);

/* Of TERN_ROWS; made for 2 to 15 tokens. */
void tern_avx2_ternary_few_tokens(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                  int64_t row_begin, int64_t row_end, float *y, int64_t y_stride, bool prefetch);

void tern_avx2_float_one_token(const tern_float_matrix *w, const float *x, int64_t row_begin, int64_t row_end, float *y,
                               bool prefetch);

/* The same for Q8_0 and Q6_K; tern_avx2_float_one_token passes them on. */
void tern_avx2_blocks_one_token(const tern_float_matrix *w, const float *x, int64_t row_begin, int64_t row_end,
                                float *y, bool prefetch);

#endif /* TERN_AVX2_ONE_TOKEN_H */
