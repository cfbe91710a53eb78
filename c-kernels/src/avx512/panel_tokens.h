/*
 * panel_tokens.h: the rows of a panel times one token, with and without software prefetch, a few, and any number.
 * ternary_matmul chooses by tern_prefetch_pays(); the functions stand here so that the tests reach both ways on any
 * machine.
 */
#ifndef TERN_AVX512_PANEL_TOKENS_H
#define TERN_AVX512_PANEL_TOKENS_H

#include "tern_kernels.h"

#include <stdbool.h>

/* The rows of a panel within [row_begin, row_end) times one token, or 2 to FEW_TOKENS. */
enum { FEW_TOKENS = 8 };
void tern_avx512_panel_times_1(const tern_ternary_matrix *w, int64_t panel, const tern_activations *a,
                               int64_t row_begin, int64_t row_end, float *y, bool prefetch);
void tern_avx512_panel_times_few(const tern_ternary_matrix *w, int64_t panel, const tern_activations *a, int64_t tokens,
                                 int64_t row_begin, int64_t row_end, float *y, int64_t y_stride);

/* Any rows of TERN_PANELS_MIXED times any number of tokens. */
void tern_avx512_mixed_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                              int64_t row_begin, int64_t row_end, float *y, int64_t y_stride);

/* The 32 rows from `row` on times any number of tokens; also of TERN_ROWS, where `row` may be any. */
void tern_avx512_panel_times_many(const tern_ternary_matrix *w, int64_t row, const tern_activations *a, int64_t tokens,
                                  int64_t row_begin, int64_t row_end, float *y, int64_t y_stride);

#endif /* TERN_AVX512_PANEL_TOKENS_H */
