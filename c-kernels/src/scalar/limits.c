/*
 * limits.c, scalar: what a machine allows without vectors.
 */
#include "tiers.h"

/* The same value, as if it had been computed here: products with it are made in every turn of a loop. */
static inline int32_t anew(int32_t v) {
    __asm__ volatile("" : "+r"(v));
    return v;
}

int64_t tern_scalar_memory_read(const uint8_t *x, int64_t n) {
    const uint64_t *words = (const uint64_t *)(const void *)x;
    const uint64_t *const end = words + n / 8;
    uint64_t a = 0;
    uint64_t b = 0;
    uint64_t c = 0;
    uint64_t d = 0;
    for (; words < end; words += 8) { /* a cache line */
        a += words[0] + words[4];
        b += words[1] + words[5];
        c += words[2] + words[6];
        d += words[3] + words[7];
    }
    return (int64_t)(a + b + c + d);
}

void tern_scalar_dot_peak(const uint8_t *codes, const int8_t *values, int64_t n, int32_t *sums) {
    for (int i = 0; i < 16; i++) {
        int32_t c0 = codes[4 * i];
        int32_t c1 = codes[4 * i + 1];
        int32_t c2 = codes[4 * i + 2];
        int32_t c3 = codes[4 * i + 3];
        uint32_t a = 0;
        uint32_t b = 0;
        uint32_t c = 0;
        uint32_t d = 0;
        for (int64_t repetition = 0; repetition < n; repetition++) {
            c0 = anew(c0);
            c1 = anew(c1);
            c2 = anew(c2);
            c3 = anew(c3);
            a += (uint32_t)(c0 * values[0]);
            b += (uint32_t)(c1 * values[1]);
            c += (uint32_t)(c2 * values[2]);
            d += (uint32_t)(c3 * values[3]);
        }
        sums[i] = (int32_t)(a + b + c + d);
    }
}
