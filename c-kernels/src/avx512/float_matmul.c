/*
 * float_matmul.c, AVX-512: float matrices, that is the embedding and the head.
 *
 * One token of F32, F16 and BF16 is left to AVX2, which reads them as fast as memory gives them.
 */
#include "avx2/one_token.h"
#include "float_one_token.h"
#include "float_tokens.h"
#include "tiers.h"
#include "x86_features.h"

void tern_avx512_float_one_token(const tern_float_matrix *w, const float *x, int64_t row_begin, int64_t row_end,
                                 float *y, bool prefetch) {
    switch (w->type) {
    case TERN_Q6_K: tern_avx512_q6_k_one_token(w, x, row_begin, row_end, y, prefetch); break;
    case TERN_Q8_0: tern_avx512_float_tokens(w, x, 0, 1, row_begin, row_end, y, 0, prefetch); break;
    default: tern_avx2_float_one_token(w, x, row_begin, row_end, y, prefetch); break;
    }
}

void tern_avx512_float_matmul(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                              int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (tokens == 1) {
        tern_avx512_float_one_token(w, x, row_begin, row_end, y, tern_prefetch_pays());
        return;
    }
    for (int64_t t = 0; t < tokens; t += TERN_AVX512_TOKENS) {
        const int64_t some = tokens - t < TERN_AVX512_TOKENS ? tokens - t : TERN_AVX512_TOKENS;
        tern_avx512_float_tokens(w, x + t * x_stride, x_stride, some, row_begin, row_end, y + t * y_stride, y_stride,
                                 tern_prefetch_pays());
    }
}
