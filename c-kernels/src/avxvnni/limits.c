/*
 * limits.c, AVX-VNNI: VPDPBUSD on registers of 32 bytes. Twelve sums hide its latency (4 or 5 cycles, two of them a
 * cycle) and leave registers for the operands.
 */
#include "dot.h"
#include "tiers.h"

enum { SETS = 6 };

_Static_assert(TERN_PEAK_UNIT % SETS == 0, "a unit is whole rounds");

/* The same value, as if it had been computed here: products with it are made in every turn of a loop. */
TERN_INLINE __m256i anew(__m256i v) {
    __asm__ volatile("" : "+x"(v));
    return v;
}

void tern_avxvnni_dot_peak(const uint8_t *codes, const int8_t *values, int64_t n, int32_t *sums) {
    const __m256i v = broadcast_quad(values);
    __m256i low = _mm256_loadu_si256((const __m256i *)codes);
    __m256i high = _mm256_loadu_si256((const __m256i *)(codes + 32));
    __m256i dots[SETS][2];
    for (int s = 0; s < SETS; s++) {
        dots[s][0] = dots[s][1] = _mm256_setzero_si256();
    }
    for (int64_t round = 0; round < n; round += SETS) {
        for (int s = 0; s < SETS; s++) {
            low = anew(low);
            high = anew(high);
            dots[s][0] = anew(dot_add(dots[s][0], low, v));
            dots[s][1] = anew(dot_add(dots[s][1], high, v));
        }
    }
    for (int s = 1; s < SETS; s++) {
        dots[0][0] = _mm256_add_epi32(dots[0][0], dots[s][0]);
        dots[0][1] = _mm256_add_epi32(dots[0][1], dots[s][1]);
    }
    _mm256_storeu_si256((__m256i *)sums, dots[0][0]);
    _mm256_storeu_si256((__m256i *)(sums + 8), dots[0][1]);
}
