/*
 * limits.c, AVX-512: loads and VPDPBUSD of 64 bytes. Twelve sums hide the latency of the latter (5 cycles at most, two
 * of them a cycle at best).
 */
#include "panels.h"
#include "tiers.h"

enum { SETS = 12 };

_Static_assert(TERN_PEAK_UNIT % SETS == 0, "a unit is whole rounds");

/* The same value, as if it had been computed here: products with it are made in every turn of a loop. */
TERN_INLINE __m512i anew(__m512i v) {
    __asm__ volatile("" : "+v"(v));
    return v;
}

int64_t tern_avx512_memory_read(const uint8_t *x, int64_t n) {
    __m512i sums[4];
    for (int j = 0; j < 4; j++) {
        sums[j] = _mm512_setzero_si512();
    }
    for (int64_t i = 0; i < n; i += 256) {
        for (int j = 0; j < 4; j++) {
            sums[j] = anew(_mm512_add_epi64(sums[j], load_half(x + i + 64 * j)));
        }
    }
    uint64_t words[8];
    _mm512_storeu_si512(words,
                        _mm512_add_epi64(_mm512_add_epi64(sums[0], sums[1]), _mm512_add_epi64(sums[2], sums[3])));
    uint64_t sum = 0;
    for (int j = 0; j < 8; j++) {
        sum += words[j];
    }
    return (int64_t)sum;
}

void tern_avx512_dot_peak(const uint8_t *codes, const int8_t *values, int64_t n, int32_t *sums) {
    const __m512i v = four_of_all(values);
    __m512i c = load_half(codes);
    __m512i dots[SETS];
    for (int s = 0; s < SETS; s++) {
        dots[s] = _mm512_setzero_si512();
    }
    for (int64_t round = 0; round < n; round += SETS) {
        for (int s = 0; s < SETS; s++) {
            c = anew(c);
            dots[s] = anew(_mm512_dpbusd_epi32(dots[s], c, v));
        }
    }
    for (int s = 1; s < SETS; s++) {
        dots[0] = _mm512_add_epi32(dots[0], dots[s]);
    }
    _mm512_storeu_si512(sums, dots[0]);
}
