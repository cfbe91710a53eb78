/*
 * attention.c, scalar: the KV cache, softmax, and attention over the cache.
 */
#include "floats.h"
#include "tiers.h"

/* `count` elements, whole blocks, from element `at` of the cache on. */
static void store_q8_0(const float *x, uint8_t *cache, int64_t at, int64_t count) {
    uint8_t *block = cache + at / Q8_0_COLUMNS * Q8_0_BYTES;
    for (int64_t begin = 0; begin < count; begin += Q8_0_COLUMNS, block += Q8_0_BYTES) {
        float m = 0;
        for (int i = 0; i < Q8_0_COLUMNS; i++) {
            const float magnitude = fabsf(x[begin + i]);
            m = magnitude > m ? magnitude : m; /* false for a NaN */
        }
        const float d = m / 127.0f;
        const float r = d == 0 ? 0 : 1.0f / d;
        const uint16_t half = f16_of_float(d);
        block[0] = (uint8_t)half;
        block[1] = (uint8_t)(half >> 8);
        for (int i = 0; i < Q8_0_COLUMNS; i++) {
            const float q = rintf(x[begin + i] * r);
            block[Q8_0_VALUES + i] =
                (uint8_t)(int8_t)(q > -127 ? (q < 127 ? q : 127) : -127); /* a NaN is not greater */
        }
    }
}

static void store_head(const float *x, void *cache, int32_t type, int64_t at, int64_t count) {
    if (type == TERN_Q8_0) {
        store_q8_0(x, cache, at, count);
        return;
    }
    for (int64_t d = 0; d < count; d++) {
        if (type == TERN_F16) {
            ((uint16_t *)cache)[at + d] = f16_of_float(x[d]);
        } else {
            ((float *)cache)[at + d] = x[d];
        }
    }
}

void tern_scalar_store_kv(const tern_kv_layer *kv, const float *k, const float *v, int64_t stride, int64_t position,
                          int64_t token_begin, int64_t token_end) {
    for (int64_t t = token_begin; t < token_end; t++) {
        for (int64_t h = 0; h < kv->kv_heads; h++) {
            const int64_t from = t * stride + h * kv->head_dim;
            const int64_t at = (h * kv->capacity + position + t) * kv->head_dim;
            store_head(k + from, kv->keys, kv->type, at, kv->head_dim);
            store_head(v + from, kv->values, kv->type, at, kv->head_dim);
        }
    }
}

void tern_scalar_softmax(float *x, int64_t n) {
    float m = x[0];
    for (int64_t i = 1; i < n; i++) {
        m = x[i] > m ? x[i] : m;
    }
    lanes sum;
    lanes_clear(&sum);
    for (int64_t i = 0; i < n; i++) {
        x[i] = exp_of(x[i] - m);
        lanes_add(&sum, i, x[i]);
    }
    lanes_fill(&sum, n);
    const float f = 1.0f / lanes_fold(&sum);
    for (int64_t i = 0; i < n; i++) {
        x[i] *= f;
    }
}

void tern_scalar_attention(const tern_kv_layer *kv, const float *q, int64_t q_stride, int64_t heads, int64_t position,
                           int64_t item_begin, int64_t item_end, float scale, float *scores, float *out,
                           int64_t out_stride) {
    const int64_t group = heads / kv->kv_heads;
    const int64_t d_count = kv->head_dim;
    for (int64_t item = item_begin; item < item_end; item++) {
        const int64_t t = item / heads;
        const int64_t h = item % heads;
        const int64_t length = position + t + 1;
        const int64_t cache_head = h / group * kv->capacity * d_count;
        const float *query = q + t * q_stride + h * d_count;
        float *result = out + t * out_stride + h * d_count;
        for (int64_t p = 0; p < length; p++) {
            lanes sum;
            lanes_clear(&sum);
            for (int64_t d = 0; d < d_count; d++) {
                lanes_add_product(&sum, d, query[d], float_at(kv->keys, kv->type, cache_head + p * d_count + d));
            }
            lanes_fill(&sum, d_count);
            scores[p] = lanes_fold(&sum) * scale;
        }
        tern_scalar_softmax(scores, length);
        for (int64_t d = 0; d < d_count; d++) {
            float o = 0;
            for (int64_t p = 0; p < length; p++) {
                o = fmaf(scores[p], float_at(kv->values, kv->type, cache_head + p * d_count + d), o);
            }
            result[d] = o;
        }
    }
}
