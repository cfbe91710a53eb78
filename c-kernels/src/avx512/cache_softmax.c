/*
 * cache_softmax.c, AVX-512: softmax.
 */
#include "lanes.h"
#include "tiers.h"

void tern_avx512_softmax(float *x, int64_t n) {
    const __m512 lowest = _mm512_set1_ps(x[0]);
    __m512 most[2] = {lowest, lowest};
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
        most[0] = _mm512_max_ps(most[0], _mm512_loadu_ps(x + i));
        most[1] = _mm512_max_ps(most[1], _mm512_loadu_ps(x + i + 16));
    }
    for (; i < n; i += 16) {
        most[0] = _mm512_max_ps(most[0], _mm512_mask_loadu_ps(lowest, first_of_16(n - i), x + i));
    }
    const __m512 m = _mm512_set1_ps(_mm512_reduce_max_ps(_mm512_max_ps(most[0], most[1])));
    __m512 sum[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    for (i = 0; i + 32 <= n; i += 32) {
        for (int j = 0; j < 2; j++) {
            const __m512 e = exp_16(_mm512_sub_ps(_mm512_loadu_ps(x + i + 16 * j), m));
            _mm512_storeu_ps(x + i + 16 * j, e);
            sum[j] = _mm512_add_ps(sum[j], e);
        }
    }
    if (i < n) {
        for (int j = 0; j < 2; j++) {
            const __mmask16 mask = first_of_16(n - i - 16 * j);
            const __m512 e = exp_16(_mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + i + 16 * j), m));
            _mm512_mask_storeu_ps(x + i + 16 * j, mask, e);
            sum[j] = _mm512_add_ps(sum[j], _mm512_maskz_mov_ps(mask, e)); /* the filling is 0, not exp(0 - m) */
        }
    }
    const __m512 f = _mm512_set1_ps(1.0f / fold_16(_mm512_add_ps(sum[0], sum[1])));
    for (i = 0; i + 16 <= n; i += 16) {
        _mm512_storeu_ps(x + i, _mm512_mul_ps(_mm512_loadu_ps(x + i), f));
    }
    if (i < n) {
        const __mmask16 mask = first_of_16(n - i);
        _mm512_mask_storeu_ps(x + i, mask, _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), f));
    }
}
