/*
 * limits.c, NEON with the dot product: SDOT on registers of 16 bytes. Sixteen sums hide its latency (3 or 4 cycles, up
 * to four of them a cycle).
 */
#include "neon/lanes.h"
#include "tiers.h"

enum { SETS = 4 };

_Static_assert(TERN_PEAK_UNIT % SETS == 0, "a unit is whole rounds");

/* The same value, as if it had been computed here: products with it are made in every turn of a loop. */
TERN_INLINE int8x16_t anew(int8x16_t v) {
    __asm__ volatile("" : "+w"(v));
    return v;
}

void tern_neondot_dot_peak(const uint8_t *codes, const int8_t *values, int64_t n, int32_t *sums) {
    int32_t four;
    memcpy(&four, values, sizeof four);
    const int8x16_t v = vreinterpretq_s8_s32(vdupq_n_s32(four));
    int8x16_t c[4];
    int32x4_t dots[SETS][4];
    for (int quarter = 0; quarter < 4; quarter++) {
        c[quarter] = vreinterpretq_s8_u8(vld1q_u8(codes + 16 * quarter));
        for (int s = 0; s < SETS; s++) {
            dots[s][quarter] = vdupq_n_s32(0);
        }
    }
    for (int64_t round = 0; round < n; round += SETS) {
        for (int quarter = 0; quarter < 4; quarter++) {
            for (int s = 0; s < SETS; s++) {
                c[quarter] = anew(c[quarter]);
                dots[s][quarter] = vdotq_s32(dots[s][quarter], c[quarter], v);
            }
        }
    }
    for (int quarter = 0; quarter < 4; quarter++) {
        const int32x4_t low = vaddq_s32(dots[0][quarter], dots[1][quarter]);
        vst1q_s32(sums + 4 * quarter, vaddq_s32(low, vaddq_s32(dots[2][quarter], dots[3][quarter])));
    }
}
