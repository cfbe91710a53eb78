/*
 * float_columns.h: 32 neighbouring columns of a row of any tern_float_type, widened exactly into the 32 lanes of a sum.
 *
 * Products of step and code are exact, so that they are those of the scalar tier whatever their order.
 */
#ifndef TERN_AVX512_FLOAT_COLUMNS_H
#define TERN_AVX512_FLOAT_COLUMNS_H

#include "float_blocks.h"
#include "float_lanes.h"

/* The fp16 at any address, in all elements. */
TERN_INLINE __m512 broadcast_half(const uint8_t *at) {
    int16_t bits;
    memcpy(&bits, at, sizeof bits);
    return _mm512_cvtph_ps(_mm256_set1_epi16(bits));
}

/* Sixteen signed bytes as floats. */
TERN_INLINE __m512 floats_of_16(__m128i bytes) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
}

/* d * scale for each 16 columns of a block of Q6_K. */
TERN_INLINE __m512 q6_k_steps_512(const uint8_t *block) {
    const __m128i scales = _mm_loadu_si128((const __m128i *)(block + Q6_K_SCALES));
    return _mm512_mul_ps(broadcast_half(block + Q6_K_D), floats_of_16(scales));
}

/*
 * The codes of 128 columns of a block of Q6_K, 32 in a register. Their upper two bits are rubbish: a shift of words
 * brings bits of the neighbour there, and the selection (a & 15 | b & ~15) lets them stand.
 */
TERN_INLINE void q6_k_codes(const uint8_t *block, int half, __m256i codes[4]) {
    const __m256i four_bits = _mm256_set1_epi8(15);
    const __m256i low0 = _mm256_loadu_si256((const __m256i *)(block + 64 * half));
    const __m256i low1 = _mm256_loadu_si256((const __m256i *)(block + 64 * half + 32));
    const __m256i high = _mm256_loadu_si256((const __m256i *)(block + Q6_K_HIGH + 32 * half));
    enum { SELECT = 0xca }; /* the second where the first has ones, the third elsewhere */
    codes[0] = _mm256_ternarylogic_epi32(four_bits, low0, _mm256_slli_epi16(high, 4), SELECT);
    codes[1] = _mm256_ternarylogic_epi32(four_bits, low1, _mm256_slli_epi16(high, 2), SELECT);
    codes[2] = _mm256_ternarylogic_epi32(four_bits, _mm256_srli_epi16(low0, 4), high, SELECT);
    codes[3] = _mm256_ternarylogic_epi32(four_bits, _mm256_srli_epi16(low1, 4), _mm256_srli_epi16(high, 2), SELECT);
}

/* 32 columns of Q6_K, from what q6_k_codes gives and their two steps. */
TERN_INLINE lanes512 q6_k_columns(__m256i codes, const float steps[2]) {
    const __m256i q = _mm256_sub_epi8(_mm256_and_si256(codes, _mm256_set1_epi8(63)), _mm256_set1_epi8(32));
    return (lanes512){{_mm512_mul_ps(_mm512_set1_ps(steps[0]), floats_of_16(_mm256_castsi256_si128(q))),
                       _mm512_mul_ps(_mm512_set1_ps(steps[1]), floats_of_16(_mm256_extracti128_si256(q, 1)))}};
}

TERN_INLINE lanes512 q8_0_columns(const uint8_t *block) {
    const __m512 d = broadcast_half(block);
    const __m128i *q = (const __m128i *)(block + Q8_0_VALUES);
    return (lanes512){
        {_mm512_mul_ps(d, floats_of_16(_mm_loadu_si128(q))), _mm512_mul_ps(d, floats_of_16(_mm_loadu_si128(q + 1)))}};
}

/* The first `count` of 16 elements from element i of an array of F32, F16 or BF16, and zeros after them. */
TERN_INLINE __m512 load_first_of_16(const void *values, int32_t type, int64_t i, int64_t count) {
    const __mmask16 mask = first_of_16(count);
    if (type == TERN_F32) {
        return _mm512_maskz_loadu_ps(mask, (const float *)values + i);
    }
    const __m256i half = _mm256_maskz_loadu_epi16(mask, (const uint16_t *)values + i);
    if (type == TERN_F16) {
        return _mm512_cvtph_ps(half);
    }
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

#endif /* TERN_AVX512_FLOAT_COLUMNS_H */
