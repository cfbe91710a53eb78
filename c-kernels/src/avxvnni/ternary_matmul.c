/*
 * ternary_matmul.c, AVX-VNNI: which way a product takes. Rows are left to AVX2.
 */
#include "panels.h"
#include "tiers.h"
#include "x86_features.h"

/* Up to how many tokens codes are decoded in registers; for more it pays to unpack them into memory. */
enum { FEW_TOKENS = 4 };

void tern_avxvnni_ternary_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                 int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout == TERN_ROWS) {
        tern_avx2_ternary_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
    } else if (tokens <= FEW_TOKENS) {
        tern_avxvnni_few_tokens(w, a, tokens, row_begin, row_end, y, y_stride, tern_prefetch_pays());
    } else {
        tern_avxvnni_many_tokens(w, a, tokens, row_begin, row_end, y, y_stride);
    }
}
