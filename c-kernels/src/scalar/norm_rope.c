/*
 * norm_rope.c, scalar: RMSNorm and rotary position embedding.
 */
#include "floats.h"
#include "tiers.h"

void tern_scalar_rms_norm(const float *x, int64_t x_stride, const float *weight, float eps, int64_t cols,
                          int64_t token_begin, int64_t token_end, float *y, int64_t y_stride) {
    for (int64_t t = token_begin; t < token_end; t++) {
        const float *from = x + t * x_stride;
        float *to = y + t * y_stride;
        lanes sum;
        lanes_clear(&sum);
        for (int64_t i = 0; i < cols; i++) {
            lanes_add_product(&sum, i, from[i], from[i]);
        }
        lanes_fill(&sum, cols);
        const float q = lanes_fold(&sum) / (float)cols;
        const float f = 1.0f / sqrtf(q + eps);
        for (int64_t i = 0; i < cols; i++) {
            to[i] = from[i] * f * weight[i];
        }
    }
}

void tern_scalar_rope(float *x, int64_t x_stride, int64_t heads, int64_t head_dim, const tern_rope *rope,
                      int64_t position, int64_t token_begin, int64_t token_end) {
    const int64_t pairs = rope->dims / 2;
    const int neighbours = rope->pairing == TERN_ROPE_NEIGHBOURS;
    for (int64_t t = token_begin; t < token_end; t++) {
        const float *cosines = rope->cosines + (position + t) * pairs;
        const float *sines = rope->sines + (position + t) * pairs;
        for (int64_t h = 0; h < heads; h++) {
            float *head = x + t * x_stride + h * head_dim;
            for (int64_t i = 0; i < pairs; i++) {
                float *first = head + (neighbours ? 2 * i : i);
                float *second = neighbours ? first + 1 : first + pairs;
                const float x0 = *first;
                const float x1 = *second;
                *first = fmaf(x0, cosines[i], -(x1 * sines[i]));
                *second = fmaf(x1, cosines[i], x0 * sines[i]);
            }
        }
    }
}
