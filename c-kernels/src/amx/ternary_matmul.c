/*
 * ternary_matmul.c, AMX: panels times a batch go through tiles, all else is left to AVX-512.
 */
#include "panels.h"
#include "tiers.h"

/* From how many tokens on: below, unpacking the codes costs more than the products save. */
enum { FEWEST_TOKENS = 16 };

void tern_amx_ternary_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                             int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout == TERN_ROWS || w->layout == TERN_PANELS_MIXED || tokens < FEWEST_TOKENS || row_begin >= row_end) {
        tern_avx512_ternary_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
    } else {
        tern_amx_panels(w, a, tokens, row_begin, row_end, y, y_stride);
    }
}
