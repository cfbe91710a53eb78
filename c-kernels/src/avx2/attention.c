/*
 * attention.c, AVX2: attention over the KV cache.
 *
 * Two query heads of one group go together where they can: every key and value is loaded and widened once for both, and
 * the cache is walked half as often. The second head's scores lie on the stack, for the caller lends scratch for one;
 * beyond PAIR_POSITIONS, and at the borders of the range, heads go one by one. The order of every sum is the same.
 *
 * Keys are read once for the scores; values once for each stretch of output elements, which stay in eight registers
 * over all positions.
 */
#include "lanes.h"
#include "tiers.h"

#include <stdbool.h>

/* BLOCK_POSITIONS values of 128 F16 elements are 8 KiB. */
enum { PAIR = 2, PAIR_POSITIONS = 4096, BLOCK_POSITIONS = 32 };

/* One query head: its vector with the partial group at the end, its scores, and where its result goes. */
typedef struct query_head {
    const float *q;
    lanes32 tail;
    float *scores;
    float *out;
} query_head;

/* The products of one key with the query of each of `heads` heads, folded down to eight lanes. */
TERN_INLINE void score_lanes(int heads, const query_head *head, const void *keys, int32_t type, int64_t at,
                             int64_t d_count, __m256 folded[PAIR]) {
    lanes32 sums[PAIR];
    for (int h = 0; h < heads; h++) {
        sums[h] = lanes_zero();
    }
    int64_t d = 0;
    for (; d + 32 <= d_count; d += 32) {
        for (int j = 0; j < 4; j++) {
            const __m256 key = load_8(keys, type, at + d + 8 * j);
            for (int h = 0; h < heads; h++) {
                sums[h].part[j] = _mm256_fmadd_ps(_mm256_loadu_ps(head[h].q + d + 8 * j), key, sums[h].part[j]);
            }
        }
    }
    if (d < d_count) {
        const lanes32 key = load_partial_32(keys, type, at + d, d_count - d);
        for (int h = 0; h < heads; h++) {
            for (int j = 0; j < 4; j++) {
                sums[h].part[j] = _mm256_fmadd_ps(head[h].tail.part[j], key.part[j], sums[h].part[j]);
            }
        }
    }
    for (int h = 0; h < heads; h++) {
        folded[h] = lanes_fold_to_8(sums[h]);
    }
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

TERN_INLINE void compute_scores(int heads, const query_head *head, const void *keys, int32_t type, int64_t at,
                                int64_t d_count, int64_t length, float scale) {
    int64_t p = 0;
    for (; p + 8 <= length; p += 8) {
        __m256 folded[PAIR][8];
        for (int i = 0; i < 8; i++) {
            __m256 of_position[PAIR];
            score_lanes(heads, head, keys, type, at + (p + i) * d_count, d_count, of_position);
            for (int h = 0; h < heads; h++) {
                folded[h][i] = of_position[h];
            }
        }
        for (int h = 0; h < heads; h++) {
            _mm256_storeu_ps(head[h].scores + p, _mm256_mul_ps(fold_8_of_8(folded[h]), _mm256_set1_ps(scale)));
        }
    }
    for (; p < length; p++) {
        __m256 folded[PAIR];
        score_lanes(heads, head, keys, type, at + p * d_count, d_count, folded);
        for (int h = 0; h < heads; h++) {
            head[h].scores[p] = fold_8(folded[h]) * scale;
        }
    }
}

/* Adds positions [begin, end), ascending, to output elements [d, d + 8 * registers) of each head. */
TERN_INLINE void mix_values(int heads, const query_head *head, const void *values, int32_t type, int64_t at,
                            int64_t d_count, int64_t begin, int64_t end, int64_t d, int registers) {
    __m256 sums[PAIR][8];
    for (int h = 0; h < heads; h++) {
        for (int j = 0; j < registers; j++) {
            sums[h][j] = begin == 0 ? _mm256_setzero_ps() : _mm256_loadu_ps(head[h].out + d + 8 * j);
        }
    }
    for (int64_t p = begin; p < end; p++) {
        __m256 weight[PAIR];
        for (int h = 0; h < heads; h++) {
            weight[h] = _mm256_broadcast_ss(head[h].scores + p);
        }
        for (int j = 0; j < registers; j++) {
            const __m256 value = load_8(values, type, at + p * d_count + d + 8 * j);
            for (int h = 0; h < heads; h++) {
                sums[h][j] = _mm256_fmadd_ps(weight[h], value, sums[h][j]);
            }
        }
    }
    for (int h = 0; h < heads; h++) {
        for (int j = 0; j < registers; j++) {
            _mm256_storeu_ps(head[h].out + d + 8 * j, sums[h][j]);
        }
    }
}

/* The last, fewer than 8, output elements of one head. */
TERN_INLINE void mix_last_values(const query_head *head, const void *values, int32_t type, int64_t at, int64_t d_count,
                                 int64_t length, int64_t d) {
    __m256 sum = _mm256_setzero_ps();
    for (int64_t p = 0; p < length; p++) {
        const lanes32 value = load_partial_32(values, type, at + p * d_count + d, d_count - d);
        sum = _mm256_fmadd_ps(_mm256_broadcast_ss(head->scores + p), value.part[0], sum);
    }
    _mm256_maskstore_ps(head->out + d, first_of_8(d_count - d), sum);
}

TERN_INLINE void attend(int heads, const query_head *head, const tern_kv_layer *kv, int32_t type, int64_t at,
                        int64_t length, float scale) {
    const int64_t d_count = kv->head_dim;
    compute_scores(heads, head, kv->keys, type, at, d_count, length, scale);
    for (int h = 0; h < heads; h++) {
        tern_avx2_softmax(head[h].scores, length);
    }
    const int registers = 8 / heads; /* with all heads eight sums, two a cycle at a latency of four */
    const int64_t whole = d_count / 8 * 8;
    for (int64_t begin = 0; begin < length; begin += BLOCK_POSITIONS) {
        const int64_t end = begin + BLOCK_POSITIONS < length ? begin + BLOCK_POSITIONS : length;
        int64_t d = 0;
        for (; d + 8 * registers <= whole; d += 8 * registers) {
            mix_values(heads, head, kv->values, type, at, d_count, begin, end, d, registers);
        }
        for (; d < whole; d += 8) {
            mix_values(heads, head, kv->values, type, at, d_count, begin, end, d, 1);
        }
    }
    for (int h = 0; whole < d_count && h < heads; h++) {
        mix_last_values(head + h, kv->values, type, at, d_count, length, whole);
    }
}

TERN_INLINE void attend_of_type(int heads, const query_head *head, const tern_kv_layer *kv, int64_t at, int64_t length,
                                float scale) {
    if (kv->type == TERN_F16) {
        attend(heads, head, kv, TERN_F16, at, length, scale);
    } else {
        attend(heads, head, kv, TERN_F32, at, length, scale);
    }
}

void tern_avx2_attention(const tern_kv_layer *kv, const float *q, int64_t q_stride, int64_t heads, int64_t position,
                         int64_t item_begin, int64_t item_end, float scale, float *scores, float *out,
                         int64_t out_stride) {
    float second_scores[PAIR_POSITIONS];
    const int64_t group = heads / kv->kv_heads;
    const int64_t whole = kv->head_dim / 32 * 32;
    int64_t item = item_begin;
    while (item < item_end) {
        const int64_t t = item / heads;
        const int64_t h = item % heads;
        const int64_t length = position + t + 1;
        const int64_t at = h / group * kv->capacity * kv->head_dim;
        const bool paired = h % group + 1 < group && item + 1 < item_end && length <= PAIR_POSITIONS;
        query_head pair[PAIR];
        for (int i = 0; i < (paired ? 2 : 1); i++) {
            const float *query = q + t * q_stride + (h + i) * kv->head_dim;
            pair[i] = (query_head){query, load_partial_32(query, TERN_F32, whole, kv->head_dim - whole),
                                   i == 0 ? scores : second_scores, out + t * out_stride + (h + i) * kv->head_dim};
        }
        if (paired) {
            attend_of_type(2, pair, kv, at, length, scale);
            item += 2;
        } else {
            attend_of_type(1, pair, kv, at, length, scale);
            item++;
        }
    }
}
