/*
 * limits.c, NEON: what a machine allows with vectors of 16 bytes.
 *
 * The products are those of ternary_matmul.c: SMLAL into lanes of int16, which take 128 of them before they are widened.
 */
#include "lanes.h"
#include "tiers.h"

enum { LANE_TAKES = 128 };

_Static_assert(TERN_PEAK_UNIT % LANE_TAKES == 0, "a unit is whole rounds");

/* The same value, as if it had been computed here: products with it are made in every turn of a loop. */
TERN_INLINE int8x16_t anew(int8x16_t v) {
    __asm__ volatile("" : "+w"(v));
    return v;
}

int64_t tern_neon_memory_read(const uint8_t *x, int64_t n) {
    uint64x2_t sums[16];
    for (int j = 0; j < 16; j++) {
        sums[j] = vdupq_n_u64(0);
    }
    for (int64_t i = 0; i < n; i += 256) {
        for (int j = 0; j < 16; j++) {
            sums[j] = vaddq_u64(sums[j], vreinterpretq_u64_u8(vld1q_u8(x + i + 16 * j)));
        }
    }
    for (int j = 1; j < 16; j++) {
        sums[0] = vaddq_u64(sums[0], sums[j]);
    }
    return (int64_t)vaddvq_u64(sums[0]);
}

void tern_neon_dot_peak(const uint8_t *codes, const int8_t *values, int64_t n, int32_t *sums) {
    int32_t four;
    memcpy(&four, values, sizeof four);
    const int8x16_t v = vreinterpretq_s8_s32(vdupq_n_s32(four));
    int8x16_t c[4];
    int32x4_t wide[4];
    for (int quarter = 0; quarter < 4; quarter++) {
        c[quarter] = vreinterpretq_s8_u8(vld1q_u8(codes + 16 * quarter));
        wide[quarter] = vdupq_n_s32(0);
    }
    for (int64_t round = 0; round < n; round += LANE_TAKES) {
        int16x8_t low[4];
        int16x8_t high[4];
        for (int quarter = 0; quarter < 4; quarter++) {
            low[quarter] = high[quarter] = vdupq_n_s16(0);
        }
        for (int taken = 0; taken < LANE_TAKES; taken++) {
            for (int quarter = 0; quarter < 4; quarter++) {
                c[quarter] = anew(c[quarter]);
                low[quarter] = vmlal_s8(low[quarter], vget_low_s8(c[quarter]), vget_low_s8(v));
                high[quarter] = vmlal_high_s8(high[quarter], c[quarter], v);
            }
        }
        for (int quarter = 0; quarter < 4; quarter++) {
            const int32x4_t pairs = vpaddlq_s16(low[quarter]);
            wide[quarter] = vaddq_s32(wide[quarter], vpaddq_s32(pairs, vpaddlq_s16(high[quarter])));
        }
    }
    for (int quarter = 0; quarter < 4; quarter++) {
        vst1q_s32(sums + 4 * quarter, wide[quarter]);
    }
}
