/*
 * q6_k_one_token.c, AVX-512 in 256-bit registers: a matrix of Q6_K times one token. For most models this is the head, a
 * third of what a token reads. How is told in q6_k_ordered.h.
 *
 * A row is read as one stream; two rows side by side took four times as long from memory (Zen 4).
 *
 * On Zen 4 the core is the limit, not memory: 1.77 ns for 32 weights from L2, 1.84 from memory. There no faster, though
 * fewer operations: bytes brought to their places by shuffles that merge into 128 (1.82 to 2.0), 16 columns a register
 * by VBMI's permutations (2.1), two rows far apart that share the activations (1.9).
 */
#include "avx2/one_token.h"
#include "float_one_token.h"
#include "q6_k_ordered.h"

enum { AHEAD = 4096 }; /* bytes, as of prefetch_ahead_of */

TERN_INLINE void rows_times_token(const tern_float_matrix *w, const float *x, const float *ordered, int64_t row_begin,
                                  int64_t row_end, float *y, bool prefetch) {
    const uint8_t *at = q6_k_block(w->values, row_begin * w->stride);
    q6_k_begun begun = q6_k_begin(at);
    for (int64_t row = row_begin; row < row_end; row++) {
        const uint8_t *next = q6_k_block(w->values, (row + (row + 1 < row_end)) * w->stride);
        unsigned bad = 0;
        y[row] = q6_k_row(&begun, at, next, w->cols, ordered, prefetch ? ASK_INTO_L1 : ASK_NOTHING, AHEAD, &bad);
        if (bad) {
            tern_avx2_blocks_one_token(w, x, row, row + 1, y, false);
        }
        at = next;
    }
}

void tern_avx512_q6_k_one_token(const tern_float_matrix *w, const float *x, int64_t row_begin, int64_t row_end,
                                float *y, bool prefetch) {
    float ordered[Q6_K_MOST_ORDERED] __attribute__((aligned(64)));
    if (row_begin >= row_end) {
        return;
    }
    if (w->cols > Q6_K_MOST_ORDERED || !order_columns(x, w->cols, ordered)) {
        tern_avx2_blocks_one_token(w, x, row_begin, row_end, y, prefetch);
    } else if (prefetch) {
        rows_times_token(w, x, ordered, row_begin, row_end, y, true);
    } else {
        rows_times_token(w, x, ordered, row_begin, row_end, y, false);
    }
}
