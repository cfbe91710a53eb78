/*
 * elementwise.c, AVX2: the gates of the feed-forward block and the residual addition.
 */
#include "lanes.h"
#include "tiers.h"

/* max(gate, +0) with the operands in this order: a NaN and -0 give the second operand, as `gate > 0 ? gate : 0`. */
TERN_INLINE __m256 relu_squared_8(__m256 gate, __m256 up) {
    const __m256 g = _mm256_max_ps(gate, _mm256_setzero_ps());
    return _mm256_mul_ps(_mm256_mul_ps(g, g), up);
}

TERN_INLINE __m256 silu_8(__m256 gate, __m256 up) {
    const __m256 e = exp_8(_mm256_xor_ps(gate, _mm256_set1_ps(-0.0f)));
    return _mm256_mul_ps(_mm256_div_ps(gate, _mm256_add_ps(_mm256_set1_ps(1.0f), e)), up);
}

TERN_INLINE __m256 add_8(__m256 x, __m256 y) {
    return _mm256_add_ps(x, y);
}

/* out[i] = f(a[i], b[i]): whole registers, then one masked one. */
#define TERN_MAP_2(f, a, b, out, n)                                                                                    \
    do {                                                                                                               \
        int64_t i = 0;                                                                                                 \
        for (; i + 8 <= (n); i += 8) {                                                                                 \
            _mm256_storeu_ps((out) + i, f(_mm256_loadu_ps((a) + i), _mm256_loadu_ps((b) + i)));                        \
        }                                                                                                              \
        if (i < (n)) {                                                                                                 \
            const __m256i mask = first_of_8((n)-i);                                                                    \
            _mm256_maskstore_ps((out) + i, mask,                                                                       \
                                f(_mm256_maskload_ps((a) + i, mask), _mm256_maskload_ps((b) + i, mask)));              \
        }                                                                                                              \
    } while (0)

void tern_avx2_relu_squared_gate(const float *gate, const float *up, float *out, int64_t n) {
    TERN_MAP_2(relu_squared_8, gate, up, out, n);
}

void tern_avx2_silu_gate(const float *gate, const float *up, float *out, int64_t n) {
    TERN_MAP_2(silu_8, gate, up, out, n);
}

void tern_avx2_add(float *x, const float *y, int64_t n) {
    TERN_MAP_2(add_8, x, y, x, n);
}
