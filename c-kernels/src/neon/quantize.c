/*
 * quantize.c, NEON: activations to int8, and the check of packed codes.
 */
#include "lanes.h"
#include "tiers.h"

/* The larger one; m when the magnitude is a NaN, so that it is passed over. (vmaxq would keep it, and vmaxnmq would
 * keep a signalling one.) */
TERN_INLINE float32x4_t larger(float32x4_t magnitude, float32x4_t m) {
    return vbslq_f32(vcgtq_f32(magnitude, m), magnitude, m);
}

static float largest_magnitude(const float *x, int64_t n) {
    float32x4_t m[4];
    for (int j = 0; j < 4; j++) {
        m[j] = vdupq_n_f32(1e-5f);
    }
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        for (int j = 0; j < 4; j++) {
            m[j] = larger(vabsq_f32(vld1q_f32(x + i + 4 * j)), m[j]);
        }
    }
    for (; i + 4 <= n; i += 4) {
        m[0] = larger(vabsq_f32(vld1q_f32(x + i)), m[0]);
    }
    if (i < n) {
        m[0] = larger(vabsq_f32(load_partial_4(x + i, n - i)), m[0]);
    }
    return vmaxvq_f32(vmaxq_f32(vmaxq_f32(m[0], m[1]), vmaxq_f32(m[2], m[3])));
}

/* Rounded half to even, saturated; the conversion makes 0 of a NaN, which is to end as -128. */
TERN_INLINE int32x4_t quantize_4(float32x4_t x, float32x4_t r) {
    const float32x4_t v = vmulq_f32(x, r);
    return vbslq_s32(vceqq_f32(v, v), vcvtnq_s32_f32(v), vdupq_n_s32(INT32_MIN));
}

TERN_INLINE int8x16_t quantize_16(const float32x4_t x[4], float32x4_t r) {
    const int16x8_t low = vqmovn_high_s32(vqmovn_s32(quantize_4(x[0], r)), quantize_4(x[1], r));
    const int16x8_t high = vqmovn_high_s32(vqmovn_s32(quantize_4(x[2], r)), quantize_4(x[3], r));
    return vqmovn_high_s16(vqmovn_s16(low), high);
}

void tern_neon_quantize(const float *x, int64_t x_stride, int64_t cols, int64_t token_begin, int64_t token_end,
                        const tern_activations *out) {
    const int64_t padded = (cols + TERN_GROUP - 1) / TERN_GROUP * TERN_GROUP;
    for (int64_t t = token_begin; t < token_end; t++) {
        const float *token = x + t * x_stride;
        int8_t *values = out->values + t * out->stride;
        const float scale = 1.0f / largest_magnitude(token, cols) * 127.0f;
        const float32x4_t r = vdupq_n_f32(scale);
        int32x4_t sum = vdupq_n_s32(0);
        int64_t i = 0;
        for (; i + 16 <= cols; i += 16) {
            const float32x4_t group[4] = {vld1q_f32(token + i), vld1q_f32(token + i + 4), vld1q_f32(token + i + 8),
                                          vld1q_f32(token + i + 12)};
            const int8x16_t a = quantize_16(group, r);
            vst1q_s8(values + i, a);
            sum = vpadalq_s16(sum, vpaddlq_s8(a));
        }
        if (i < cols) {
            const lanes32 tail =
                load_partial_32(token, TERN_F32, i, cols - i); /* zeros times r are zeros: r is finite */
            const int8x16_t a = quantize_16(tail.part, r);
            vst1q_s8(values + i, a); /* stays within the padding */
            sum = vpadalq_s16(sum, vpaddlq_s8(a));
            i += 16;
        }
        for (; i < padded; i += 16) {
            vst1q_s8(values + i, vdupq_n_s8(0));
        }
        out->scales[t] = scale;
        out->sums[t] = vaddvq_s32(sum);
    }
}

int64_t tern_neon_find_invalid_code(const uint8_t *codes, int64_t n) {
    int64_t i = 0;
    for (; i + 64 <= n; i += 64) {
        uint8x16_t both = vdupq_n_u8(0);
        for (int j = 0; j < 4; j++) {
            const uint8x16_t v = vld1q_u8(codes + i + 16 * j);
            both = vorrq_u8(both, vandq_u8(v, vshrq_n_u8(v, 1)));
        }
        if (vmaxvq_u8(vandq_u8(both, vdupq_n_u8(0x55))) != 0) {
            break;
        }
    }
    for (; i < n; i++) {
        if (codes[i] & codes[i] >> 1 & 0x55) {
            return i;
        }
    }
    return -1;
}
