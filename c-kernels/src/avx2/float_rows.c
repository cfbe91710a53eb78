/*
 * float_rows.c, AVX2: listed rows of a float matrix times the tokens each has: what a screen leaves of the head.
 *
 * No hardware prefetcher knows where the next listed row lies: it is asked for some rows ahead. A row's weights are
 * widened once for neighbouring tokens, where float_matmul does so.
 */
#include "listed_prefetch.h"
#include "listed_rows.h"
#include "one_token.h"
#include "tiers.h"

enum { ROWS_AHEAD = 4, WALKS_AHEAD = 64 };

/* What comes after a row in memory is not wanted. */
static void neighbours(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens, int64_t row_begin,
                       int64_t row_end, float *y, int64_t y_stride) {
    if (tokens == 1) {
        tern_avx2_float_one_token(w, x, row_begin, row_end, y, false);
    } else {
        tern_avx2_float_matmul(w, x, x_stride, tokens, row_begin, row_end, y, y_stride);
    }
}

void tern_avx2_float_matmul_rows(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                                 const int32_t *rows, const uint32_t *masks, int64_t count, float *y,
                                 int64_t y_stride) {
    (void)tokens;
    for (int64_t i = 0; i < count && i < WALKS_AHEAD; i++) {
        ask_for_ends(w, rows[i]);
    }
    for (int64_t i = 0; i < count && i < ROWS_AHEAD; i++) {
        ask_for_row(w, rows[i]);
    }
    for (int64_t i = 0; i < count; i++) {
        if (i + WALKS_AHEAD < count) {
            ask_for_ends(w, rows[i + WALKS_AHEAD]);
        }
        if (i + ROWS_AHEAD < count) {
            ask_for_row(w, rows[i + ROWS_AHEAD]);
        }
        listed_row(neighbours, w, x, x_stride, rows[i], masks[i], y, y_stride);
    }
}
