/*
 * elementwise.c, NEON: the gates of the feed-forward block and the residual addition.
 */
#include "lanes.h"
#include "tiers.h"

/* `gate > 0 ? gate : 0`: a NaN and -0 give +0. */
TERN_INLINE float32x4_t relu_squared_4(float32x4_t gate, float32x4_t up) {
    const uint32x4_t positive = vcgtq_f32(gate, vdupq_n_f32(0));
    const float32x4_t g = vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(gate), positive));
    return vmulq_f32(vmulq_f32(g, g), up);
}

TERN_INLINE float32x4_t silu_4(float32x4_t gate, float32x4_t up) {
    const float32x4_t e = exp_4(vnegq_f32(gate));
    return vmulq_f32(vdivq_f32(gate, vaddq_f32(vdupq_n_f32(1.0f), e)), up);
}

TERN_INLINE float32x4_t add_4(float32x4_t x, float32x4_t y) {
    return vaddq_f32(x, y);
}

/* out[i] = f(a[i], b[i]): whole registers, then one partial one. */
#define TERN_MAP_2(f, a, b, out, n)                                                                                    \
    do {                                                                                                               \
        int64_t i = 0;                                                                                                 \
        for (; i + 4 <= (n); i += 4) {                                                                                 \
            vst1q_f32((out) + i, f(vld1q_f32((a) + i), vld1q_f32((b) + i)));                                           \
        }                                                                                                              \
        if (i < (n)) {                                                                                                 \
            const float32x4_t last = f(load_partial_4((a) + i, (n)-i), load_partial_4((b) + i, (n)-i));                \
            store_partial_4((out) + i, last, (n)-i);                                                                   \
        }                                                                                                              \
    } while (0)

void tern_neon_relu_squared_gate(const float *gate, const float *up, float *out, int64_t n) {
    TERN_MAP_2(relu_squared_4, gate, up, out, n);
}

void tern_neon_silu_gate(const float *gate, const float *up, float *out, int64_t n) {
    TERN_MAP_2(silu_4, gate, up, out, n);
}

void tern_neon_add(float *x, const float *y, int64_t n) {
    TERN_MAP_2(add_4, x, y, x, n);
}
