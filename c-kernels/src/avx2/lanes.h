/*
 * lanes.h: the 32-lane float sum, loads of float types and exp on AVX2, to the bit what scalar/floats.h defines.
 *
 * The 32 lanes are four registers: lane j is element j mod 8 of register j / 8. Adding registers 0 + 2 and 1 + 3 is the
 * fold by 16, adding those two the fold by 8; the folds by 4, 2 and 1 stay inside one register.
 */
#ifndef TERN_AVX2_LANES_H
#define TERN_AVX2_LANES_H

#include "tern_kernels.h"

#include <immintrin.h>
#include <string.h>

#define TERN_INLINE static inline __attribute__((always_inline))

typedef struct lanes32 {
    __m256 part[4];
} lanes32;

TERN_INLINE lanes32 lanes_zero(void) {
    const __m256 zero = _mm256_setzero_ps();
    return (lanes32){{zero, zero, zero, zero}};
}

/* The folds by 16 and by 8. */
TERN_INLINE __m256 lanes_fold_to_8(lanes32 sum) {
    return _mm256_add_ps(_mm256_add_ps(sum.part[0], sum.part[2]), _mm256_add_ps(sum.part[1], sum.part[3]));
}

/* The folds by 4, 2 and 1. */
TERN_INLINE float fold_8(__m256 v) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    s = _mm_add_ss(s, _mm_movehdup_ps(s));
    return _mm_cvtss_f32(s);
}

TERN_INLINE float lanes_fold(lanes32 sum) {
    return fold_8(lanes_fold_to_8(sum));
}

/* Elements [i, i + 8) of an array of a tern_float_type, widened exactly. `type` is a constant where this is inlined. */
TERN_INLINE __m256 load_8(const void *values, int32_t type, int64_t i) {
    if (type == TERN_F16) {
        return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)((const uint16_t *)values + i)));
    }
    if (type == TERN_BF16) {
        const __m128i half = _mm_loadu_si128((const __m128i *)((const uint16_t *)values + i));
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
    }
    return _mm256_loadu_ps((const float *)values + i);
}

/* Elements [i, i + count) for a count below 32, and zeros after them: the partial group at the end of a sum. */
TERN_INLINE lanes32 load_partial_32(const void *values, int32_t type, int64_t i, int64_t count) {
    union {
        float f32[32];
        uint16_t f16[32];
    } group;
    memset(&group, 0, sizeof group);
    if (type == TERN_F32) {
        memcpy(group.f32, (const float *)values + i, (size_t)count * sizeof(float));
    } else {
        memcpy(group.f16, (const uint16_t *)values + i, (size_t)count * sizeof(uint16_t));
    }
    return (lanes32){
        {load_8(&group, type, 0), load_8(&group, type, 8), load_8(&group, type, 16), load_8(&group, type, 24)}};
}

/* A mask for maskload and maskstore: the first `count` of 8 elements, 0 <= count <= 8. */
TERN_INLINE __m256i first_of_8(int64_t count) {
    const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)count), index);
}

/* exp of tern_kernels.h, eight at a time. Lanes that the comparison with -87 turns to zero (NaNs among them) may hold
 * anything before that: the comparison is the last word. */
TERN_INLINE __m256 exp_8(__m256 x) {
    const __m256 in_range = _mm256_cmp_ps(x, _mm256_set1_ps(-87.0f), _CMP_GT_OQ);
    x = _mm256_min_ps(x, _mm256_set1_ps(88.0f));
    const __m256 n =
        _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-0.693359375f), x);
    r = _mm256_fmadd_ps(n, _mm256_set1_ps(2.12194440e-4f), r);
    __m256 p = _mm256_set1_ps(1.9875691500e-4f);
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.3981999507e-3f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(8.3334519073e-3f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(4.1665795894e-2f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.6666665459e-1f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(5.0000001201e-1f));
    p = _mm256_add_ps(_mm256_fmadd_ps(p, _mm256_mul_ps(r, r), r), _mm256_set1_ps(1.0f));
    const __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_and_ps(_mm256_mul_ps(p, _mm256_castsi256_ps(exponent)), in_range);
}

#endif /* TERN_AVX2_LANES_H */
