/*
 * transpose.h: eight rows' 32-bit lanes to eight columns'.
 */
#ifndef TERN_AVX2_TRANSPOSE_H
#define TERN_AVX2_TRANSPOSE_H

#include <immintrin.h>

/* The 32-bit lanes of eight vectors: lane j of vector i becomes lane i of vector j. */
static inline __attribute__((always_inline)) void transpose_8(__m256i v[8]) {
    __m256i pairs[8];
    __m256i fours[8];
    for (int i = 0; i < 8; i += 2) {
        pairs[i] = _mm256_unpacklo_epi32(v[i], v[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_epi32(v[i], v[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        fours[i] = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
        fours[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
        fours[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
        fours[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        v[i] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x20);
        v[i + 4] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x31);
    }
}

#endif /* TERN_AVX2_TRANSPOSE_H */
