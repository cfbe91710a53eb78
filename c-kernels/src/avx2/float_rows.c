/*
 * float_rows.c, AVX2: listed rows of a float matrix times the tokens each has: what a screen leaves of the head.
 *
 * No hardware prefetcher knows where the next listed row lies: it is asked for some rows ahead. A row's weights are
 * widened once for neighbouring tokens, where float_matmul does so.
 */
#include "float_blocks.h"
#include "lanes.h"
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

/* Inlined always: a function of nothing but prefetches is one without effects to a compiler, which may leave it out. */
TERN_INLINE void ask_for(const tern_float_matrix *w, int64_t row) {
    const int64_t bytes = stored_bytes(w->type, w->cols);
    const uintptr_t at = (uintptr_t)w->values + (uintptr_t)stored_bytes(w->type, row * w->stride);
    for (int64_t line = 0; line < bytes; line += 64) {
        _mm_prefetch((const char *)(at + (uintptr_t)line), _MM_HINT_T1);
    }
}

/* The two ends of a row, so that the page tables have been walked when the rest is asked for. */
TERN_INLINE void ask_for_ends(const tern_float_matrix *w, int64_t row) {
    const uintptr_t at = (uintptr_t)w->values + (uintptr_t)stored_bytes(w->type, row * w->stride);
    _mm_prefetch((const char *)at, _MM_HINT_T1);
    _mm_prefetch((const char *)(at + (uintptr_t)stored_bytes(w->type, w->cols) - 1), _MM_HINT_T1);
}

void tern_avx2_float_matmul_rows(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                                 const int32_t *rows, const uint32_t *masks, int64_t count, float *y,
                                 int64_t y_stride) {
    (void)tokens;
    for (int64_t i = 0; i < count && i < WALKS_AHEAD; i++) {
        ask_for_ends(w, rows[i]);
    }
    for (int64_t i = 0; i < count && i < ROWS_AHEAD; i++) {
        ask_for(w, rows[i]);
    }
    for (int64_t i = 0; i < count; i++) {
        if (i + WALKS_AHEAD < count) {
            ask_for_ends(w, rows[i + WALKS_AHEAD]);
        }
        if (i + ROWS_AHEAD < count) {
            ask_for(w, rows[i + ROWS_AHEAD]);
        }
        listed_row(neighbours, w, x, x_stride, rows[i], masks[i], y, y_stride);
    }
}
