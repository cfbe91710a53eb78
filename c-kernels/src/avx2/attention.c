/*
 * attention.c, AVX2: the KV cache, softmax, and attention over the cache.
 *
 * Keys are read once, in the cache's order, for the scores of one query head; values once for each stretch of 64 output
 * elements, which stay in eight registers over all positions. The heads of one group read the same keys and values one
 * after the other: they find them in the cache hierarchy. (Sharing the loads would need the scores of all heads of a
 * group at once, more scratch than the caller lends.)
 */
#include "lanes.h"
#include "tiers.h"

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

static void store_head(const float *from, void *cache, int32_t type, int64_t at, int64_t n) {
    if (type == TERN_F16) {
        narrow_to_f16(from, (uint16_t *)cache + at, n);
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
        __m128 w = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
        w = _mm_max_ps(w, _mm_movehl_ps(w, w));
        w = _mm_max_ss(w, _mm_movehdup_ps(w));
        m = _mm_cvtss_f32(w);
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

/* The products of one key with the query, folded down to eight lanes. `tail` is the query's partial group. */
TERN_INLINE __m256 score_lanes(const float *query, const lanes32 *tail, const void *keys, int32_t type, int64_t at,
                               int64_t d_count) {
    lanes32 sum = lanes_zero();
    int64_t d = 0;
    for (; d + 32 <= d_count; d += 32) {
        for (int j = 0; j < 4; j++) {
            const __m256 key = load_8(keys, type, at + d + 8 * j);
            sum.part[j] = _mm256_fmadd_ps(_mm256_loadu_ps(query + d + 8 * j), key, sum.part[j]);
        }
    }
    if (d < d_count) {
        const lanes32 key = load_partial_32(keys, type, at + d, d_count - d);
        for (int j = 0; j < 4; j++) {
            sum.part[j] = _mm256_fmadd_ps(tail->part[j], key.part[j], sum.part[j]);
        }
    }
    return lanes_fold_to_8(sum);
}

/* The folds by 4, 2 and 1 of eight positions at once, transposing on the way. Step one adds the halves of two positions
 * in one register (a b), step two lanes j and j + 2 of four positions (a c b d by quarters of two), step three lanes j
 * and j + 1; every lane adds the same two numbers as fold_8 does. */
TERN_INLINE __m256 fold_8_of_8(const __m256 v[8]) {
    __m256 by_4[4];
    for (int i = 0; i < 4; i++) { /* position i in the low half, i + 4 in the high one */
        by_4[i] =
            _mm256_add_ps(_mm256_permute2f128_ps(v[i], v[i + 4], 0x20), _mm256_permute2f128_ps(v[i], v[i + 4], 0x31));
    }
    __m256 by_2[2];
    for (int i = 0; i < 2; i++) { /* positions 2i, 2i + 1 | 2i + 4, 2i + 5, two lanes each */
        by_2[i] = _mm256_add_ps(_mm256_shuffle_ps(by_4[2 * i], by_4[2 * i + 1], _MM_SHUFFLE(1, 0, 1, 0)),
                                _mm256_shuffle_ps(by_4[2 * i], by_4[2 * i + 1], _MM_SHUFFLE(3, 2, 3, 2)));
    }
    return _mm256_add_ps(_mm256_shuffle_ps(by_2[0], by_2[1], _MM_SHUFFLE(2, 0, 2, 0)),
                         _mm256_shuffle_ps(by_2[0], by_2[1], _MM_SHUFFLE(3, 1, 3, 1)));
}

TERN_INLINE void compute_scores(const float *query, const void *keys, int32_t type, int64_t at, int64_t d_count,
                                int64_t length, float scale, float *scores) {
    const int64_t whole = d_count / 32 * 32;
    const lanes32 tail = load_partial_32(query, TERN_F32, whole, d_count - whole);
    int64_t p = 0;
    for (; p + 8 <= length; p += 8) {
        __m256 sums[8];
        for (int i = 0; i < 8; i++) {
            sums[i] = score_lanes(query, &tail, keys, type, at + (p + i) * d_count, d_count);
        }
        _mm256_storeu_ps(scores + p, _mm256_mul_ps(fold_8_of_8(sums), _mm256_set1_ps(scale)));
    }
    for (; p < length; p++) {
        scores[p] = fold_8(score_lanes(query, &tail, keys, type, at + p * d_count, d_count)) * scale;
    }
}

/* Output elements [d, d + 8 * registers), summed over all positions in ascending order. */
TERN_INLINE void mix_values(const float *weights, const void *values, int32_t type, int64_t at, int64_t d_count,
                            int64_t length, int64_t d, int registers, float *result) {
    __m256 sum[8];
    for (int j = 0; j < registers; j++) {
        sum[j] = _mm256_setzero_ps();
    }
    for (int64_t p = 0; p < length; p++) {
        const __m256 weight = _mm256_broadcast_ss(weights + p);
        for (int j = 0; j < registers; j++) {
            sum[j] = _mm256_fmadd_ps(weight, load_8(values, type, at + p * d_count + d + 8 * j), sum[j]);
        }
    }
    for (int j = 0; j < registers; j++) {
        _mm256_storeu_ps(result + d + 8 * j, sum[j]);
    }
}

/* The last, fewer than 8, output elements. */
TERN_INLINE void mix_last_values(const float *weights, const void *values, int32_t type, int64_t at, int64_t d_count,
                                 int64_t length, int64_t d, float *result) {
    __m256 sum = _mm256_setzero_ps();
    for (int64_t p = 0; p < length; p++) {
        const lanes32 value = load_partial_32(values, type, at + p * d_count + d, d_count - d);
        sum = _mm256_fmadd_ps(_mm256_broadcast_ss(weights + p), value.part[0], sum);
    }
    _mm256_maskstore_ps(result + d, first_of_8(d_count - d), sum);
}

TERN_INLINE void attend(const tern_kv_layer *kv, int32_t type, const float *query, int64_t at, int64_t length,
                        float scale, float *scores, float *result) {
    const int64_t d_count = kv->head_dim;
    compute_scores(query, kv->keys, type, at, d_count, length, scale, scores);
    tern_avx2_softmax(scores, length);
    int64_t d = 0;
    for (; d + 64 <= d_count; d += 64) {
        mix_values(scores, kv->values, type, at, d_count, length, d, 8, result);
    }
    for (; d + 8 <= d_count; d += 8) {
        mix_values(scores, kv->values, type, at, d_count, length, d, 1, result);
    }
    if (d < d_count) {
        mix_last_values(scores, kv->values, type, at, d_count, length, d, result);
    }
}

void tern_avx2_attention(const tern_kv_layer *kv, const float *q, int64_t q_stride, int64_t heads, int64_t position,
                         int64_t item_begin, int64_t item_end, float scale, float *scores, float *out,
                         int64_t out_stride) {
    const int64_t group = heads / kv->kv_heads;
    for (int64_t item = item_begin; item < item_end; item++) {
        const int64_t t = item / heads;
        const int64_t h = item % heads;
        const int64_t at = h / group * kv->capacity * kv->head_dim;
        const float *query = q + t * q_stride + h * kv->head_dim;
        float *result = out + t * out_stride + h * kv->head_dim;
        if (kv->type == TERN_F16) {
            attend(kv, TERN_F16, query, at, position + t + 1, scale, scores, result);
        } else {
            attend(kv, TERN_F32, query, at, position + t + 1, scale, scores, result);
        }
    }
}
