/*
 * ternary_sums.h: sums of products of codes and activations on AVX2.
 *
 * The products are made with codes (T + 1: 0, 1, 2) instead of T, since maddubs wants one unsigned operand:
 * sum(T * a) = sum(code * a) - sum(a), and the second sum comes with the activations. Padding codes are 1 and meet zero
 * activations. Sums are taken modulo 2^32, so that a wrapping sum(code * a) still leaves the right difference.
 *
 * WHY INT16 IS WIDE ENOUGH, AND FOR HOW LONG. maddubs adds two products in an int16 lane. With codes up to 2 and
 * activations in [-128, 127] that is at most 2 * (2 * 128) = 512 in magnitude downwards and 508 upwards. A lane may
 * therefore take 64 of them: -64 * 512 = -32768 just fits, 64 * 508 = 32512. A group of 128 columns makes four, so the
 * lanes must be widened to int32 after 16 groups at the latest. (Published loops widen after 32 and overflow.)
 */
#ifndef TERN_AVX2_TERNARY_SUMS_H
#define TERN_AVX2_TERNARY_SUMS_H

#include "lanes.h"
#include "tern_kernels.h"

TERN_INLINE __m256i load_bytes(const void *at) {
    return _mm256_loadu_si256((const __m256i *)at);
}

/* The same value, in a register, at this point of the program. Left alone, gcc reorders the additions of a tile into
 * trees and loads an activation once for each use: there are more values then than registers, and it spills half of
 * them. */
TERN_INLINE __m256i in_register(__m256i v) {
    __asm__("" : "+x"(v));
    return v;
}

/* sum + the products of 32 codes and activations, in pairs. */
TERN_INLINE __m256i add_products(__m256i sum, __m256i codes, __m256i a) {
    return in_register(_mm256_add_epi16(sum, _mm256_maddubs_epi16(codes, a)));
}

/* int32 lanes += the int16 lanes, widened in pairs. */
TERN_INLINE __m256i widen_add(__m256i wide, __m256i narrow) {
    return _mm256_add_epi32(wide, _mm256_madd_epi16(narrow, _mm256_set1_epi16(1)));
}

/* The eight lanes of four registers each, added up: sums of v0, v1, v2, v3. */
TERN_INLINE __m128i add_up_4(__m256i v0, __m256i v1, __m256i v2, __m256i v3) {
    const __m256i s = _mm256_hadd_epi32(_mm256_hadd_epi32(v0, v1), _mm256_hadd_epi32(v2, v3));
    return _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
}

/* ternary_matmul in TERN_ROWS for many tokens. */
void tern_avx2_ternary_many_tokens(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                   int64_t row_begin, int64_t row_end, float *y, int64_t y_stride);

#endif /* TERN_AVX2_TERNARY_SUMS_H */
