/*
 * dot.h: the dot product of AVX-VNNI. With TERN_AVXVNNI_EVEX it is AVX-512's of the same width and meaning, so that
 * CPUs that have only the one test what runs on those that have only the other.
 */
#ifndef TERN_AVXVNNI_DOT_H
#define TERN_AVXVNNI_DOT_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define TERN_INLINE static inline __attribute__((always_inline))

/* sums[i] += the products of four unsigned and four signed bytes, modulo 2^32. */
TERN_INLINE __m256i dot_add(__m256i sums, __m256i codes, __m256i a) {
#ifdef TERN_AVXVNNI_EVEX
    return _mm256_dpbusd_epi32(sums, codes, a);
#else
    return _mm256_dpbusd_avx_epi32(sums, codes, a);
#endif
}

/* Four neighbouring activations in every lane. */
TERN_INLINE __m256i broadcast_quad(const int8_t *a) {
    int32_t quad;
    memcpy(&quad, a, sizeof quad);
    return _mm256_set1_epi32(quad);
}

TERN_INLINE __m256i load_codes(const uint8_t *at) {
    return _mm256_load_si256((const __m256i *)at);
}

#endif /* TERN_AVXVNNI_DOT_H */
