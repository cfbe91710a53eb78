/*
 * norm_rope.c, NEON: RMSNorm and rotary position embedding.
 */
#include "lanes.h"
#include "tiers.h"

#include <math.h>

static float sum_of_squares(const float *x, int64_t n) {
    lanes32 sum = lanes_zero();
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
        const lanes32 v = load_32(x, TERN_F32, i);
        sum = lanes_add_products(sum, v, v);
    }
    if (i < n) {
        const lanes32 tail = load_partial_32(x, TERN_F32, i, n - i);
        sum = lanes_add_products(sum, tail, tail);
    }
    return lanes_fold(sum);
}

void tern_neon_rms_norm(const float *x, int64_t x_stride, const float *weight, float eps, int64_t cols,
                        int64_t token_begin, int64_t token_end, float *y, int64_t y_stride) {
    for (int64_t t = token_begin; t < token_end; t++) {
        const float *from = x + t * x_stride;
        float *to = y + t * y_stride;
        const float q = sum_of_squares(from, cols) / (float)cols;
        const float f = 1.0f / sqrtf(q + eps);
        int64_t i = 0;
        for (; i + 4 <= cols; i += 4) {
            vst1q_f32(to + i, vmulq_f32(vmulq_n_f32(vld1q_f32(from + i), f), vld1q_f32(weight + i)));
        }
        for (; i < cols; i++) {
            to[i] = from[i] * f * weight[i];
        }
    }
}

/* y0 = fma(x0, c, -(x1 * s)), y1 = fma(x1, c, x0 * s). */
TERN_INLINE void rotate_4(float32x4_t *x0, float32x4_t *x1, float32x4_t c, float32x4_t s) {
    const float32x4_t y0 = vfmaq_f32(vnegq_f32(vmulq_f32(*x1, s)), *x0, c);
    *x1 = vfmaq_f32(vmulq_f32(*x0, s), *x1, c);
    *x0 = y0;
}

TERN_INLINE void rotate_pair(float *first, float *second, float c, float s) {
    const float x0 = *first;
    const float x1 = *second;
    *first = fmaf(x0, c, -(x1 * s));
    *second = fmaf(x1, c, x0 * s);
}

/* Pairs (i, i + pairs): x0 and x1 are two stretches of the head. */
static void rotate_halves(float *head, const float *cosines, const float *sines, int64_t pairs) {
    int64_t i = 0;
    for (; i + 4 <= pairs; i += 4) {
        float32x4_t x0 = vld1q_f32(head + i);
        float32x4_t x1 = vld1q_f32(head + pairs + i);
        rotate_4(&x0, &x1, vld1q_f32(cosines + i), vld1q_f32(sines + i));
        vst1q_f32(head + i, x0);
        vst1q_f32(head + pairs + i, x1);
    }
    for (; i < pairs; i++) {
        rotate_pair(head + i, head + pairs + i, cosines[i], sines[i]);
    }
}

/* Pairs (2i, 2i + 1): the structured load takes them apart. */
static void rotate_neighbours(float *head, const float *cosines, const float *sines, int64_t pairs) {
    int64_t i = 0;
    for (; i + 4 <= pairs; i += 4) {
        float32x4x2_t x = vld2q_f32(head + 2 * i);
        rotate_4(&x.val[0], &x.val[1], vld1q_f32(cosines + i), vld1q_f32(sines + i));
        vst2q_f32(head + 2 * i, x);
    }
    for (; i < pairs; i++) {
        rotate_pair(head + 2 * i, head + 2 * i + 1, cosines[i], sines[i]);
    }
}

void tern_neon_rope(float *x, int64_t x_stride, int64_t heads, int64_t head_dim, const tern_rope *rope,
                    int64_t position, int64_t token_begin, int64_t token_end) {
    const int64_t pairs = rope->dims / 2;
    for (int64_t t = token_begin; t < token_end; t++) {
        const float *cosines = rope->cosines + (position + t) * pairs;
        const float *sines = rope->sines + (position + t) * pairs;
        for (int64_t h = 0; h < heads; h++) {
            float *head = x + t * x_stride + h * head_dim;
            if (rope->pairing == TERN_ROPE_NEIGHBOURS) {
                rotate_neighbours(head, cosines, sines, pairs);
            } else {
                rotate_halves(head, cosines, sines, pairs);
            }
        }
    }
}
