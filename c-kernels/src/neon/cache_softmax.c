/*
 * cache_softmax.c, NEON: writing the KV cache, and softmax.
 */
#include "lanes.h"
#include "tiers.h"

/* vcvt_f16_f32 rounds as FPCR says, which is half to even unless a program changed it. */
static void narrow_to_f16(const float *from, uint16_t *to, int64_t n) {
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        vst1_u16(to + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(from + i))));
    }
    if (i < n) {
        uint16_t tail[4];
        vst1_u16(tail, vreinterpret_u16_f16(vcvt_f16_f32(load_partial_4(from + i, n - i))));
        memcpy(to + i, tail, (size_t)(n - i) * sizeof(uint16_t));
    }
}

static void store_head(const float *from, void *cache, int32_t type, int64_t at, int64_t n) {
    if (type == TERN_F16) {
        narrow_to_f16(from, (uint16_t *)cache + at, n);
    } else {
        memcpy((float *)cache + at, from, (size_t)n * sizeof(float));
    }
}

void tern_neon_store_kv(const tern_kv_layer *kv, const float *k, const float *v, int64_t stride, int64_t position,
                        int64_t token_begin, int64_t token_end) {
    if (kv->type == TERN_Q8_0) {
        tern_scalar_store_kv(kv, k, v, stride, position, token_begin, token_end);
        return;
    }
    for (int64_t t = token_begin; t < token_end; t++) {
        for (int64_t h = 0; h < kv->kv_heads; h++) {
            const int64_t from = t * stride + h * kv->head_dim;
            const int64_t at = (h * kv->capacity + position + t) * kv->head_dim;
            store_head(k + from, kv->keys, kv->type, at, kv->head_dim);
            store_head(v + from, kv->values, kv->type, at, kv->head_dim);
        }
    }
}

static float largest(const float *x, int64_t n) {
    float m = x[0];
    int64_t i = 0;
    if (n >= 4) {
        float32x4_t v = vld1q_f32(x);
        for (i = 4; i + 4 <= n; i += 4) {
            v = vmaxq_f32(v, vld1q_f32(x + i));
        }
        m = vmaxvq_f32(v);
    }
    for (; i < n; i++) {
        m = x[i] > m ? x[i] : m;
    }
    return m;
}

void tern_neon_softmax(float *x, int64_t n) {
    const float32x4_t m = vdupq_n_f32(largest(x, n));
    lanes32 sum = lanes_zero();
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
        for (int j = 0; j < 8; j++) {
            const float32x4_t e = exp_4(vsubq_f32(vld1q_f32(x + i + 4 * j), m));
            vst1q_f32(x + i + 4 * j, e);
            sum.part[j] = vaddq_f32(sum.part[j], e);
        }
    }
    for (int j = 0; i < n; i += 4, j++) {
        const int64_t count = n - i < 4 ? n - i : 4;
        store_partial_4(x + i, exp_4(vsubq_f32(load_partial_4(x + i, count), m)), count);
        sum.part[j] = vaddq_f32(sum.part[j], load_partial_4(x + i, count)); /* the filling is 0, not exp(0 - m) */
    }
    const float f = 1.0f / lanes_fold(sum);
    for (i = 0; i + 4 <= n; i += 4) {
        vst1q_f32(x + i, vmulq_n_f32(vld1q_f32(x + i), f));
    }
    for (; i < n; i++) {
        x[i] *= f;
    }
}
