/*
 * attention.c, NEON: attention over the KV cache.
 *
 * Two query heads of one group go together where they can: every key and value is loaded and widened once for both, and
 * the cache is walked half as often. At the borders of the range heads go one by one. The order of every sum is the
 * same.
 */
#include "lanes.h"
#include "tiers.h"

#include <stdbool.h>

/* BLOCK_POSITIONS values of 128 F16 elements are 8 KiB. */
enum { PAIR = 2, BLOCK_POSITIONS = 32 };

/* One query head: its vector with the partial group at the end, its scores, and where its result goes. */
typedef struct query_head {
    const float *q;
    lanes32 tail;
    float *scores;
    float *out;
} query_head;

/* The products of one key with the query of each of `heads` heads, folded down to four lanes. */
TERN_INLINE void score_lanes(int heads, const query_head *head, const void *keys, int32_t type, int64_t at,
                             int64_t d_count, float32x4_t folded[PAIR]) {
    lanes32 sums[PAIR];
    for (int h = 0; h < heads; h++) {
        sums[h] = lanes_zero();
    }
    int64_t d = 0;
    for (; d + 32 <= d_count; d += 32) {
        for (int j = 0; j < 8; j++) {
            const float32x4_t key = load_4(keys, type, at + d + 4 * j);
            for (int h = 0; h < heads; h++) {
                sums[h].part[j] = vfmaq_f32(sums[h].part[j], vld1q_f32(head[h].q + d + 4 * j), key);
            }
        }
    }
    if (d < d_count) {
        const lanes32 key = load_partial_32(keys, type, at + d, d_count - d);
        for (int h = 0; h < heads; h++) {
            sums[h] = lanes_add_products(sums[h], head[h].tail, key);
        }
    }
    for (int h = 0; h < heads; h++) {
        folded[h] = lanes_fold_to_4(sums[h]);
    }
}

/* The folds by 2 and 1 of four positions at once: lanes j + j+2 of two positions in one register, then neighbours. */
TERN_INLINE float32x4_t fold_4_of_4(const float32x4_t v[4]) {
    float32x4_t by_2[2];
    for (int i = 0; i < 2; i++) {
        by_2[i] = vaddq_f32(vcombine_f32(vget_low_f32(v[2 * i]), vget_low_f32(v[2 * i + 1])),
                            vcombine_f32(vget_high_f32(v[2 * i]), vget_high_f32(v[2 * i + 1])));
    }
    return vpaddq_f32(by_2[0], by_2[1]);
}

TERN_INLINE void compute_scores(int heads, const query_head *head, const void *keys, int32_t type, int64_t at,
                                int64_t d_count, int64_t length, float scale) {
    int64_t p = 0;
    for (; p + 4 <= length; p += 4) {
        float32x4_t folded[PAIR][4];
        for (int i = 0; i < 4; i++) {
            float32x4_t of_position[PAIR];
            score_lanes(heads, head, keys, type, at + (p + i) * d_count, d_count, of_position);
            for (int h = 0; h < heads; h++) {
                folded[h][i] = of_position[h];
            }
        }
        for (int h = 0; h < heads; h++) {
            vst1q_f32(head[h].scores + p, vmulq_n_f32(fold_4_of_4(folded[h]), scale));
        }
    }
    for (; p < length; p++) {
        float32x4_t folded[PAIR];
        score_lanes(heads, head, keys, type, at + p * d_count, d_count, folded);
        for (int h = 0; h < heads; h++) {
            head[h].scores[p] = fold_4(folded[h]) * scale;
        }
    }
}

/* Adds positions [begin, end), ascending, to output elements [d, d + 4 * registers) of each head. */
TERN_INLINE void mix_values(int heads, const query_head *head, const void *values, int32_t type, int64_t at,
                            int64_t d_count, int64_t begin, int64_t end, int64_t d, int registers) {
    float32x4_t sums[PAIR][16];
    for (int h = 0; h < heads; h++) {
        for (int j = 0; j < registers; j++) {
            sums[h][j] = begin == 0 ? vdupq_n_f32(0) : vld1q_f32(head[h].out + d + 4 * j);
        }
    }
    for (int64_t p = begin; p < end; p++) {
        for (int j = 0; j < registers; j++) {
            const float32x4_t value = load_4(values, type, at + p * d_count + d + 4 * j);
            for (int h = 0; h < heads; h++) {
                sums[h][j] = vfmaq_n_f32(sums[h][j], value, head[h].scores[p]);
            }
        }
    }
    for (int h = 0; h < heads; h++) {
        for (int j = 0; j < registers; j++) {
            vst1q_f32(head[h].out + d + 4 * j, sums[h][j]);
        }
    }
}

/* The last, fewer than 4, output elements of one head. */
TERN_INLINE void mix_last_values(const query_head *head, const void *values, int32_t type, int64_t at, int64_t d_count,
                                 int64_t length, int64_t d) {
    float32x4_t sum = vdupq_n_f32(0);
    for (int64_t p = 0; p < length; p++) {
        const lanes32 value = load_partial_32(values, type, at + p * d_count + d, d_count - d);
        sum = vfmaq_n_f32(sum, value.part[0], head->scores[p]);
    }
    store_partial_4(head->out + d, sum, d_count - d);
}

TERN_INLINE void attend(int heads, const query_head *head, const tern_kv_layer *kv, int32_t type, int64_t at,
                        int64_t length, float scale) {
    const int64_t d_count = kv->head_dim;
    compute_scores(heads, head, kv->keys, type, at, d_count, length, scale);
    for (int h = 0; h < heads; h++) {
        tern_neon_softmax(head[h].scores, length);
    }
    const int registers = 16 / heads; /* with all heads 16 sums, half of the registers there are */
    const int64_t whole = d_count / 4 * 4;
    for (int64_t begin = 0; begin < length; begin += BLOCK_POSITIONS) {
        const int64_t end = begin + BLOCK_POSITIONS < length ? begin + BLOCK_POSITIONS : length;
        int64_t d = 0;
        for (; d + 4 * registers <= whole; d += 4 * registers) {
            mix_values(heads, head, kv->values, type, at, d_count, begin, end, d, registers);
        }
        for (; d < whole; d += 4) {
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

void tern_neon_attention(const tern_kv_layer *kv, const float *q, int64_t q_stride, int64_t heads, int64_t position,
                         int64_t item_begin, int64_t item_end, float scale, float *scores, float *out,
                         int64_t out_stride) {
    if (kv->type == TERN_Q8_0) { /* chosen for its size */
        tern_scalar_attention(kv, q, q_stride, heads, position, item_begin, item_end, scale, scores, out, out_stride);
        return;
    }
    const int64_t group = heads / kv->kv_heads;
    const int64_t whole = kv->head_dim / 32 * 32;
    int64_t item = item_begin;
    while (item < item_end) {
        const int64_t t = item / heads;
        const int64_t h = item % heads;
        const int64_t length = position + t + 1;
        const int64_t at = h / group * kv->capacity * kv->head_dim;
        const bool paired = h % group + 1 < group && item + 1 < item_end;
        query_head pair[PAIR];
        for (int i = 0; i < (paired ? 2 : 1); i++) {
            const float *query = q + t * q_stride + (h + i) * kv->head_dim;
            pair[i] =
                (query_head){query, load_partial_32(query, TERN_F32, whole, kv->head_dim - whole),
                             scores + i * ((length + 15) / 16 * 16), out + t * out_stride + (h + i) * kv->head_dim};
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
