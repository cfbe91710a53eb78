/*
 * float_matmul.c, AVX-512: float matrices, that is the embedding and the head.
 *
 * One token of all types but Q6_K is left to AVX2, which reads them as fast as memory gives them to two threads; so are
 * two to seven tokens of F32, F16 and BF16, where nothing is widened that is worth sharing.
 */
#include "avx2/one_token.h"
#include "float_columns.h"
#include "float_one_token.h"
#include "float_tokens.h"
#include "tiers.h"
#include "x86_features.h"

void tern_avx512_float_one_token(const tern_float_matrix *w, const float *x, int64_t row_begin, int64_t row_end,
                                 float *y, bool prefetch) {
    if (w->type == TERN_Q6_K) {
        tern_avx512_q6_k_one_token(w, x, row_begin, row_end, y, prefetch);
    } else {
        tern_avx2_float_one_token(w, x, row_begin, row_end, y, prefetch);
    }
}

void tern_avx512_float_matmul(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                              int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    const bool blocks = w->type == TERN_Q8_0 || w->type == TERN_Q6_K;
    for (int64_t t = 0; t < tokens; t += TERN_AVX512_TOKENS) {
        const int64_t some = tokens - t < TERN_AVX512_TOKENS ? tokens - t : TERN_AVX512_TOKENS;
        const float *from = x + t * x_stride;
        float *to = y + t * y_stride;
        if (some == 1) {
            tern_avx512_float_one_token(w, from, row_begin, row_end, to, tern_prefetch_pays());
        } else if (blocks) {
            tern_avx512_blocks_tokens(w, from, x_stride, some, row_begin, row_end, to, y_stride);
        } else if (some == TERN_AVX512_TOKENS) {
            tern_avx512_floats_8_tokens(w, from, x_stride, row_begin, row_end, to, y_stride);
        } else {
            tern_avx2_float_matmul(w, from, x_stride, some, row_begin, row_end, to, y_stride);
        }
    }
}
