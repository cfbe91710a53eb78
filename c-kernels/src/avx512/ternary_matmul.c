/*
 * ternary_matmul.c, AVX-512 with VNNI: packed ternary weights times int8 activations.
 *
 * Rows in the layout of I2_S, as they lie in a mapped file, are left to AVX2 for few tokens, which waits for memory
 * anyhow. For more, 32 rows at a time become a panel first: that costs what a twentieth of the products of 128 tokens
 * does, and the products are half again as fast.
 */
#include "panels.h"
#include "tiers.h"
#include "x86_features.h"

/* The sums of one token are up to 64 times too large (panels_one.c): 65,536 for a group of 16 columns. */
static bool one_token_fits(const tern_ternary_matrix *w) {
    return w->cols < 16 * (INT32_MAX / 65536);
}

void tern_avx512_ternary_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout == TERN_ROWS) {
        if (tokens <= FEW_TOKENS) {
            tern_avx2_ternary_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
            return;
        }
        for (int64_t row = row_begin; row < row_end; row += TERN_PANEL_ROWS) {
            tern_avx512_panel_times_many(w, row, a, tokens, row_begin, row_end, y, y_stride);
        }
        return;
    }
    if (w->layout == TERN_PANELS_MIXED) {
        tern_avx512_mixed_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
        return;
    }
    const bool prefetch = tern_prefetch_pays();
    const int64_t end = (row_end + TERN_PANEL_ROWS - 1) / TERN_PANEL_ROWS;
    for (int64_t panel = row_begin / TERN_PANEL_ROWS; row_begin < row_end && panel < end; panel++) {
        if (tokens == 1 && one_token_fits(w)) {
            tern_avx512_panel_times_1(w, panel, a, row_begin, row_end, y, prefetch);
        } else if (tokens > 1 && tokens <= FEW_TOKENS) {
            tern_avx512_panel_times_few(w, panel, a, tokens, row_begin, row_end, y, y_stride);
        } else {
            tern_avx512_panel_times_many(w, panel * TERN_PANEL_ROWS, a, tokens, row_begin, row_end, y, y_stride);
        }
    }
}
