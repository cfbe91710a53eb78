/*
 * ternary_matmul.c, AVX-512 with VNNI: packed ternary weights times int8 activations.
 *
 * Rows in the layout of I2_S, as they lie in a mapped file, are left to AVX2 for few tokens, which waits for memory
 * anyhow. For more, 32 rows at a time are packed into a panel first: that costs what a twentieth of the products of 128
 * tokens does, and the products are half again as fast.
 */
#include "panels.h"
#include "tiers.h"

enum { PACKED_COLUMNS = 16384 }; /* 128 KiB of the stack */

static void rows_by_panels(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                           int64_t row_end, float *y, int64_t y_stride) {
    _Alignas(64) uint8_t codes[PACKED_COLUMNS / 16 * GROUP_BYTES];
    for (int64_t first = row_begin; first < row_end; first += TERN_PANEL_ROWS) {
        const int64_t rows = row_end - first < TERN_PANEL_ROWS ? row_end - first : TERN_PANEL_ROWS;
        const int64_t stride = (w->cols + 15) / 16 * GROUP_BYTES;
        const tern_ternary_matrix panel = {codes, rows, w->cols, stride, w->scale, TERN_PANELS_2BIT};
        tern_avx2_ternary_pack(w->codes + first * w->stride, w->stride, 0, rows, &panel);
        tern_avx512_panel_times_many(&panel, 0, a, tokens, 0, rows, y + first, y_stride);
    }
}

/* The sums of one token are up to 64 times too large (panels_one.c): 65,536 for a group of 16 columns. */
static bool one_token_fits(const tern_ternary_matrix *w) {
    return w->cols < 16 * (INT32_MAX / 65536);
}

void tern_avx512_ternary_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout == TERN_ROWS) {
        if (tokens > FEW_TOKENS && w->cols <= PACKED_COLUMNS) {
            rows_by_panels(w, a, tokens, row_begin, row_end, y, y_stride);
        } else {
            tern_avx2_ternary_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
        }
        return;
    }
    const int64_t end = (row_end + TERN_PANEL_ROWS - 1) / TERN_PANEL_ROWS;
    for (int64_t panel = row_begin / TERN_PANEL_ROWS; row_begin < row_end && panel < end; panel++) {
        if (tokens == 1 && one_token_fits(w)) {
            tern_avx512_panel_times_1(w, panel, a, row_begin, row_end, y);
        } else if (tokens > 1 && tokens <= FEW_TOKENS) {
            tern_avx512_panel_times_few(w, panel, a, tokens, row_begin, row_end, y, y_stride);
        } else {
            tern_avx512_panel_times_many(w, panel, a, tokens, row_begin, row_end, y, y_stride);
        }
    }
}
