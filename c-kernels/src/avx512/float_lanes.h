/*
 * float_lanes.h: the 32-lane float sum in two registers of AVX-512, to the bit what scalar/floats.h defines.
 *
 * Lane j is element j mod 16 of register j / 16: adding the two is the fold by 16, and the rest is AVX2's.
 */
#ifndef TERN_AVX512_FLOAT_LANES_H
#define TERN_AVX512_FLOAT_LANES_H

#include "avx2/lanes.h"

typedef struct lanes512 {
    __m512 part[2];
} lanes512;

TERN_INLINE lanes512 lanes512_zero(void) {
    return (lanes512){{_mm512_setzero_ps(), _mm512_setzero_ps()}};
}

TERN_INLINE float lanes512_fold(lanes512 sum) {
    const __m512 by_16 = _mm512_add_ps(sum.part[0], sum.part[1]);
    return fold_8(_mm256_add_ps(_mm512_castps512_ps256(by_16), _mm512_extractf32x8_ps(by_16, 1)));
}

/* The first `count` of 16 elements; all of them from 16 on, none below 1. */
TERN_INLINE __mmask16 first_of_16(int64_t count) {
    return (__mmask16)(count >= 16 ? 0xffffu : count <= 0 ? 0u : (1u << count) - 1);
}

#endif /* TERN_AVX512_FLOAT_LANES_H */
