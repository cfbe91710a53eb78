/*
 * lanes.h: the 32-lane float sum, loads of float types and exp on NEON, to the bit what scalar/floats.h defines.
 *
 * The 32 lanes are eight registers: lane j is element j mod 4 of register j / 4. Adding registers j and j + 4, then j
 * and j + 2, then 0 and 1 are the folds by 16, 8 and 4; those by 2 and 1 stay inside one register.
 */
#ifndef TERN_NEON_LANES_H
#define TERN_NEON_LANES_H

#include "tern_kernels.h"

#include <arm_neon.h>
#include <string.h>

#define TERN_INLINE static inline __attribute__((always_inline))

typedef struct lanes32 {
    float32x4_t part[8];
} lanes32;

TERN_INLINE lanes32 lanes_zero(void) {
    const float32x4_t zero = vdupq_n_f32(0);
    return (lanes32){{zero, zero, zero, zero, zero, zero, zero, zero}};
}

/* The folds by 16, 8 and 4. */
TERN_INLINE float32x4_t lanes_fold_to_4(lanes32 sum) {
    float32x4_t by_16[4];
    for (int j = 0; j < 4; j++) {
        by_16[j] = vaddq_f32(sum.part[j], sum.part[j + 4]);
    }
    return vaddq_f32(vaddq_f32(by_16[0], by_16[2]), vaddq_f32(by_16[1], by_16[3]));
}

/* The folds by 2 and 1. */
TERN_INLINE float fold_4(float32x4_t v) {
    const float32x2_t by_2 = vadd_f32(vget_low_f32(v), vget_high_f32(v));
    return vget_lane_f32(by_2, 0) + vget_lane_f32(by_2, 1);
}

TERN_INLINE float lanes_fold(lanes32 sum) {
    return fold_4(lanes_fold_to_4(sum));
}

/* Elements [i, i + 4) of an array of a tern_float_type, widened exactly. `type` is a constant where this is inlined. */
TERN_INLINE float32x4_t load_4(const void *values, int32_t type, int64_t i) {
    if (type == TERN_F16) {
        return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16((const uint16_t *)values + i)));
    }
    if (type == TERN_BF16) {
        return vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vld1_u16((const uint16_t *)values + i)), 16));
    }
    return vld1q_f32((const float *)values + i);
}

TERN_INLINE lanes32 load_32(const void *values, int32_t type, int64_t i) {
    lanes32 v;
    for (int j = 0; j < 8; j++) {
        v.part[j] = load_4(values, type, i + 4 * j);
    }
    return v;
}

/* Elements [i, i + count) for a count below 32, and zeros after them: the partial group at the end of a sum. */
TERN_INLINE lanes32 load_partial_32(const void *values, int32_t type, int64_t i, int64_t count) {
    union {
        float f32[32];
        uint16_t f16[32];
    } group;
    memset(&group, 0, sizeof group);
    if (type == TERN_F32) {
        memcpy(group.f32, (const float *)values + i, (size_t)count * sizeof(float));
    } else {
        memcpy(group.f16, (const uint16_t *)values + i, (size_t)count * sizeof(uint16_t));
    }
    return load_32(&group, type, 0);
}

/* The same for up to 4 floats, which are read and written by themselves where a whole register would not fit. */
TERN_INLINE float32x4_t load_partial_4(const float *x, int64_t count) {
    float group[4] = {0, 0, 0, 0};
    memcpy(group, x, (size_t)count * sizeof(float));
    return vld1q_f32(group);
}

TERN_INLINE void store_partial_4(float *x, float32x4_t v, int64_t count) {
    float group[4];
    vst1q_f32(group, v);
    memcpy(x, group, (size_t)count * sizeof(float));
}

/* sum + a * b, lane by lane, each one rounding. */
TERN_INLINE lanes32 lanes_add_products(lanes32 sum, lanes32 a, lanes32 b) {
    for (int j = 0; j < 8; j++) {
        sum.part[j] = vfmaq_f32(sum.part[j], a.part[j], b.part[j]);
    }
    return sum;
}

/* exp of tern_kernels.h, four at a time. Lanes that the comparison with -87 turns to zero (NaNs among them) may hold
 * anything before that: the comparison is the last word. */
TERN_INLINE float32x4_t exp_4(float32x4_t x) {
    const uint32x4_t in_range = vcgtq_f32(x, vdupq_n_f32(-87.0f));
    x = vminq_f32(x, vdupq_n_f32(88.0f));
    const float32x4_t n = vrndnq_f32(vmulq_f32(x, vdupq_n_f32(1.44269504f)));
    float32x4_t r = vfmaq_f32(x, n, vdupq_n_f32(-0.693359375f));
    r = vfmaq_f32(r, n, vdupq_n_f32(2.12194440e-4f));
    float32x4_t p = vdupq_n_f32(1.9875691500e-4f);
    p = vfmaq_f32(vdupq_n_f32(1.3981999507e-3f), p, r);
    p = vfmaq_f32(vdupq_n_f32(8.3334519073e-3f), p, r);
    p = vfmaq_f32(vdupq_n_f32(4.1665795894e-2f), p, r);
    p = vfmaq_f32(vdupq_n_f32(1.6666665459e-1f), p, r);
    p = vfmaq_f32(vdupq_n_f32(5.0000001201e-1f), p, r);
    p = vaddq_f32(vfmaq_f32(r, p, vmulq_f32(r, r)), vdupq_n_f32(1.0f));
    const int32x4_t exponent = vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23);
    const float32x4_t e = vmulq_f32(p, vreinterpretq_f32_s32(exponent));
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(e), in_range));
}

#endif /* TERN_NEON_LANES_H */
