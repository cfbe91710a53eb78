/*
 * ternary_matmul.c, AVX-VNNI: which way a product takes. Rows and mixed panels are left to AVX2.
 */
#include "panels.h"
#include "tiers.h"
#include "x86_features.h"

/* Two bits are decoded in registers however many tokens there are: a shift and an and for six products. Digits of five
 * trits take six instructions, which it pays to make once for more than a dozen tokens. (Gop/s of one thread of a Zen 4
 * EPYC, 2560 x 2560, 128 tokens: two bits 419 decoded and 380 unpacked, five trits 311 and 382; 12 tokens: 325 and
 * 317.) */
enum { TOKENS_OF_DIGITS = 12 };

void tern_avxvnni_ternary_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                 int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout == TERN_ROWS || w->layout == TERN_PANELS_MIXED) {
        tern_avx2_ternary_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
    } else if (w->layout == TERN_PANELS_2BIT || tokens <= TOKENS_OF_DIGITS) {
        tern_avxvnni_decoded(w, a, tokens, row_begin, row_end, y, y_stride, tern_prefetch_pays());
    } else {
        tern_avxvnni_unpacked(w, a, tokens, row_begin, row_end, y, y_stride);
    }
}
