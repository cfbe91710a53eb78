/*
 * lanes.h: the 32-lane float sum, loads of float types and exp on AVX-512, to the bit what scalar/floats.h defines.
 *
 * The 32 lanes are two registers, and adding them is the fold by 16.
 */
#ifndef TERN_AVX512_LANES_H
#define TERN_AVX512_LANES_H

#include "float_blocks.h"
#include "tern_kernels.h"

#include <immintrin.h>
#include <string.h>

#define TERN_INLINE static inline __attribute__((always_inline))

/* A mask of the first `count` of 16 elements; of all where count is larger, of none where it is negative. */
TERN_INLINE __mmask16 first_of_16(int64_t count) {
    return (__mmask16)(count >= 16 ? 0xffff : count <= 0 ? 0 : (1 << count) - 1);
}

/* Elements [i, i + 16) of an array of F16 or F32, widened exactly. `type` is a constant where this is inlined. */
TERN_INLINE __m512 load_16(const void *values, int32_t type, int64_t i) {
    if (type == TERN_F16) {
        return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)((const uint16_t *)values + i)));
    }
    return _mm512_loadu_ps((const float *)values + i);
}

/* The 32 lanes of a sum. */
typedef struct lanes32 {
    __m512 half[2];
} lanes32;

/* Elements [i, i + 32), in Q8_0 a block. */
TERN_INLINE lanes32 load_32(const void *values, int32_t type, int64_t i) {
    if (type == TERN_Q8_0) {
        const uint8_t *block = q8_0_block(values, i);
        uint16_t bits;
        memcpy(&bits, block, sizeof bits);
        const __m512 d = _mm512_cvtph_ps(_mm256_set1_epi16((short)bits));
        const __m128i *q = (const __m128i *)(block + Q8_0_VALUES);
        return (lanes32){{_mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(q)))),
                          _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(q + 1))))}};
    }
    return (lanes32){{load_16(values, type, i), load_16(values, type, i + 16)}};
}

/* The first `count` of 16 elements of F16 or F32, and zeros. */
TERN_INLINE __m512 load_first_of_16(const void *values, int32_t type, int64_t i, int64_t count) {
    if (type == TERN_F16) {
        return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_of_16(count), (const uint16_t *)values + i));
    }
    return _mm512_maskz_loadu_ps(first_of_16(count), (const float *)values + i);
}

/* The folds by 8, 4, 2 and 1. */
TERN_INLINE float fold_16(__m512 v) {
    const __m256 by_8 = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(by_8), _mm256_extractf128_ps(by_8, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    s = _mm_add_ss(s, _mm_movehdup_ps(s));
    return _mm_cvtss_f32(s);
}

/* exp of tern_kernels.h, sixteen at a time. Lanes that the comparison with -87 turns to zero (NaNs among them) may hold
 * anything before that. */
TERN_INLINE __m512 exp_16(__m512 x) {
    const __mmask16 in_range = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-87.0f), _CMP_GT_OQ);
    x = _mm512_min_ps(x, _mm512_set1_ps(88.0f));
    const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)),
                                          _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-0.693359375f), x);
    r = _mm512_fmadd_ps(n, _mm512_set1_ps(2.12194440e-4f), r);
    __m512 p = _mm512_set1_ps(1.9875691500e-4f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.3981999507e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.3334519073e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.1665795894e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.6666665459e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.0000001201e-1f));
    p = _mm512_add_ps(_mm512_fmadd_ps(p, _mm512_mul_ps(r, r), r), _mm512_set1_ps(1.0f));
    const __m512i exponent = _mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23);
    return _mm512_maskz_mul_ps(in_range, p, _mm512_castsi512_ps(exponent));
}

#endif /* TERN_AVX512_LANES_H */
