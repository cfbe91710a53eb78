/*
 * limits.c, AVX2: what a machine allows with vectors of 32 bytes.
 *
 * The products are those of ternary_sums.h: VPMADDUBSW into lanes of int16, which take 64 of them before they are
 * widened. So the peak is two instructions for 32 products and not the three that widening each (VPMADDWD, VPADDD) would
 * take; what is lost by widening is part of it.
 */
#include "ternary_sums.h"
#include "tiers.h"

enum { SETS = 4, LANE_TAKES = 64 };

_Static_assert(TERN_PEAK_UNIT % (SETS * LANE_TAKES) == 0, "a unit is whole rounds");

/* The same value, as if it had been computed here: products with it are made in every turn of a loop. */
TERN_INLINE __m256i anew(__m256i v) {
    __asm__ volatile("" : "+x"(v));
    return v;
}

int64_t tern_avx2_memory_read(const uint8_t *x, int64_t n) {
    __m256i sums[8];
    for (int j = 0; j < 8; j++) {
        sums[j] = _mm256_setzero_si256();
    }
    for (int64_t i = 0; i < n; i += 256) {
        for (int j = 0; j < 8; j++) {
            sums[j] = in_register(_mm256_add_epi64(sums[j], load_bytes(x + i + 32 * j)));
        }
    }
    for (int j = 1; j < 8; j++) {
        sums[0] = _mm256_add_epi64(sums[0], sums[j]);
    }
    uint64_t words[4];
    _mm256_storeu_si256((__m256i *)words, sums[0]);
    return (int64_t)(words[0] + words[1] + words[2] + words[3]);
}

void tern_avx2_dot_peak(const uint8_t *codes, const int8_t *values, int64_t n, int32_t *sums) {
    int32_t four;
    memcpy(&four, values, sizeof four);
    const __m256i v = _mm256_set1_epi32(four);
    __m256i low = load_bytes(codes);
    __m256i high = load_bytes(codes + 32);
    __m256i wide[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    for (int64_t round = 0; round < n; round += SETS * LANE_TAKES) {
        __m256i narrow[SETS][2];
        for (int s = 0; s < SETS; s++) {
            narrow[s][0] = narrow[s][1] = _mm256_setzero_si256();
        }
        for (int taken = 0; taken < LANE_TAKES; taken++) {
            for (int s = 0; s < SETS; s++) {
                low = anew(low);
                high = anew(high);
                narrow[s][0] = add_products(narrow[s][0], low, v);
                narrow[s][1] = add_products(narrow[s][1], high, v);
            }
        }
        for (int s = 0; s < SETS; s++) {
            wide[0] = widen_add(wide[0], narrow[s][0]);
            wide[1] = widen_add(wide[1], narrow[s][1]);
        }
    }
    _mm256_storeu_si256((__m256i *)sums, wide[0]);
    _mm256_storeu_si256((__m256i *)(sums + 8), wide[1]);
}
