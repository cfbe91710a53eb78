/*
 * panels.h: packed ternary weights in panels of 32 rows, on AVX-512: what its kernels share.
 *
 * A group of a panel is two registers of 16 rows each. In both, a 32-bit lane belongs to one row and holds four columns
 * a code position, so VPDPBUSD adds four products to the row's own sum and no sum ever crosses lanes; the four
 * activations are the same for all rows, one broadcast. Products are made with codes (T + 1), as everywhere: sum(T a) =
 * sum(code a) - sum(a).
 */
#ifndef TERN_AVX512_PANELS_H
#define TERN_AVX512_PANELS_H

#include "panel_tokens.h"
#include "tern_kernels.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#define TERN_INLINE static inline __attribute__((always_inline))

enum { GROUP_BYTES = 128, HALF = 64 };

/* Columns of a group; TERN_ROWS become panels of two bits. */
TERN_INLINE int64_t group_columns(int32_t layout) {
    return layout == TERN_PANELS_5TRIT ? 20 : 16;
}

/* Quads of columns that have activations: those past the padded end of a token stand for zeros and are left out. */
TERN_INLINE int64_t quads_of(int64_t cols) {
    return (cols + TERN_GROUP - 1) / TERN_GROUP * (TERN_GROUP / 4);
}

/* Four activations, for all rows. */
TERN_INLINE __m512i four_of_all(const int8_t *a) {
    int32_t four;
    memcpy(&four, a, sizeof four);
    return _mm512_set1_epi32(four);
}

TERN_INLINE __m512i load_half(const uint8_t *at) {
    return _mm512_loadu_si512(at);
}

/* 3 v modulo 256: shifts the highest digit of five trits out. */
TERN_INLINE __m512i times_3(__m512i v) {
    return _mm512_add_epi8(v, _mm512_add_epi8(v, v));
}

/* 64 times the highest digit, floor(3 v / 256), of bytes of five trits. With u = v - 1 (or 0) the averages, which round
 * up, make (3 u + 1 or 2 or 3) / 4; its upper two bits change where v becomes 86 and 171, as the digit does. */
TERN_INLINE __m512i top_digit_times_64(__m512i v) {
    const __m512i u = _mm512_subs_epu8(v, _mm512_set1_epi8(1));
    const __m512i average = _mm512_avg_epu8(u, _mm512_avg_epu8(u, _mm512_setzero_si512()));
    return _mm512_and_si512(average, _mm512_set1_epi8((char)0xc0));
}

/* y of 16 rows from their dots: (float)dot * factor, those of `rows`. */
TERN_INLINE void store_rows(float *y, __mmask16 rows, __m512i dots, float factor) {
    _mm512_mask_storeu_ps(y, rows, _mm512_mul_ps(_mm512_cvtepi32_ps(dots), _mm512_set1_ps(factor)));
}

/* y of a token's 16 rows from sums of codes that are 2^shift times too large. */
TERN_INLINE void store_dots(const tern_ternary_matrix *w, const tern_activations *a, int64_t token, int64_t first,
                            __mmask16 rows, __m512i sums, int shift, float *y) {
    const __m512i codes = _mm512_sra_epi32(sums, _mm_cvtsi32_si128(shift));
    const __m512i dots = _mm512_sub_epi32(codes, _mm512_set1_epi32(a->sums[token]));
    store_rows(y + first, rows, dots, w->scale / a->scales[token]);
}

/* Which of the 16 rows from `first` on lie in [begin, end). */
TERN_INLINE __mmask16 rows_within(int64_t first, int64_t begin, int64_t end) {
    const int64_t from = begin > first ? begin - first : 0;
    const int64_t to = end - first < 16 ? end - first : 16;
    return (__mmask16)(from >= to ? 0u : (1u << to) - (1u << from));
}

/* For a loop over the tokens of a tile, whose count is a constant: unrolled before gcc decides which arrays live in
 * registers, without which all sums would live in memory. */
#define TERN_UNROLL _Pragma("GCC unroll 12")

#endif /* TERN_AVX512_PANELS_H */
