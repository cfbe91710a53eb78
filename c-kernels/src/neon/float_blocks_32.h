/*
 * float_blocks_32.h: 32 neighbouring elements of a block of Q8_0 or Q6_K, widened: the 32 lanes of a float sum.
 * Products of step and code are exact, so that they are those of the scalar tier whatever their order.
 */
#ifndef TERN_NEON_FLOAT_BLOCKS_32_H
#define TERN_NEON_FLOAT_BLOCKS_32_H

#include "float_blocks.h"
#include "lanes.h"

/* The fp16 at any address, in all lanes. */
TERN_INLINE float32x4_t load_half(const uint8_t *at) {
    uint16_t bits;
    memcpy(&bits, at, sizeof bits);
    return vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(bits)));
}

/* Sixteen signed bytes times a step. */
TERN_INLINE void widen_16(int8x16_t bytes, float32x4_t step, float32x4_t out[4]) {
    const int16x8_t low = vmovl_s8(vget_low_s8(bytes));
    const int16x8_t high = vmovl_high_s8(bytes);
    out[0] = vmulq_f32(step, vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))));
    out[1] = vmulq_f32(step, vcvtq_f32_s32(vmovl_high_s16(low)));
    out[2] = vmulq_f32(step, vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))));
    out[3] = vmulq_f32(step, vcvtq_f32_s32(vmovl_high_s16(high)));
}

TERN_INLINE lanes32 q8_0_lanes(const uint8_t *block) {
    const float32x4_t d = load_half(block);
    lanes32 weights;
    widen_16(vld1q_s8((const int8_t *)block + Q8_0_VALUES), d, weights.part);
    widen_16(vld1q_s8((const int8_t *)block + Q8_0_VALUES + 16), d, weights.part + 4);
    return weights;
}

/* d * scale for each 16 columns of a block. */
TERN_INLINE void q6_k_steps(const uint8_t *block, float steps[16]) {
    float32x4_t v[4];
    widen_16(vld1q_s8((const int8_t *)block + Q6_K_SCALES), load_half(block + Q6_K_D), v);
    for (int i = 0; i < 4; i++) {
        vst1q_f32(steps + 4 * i, v[i]);
    }
}

/* The codes of 16 columns of part 0 to 3, less 32, from the bytes that hold them. */
TERN_INLINE int8x16_t q6_k_codes(uint8x16_t low, uint8x16_t high, int part) {
    low = part < 2 ? vandq_u8(low, vdupq_n_u8(15)) : vshrq_n_u8(low, 4);
    high = part == 0 ? vshlq_n_u8(high, 4) : part == 1 ? vshlq_n_u8(high, 2) : part == 2 ? high : vshrq_n_u8(high, 2);
    const uint8x16_t code = vorrq_u8(low, vandq_u8(high, vdupq_n_u8(0x30)));
    return vsubq_s8(vreinterpretq_s8_u8(code), vdupq_n_s8(32));
}

/* Columns [128 half + 32 part, + 32) of a block; `part` is a constant where this is inlined. */
TERN_INLINE lanes32 q6_k_lanes(const uint8_t *block, const float steps[16], int half, int part) {
    const uint8_t *low = block + 64 * half + 32 * (part % 2);
    const uint8_t *high = block + Q6_K_HIGH + 32 * half;
    lanes32 weights;
    for (int i = 0; i < 2; i++) {
        const int8x16_t q = q6_k_codes(vld1q_u8(low + 16 * i), vld1q_u8(high + 16 * i), part);
        widen_16(q, vdupq_n_f32(steps[8 * half + 2 * part + i]), weights.part + 4 * i);
    }
    return weights;
}

TERN_INLINE void store_32(float *y, lanes32 weights) {
    for (int j = 0; j < 8; j++) {
        vst1q_f32(y + 4 * j, weights.part[j]);
    }
}

/* Elements [at, at + count) of a matrix, both multiples of a block, into y. */
TERN_INLINE void widen_blocks(const void *values, int32_t type, int64_t at, int64_t count, float *y) {
    if (type == TERN_Q8_0) {
        const uint8_t *block = q8_0_block(values, at);
        for (int64_t c = 0; c < count; c += Q8_0_COLUMNS, block += Q8_0_BYTES) {
            store_32(y + c, q8_0_lanes(block));
        }
        return;
    }
    const uint8_t *block = q6_k_block(values, at);
    for (int64_t c = 0; c < count; c += Q6_K_COLUMNS, block += Q6_K_BYTES) {
        float steps[16];
        q6_k_steps(block, steps);
        for (int half = 0; half < 2; half++) { /* written out: the shifts of a part must be constants */
            float *to = y + c + 128 * half;
            store_32(to, q6_k_lanes(block, steps, half, 0));
            store_32(to + 32, q6_k_lanes(block, steps, half, 1));
            store_32(to + 64, q6_k_lanes(block, steps, half, 2));
            store_32(to + 96, q6_k_lanes(block, steps, half, 3));
        }
    }
}

#endif /* TERN_NEON_FLOAT_BLOCKS_32_H */
