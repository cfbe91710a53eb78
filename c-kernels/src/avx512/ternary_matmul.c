/*
 * ternary_matmul.c, AVX-512 with VNNI: packed ternary weights times int8 activations.
 *
 * Rows in the layout of I2_S are left to AVX2.
 */
#include "panels.h"
#include "tiers.h"

void tern_avx512_ternary_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout == TERN_ROWS) {
        tern_avx2_ternary_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
        return;
    }
    const int64_t end = (row_end + TERN_PANEL_ROWS - 1) / TERN_PANEL_ROWS;
    for (int64_t panel = row_begin / TERN_PANEL_ROWS; row_begin < row_end && panel < end; panel++) {
        if (tokens == 1) {
            tern_avx512_panel_times_1(w, panel, a, row_begin, row_end, y);
        } else if (tokens <= FEW_TOKENS) {
            tern_avx512_panel_times_few(w, panel, a, tokens, row_begin, row_end, y, y_stride);
        } else {
            tern_avx512_panel_times_many(w, panel, a, tokens, row_begin, row_end, y, y_stride);
        }
    }
}
