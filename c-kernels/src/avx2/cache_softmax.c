/*
 * cache_softmax.c, AVX2: writing the KV cache, and softmax.
 */
#include "float_blocks.h"
#include "lanes.h"
#include "tiers.h"

static float largest_of_8(__m256 v) {
    __m128 w = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    w = _mm_max_ps(w, _mm_movehl_ps(w, w));
    w = _mm_max_ss(w, _mm_movehdup_ps(w));
    return _mm_cvtss_f32(w);
}

static void narrow_to_f16(const float *from, uint16_t *to, int64_t n) {
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        _mm_storeu_si128((__m128i *)(to + i), _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
    }
    if (i < n) {
        uint16_t tail[8];
        const __m256 v = _mm256_maskload_ps(from + i, first_of_8(n - i));
        _mm_storeu_si128((__m128i *)tail, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
        memcpy(to + i, tail, (size_t)(n - i) * sizeof(uint16_t));
    }
}

/* A block of Q8_0 after the other. */
static void narrow_to_q8_0(const float *from, uint8_t *block, int64_t n) {
    const __m256 magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
    const __m256 least = _mm256_set1_ps(-127.0f);
    const __m256 most = _mm256_set1_ps(127.0f);
    for (int64_t i = 0; i < n; i += Q8_0_COLUMNS, block += Q8_0_BYTES) {
        __m256 x[4];
        __m256 m = _mm256_setzero_ps();
        for (int j = 0; j < 4; j++) {
            x[j] = _mm256_loadu_ps(from + i + 8 * j);
            m = _mm256_max_ps(_mm256_and_ps(x[j], magnitude), m); /* the second operand where one is a NaN */
        }
        const float d = largest_of_8(m) / 127.0f;
        const __m256 r = _mm256_set1_ps(d == 0 ? 0 : 1.0f / d);
        __m256i q[4];
        for (int j = 0; j < 4; j++) {
            const __m256 scaled = _mm256_min_ps(_mm256_max_ps(_mm256_mul_ps(x[j], r), least), most);
            q[j] = _mm256_cvtps_epi32(scaled);
        }
        /* Packing works within halves of registers: of each eight elements the first four, then the last four. */
        const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
        const __m256i in_order = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
        const int half = _mm_cvtsi128_si32(_mm_cvtps_ph(_mm_set_ss(d), _MM_FROUND_TO_NEAREST_INT));
        block[0] = (uint8_t)half;
        block[1] = (uint8_t)(half >> 8);
        _mm256_storeu_si256((__m256i *)(block + Q8_0_VALUES), in_order);
    }
}

static void store_head(const float *from, void *cache, int32_t type, int64_t at, int64_t n) {
    if (type == TERN_F16) {
        narrow_to_f16(from, (uint16_t *)cache + at, n);
    } else if (type == TERN_Q8_0) {
        narrow_to_q8_0(from, (uint8_t *)cache + at / Q8_0_COLUMNS * Q8_0_BYTES, n);
    } else {
        memcpy((float *)cache + at, from, (size_t)n * sizeof(float));
    }
}

void tern_avx2_store_kv(const tern_kv_layer *kv, const float *k, const float *v, int64_t stride, int64_t position,
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

static float largest(const float *x, int64_t n) {
    float m = x[0];
    int64_t i = 0;
    if (n >= 8) {
        __m256 v = _mm256_loadu_ps(x);
        for (i = 8; i + 8 <= n; i += 8) {
            v = _mm256_max_ps(v, _mm256_loadu_ps(x + i));
        }
        m = largest_of_8(v);
    }
    for (; i < n; i++) {
        m = x[i] > m ? x[i] : m;
    }
    return m;
}

void tern_avx2_softmax(float *x, int64_t n) {
    const __m256 m = _mm256_set1_ps(largest(x, n));
    lanes32 sum = lanes_zero();
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
        for (int j = 0; j < 4; j++) {
            const __m256 e = exp_8(_mm256_sub_ps(_mm256_loadu_ps(x + i + 8 * j), m));
            _mm256_storeu_ps(x + i + 8 * j, e);
            sum.part[j] = _mm256_add_ps(sum.part[j], e);
        }
    }
    if (i < n) {
        for (int j = 0; j < 4; j++) {
            const int64_t left = n - i - 8 * j;
            const __m256i mask = first_of_8(left < 0 ? 0 : left < 8 ? left : 8);
            __m256 e = exp_8(_mm256_sub_ps(_mm256_maskload_ps(x + i + 8 * j, mask), m));
            e = _mm256_and_ps(e, _mm256_castsi256_ps(mask)); /* the filling is 0, not exp(0 - m) */
            _mm256_maskstore_ps(x + i + 8 * j, mask, e);
            sum.part[j] = _mm256_add_ps(sum.part[j], e);
        }
    }
    const float f = 1.0f / lanes_fold(sum);
    for (i = 0; i + 8 <= n; i += 8) {
        _mm256_storeu_ps(x + i, _mm256_mul_ps(_mm256_loadu_ps(x + i), _mm256_set1_ps(f)));
    }
    for (; i < n; i++) {
        x[i] *= f;
    }
}
