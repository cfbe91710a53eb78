/*
 * attention_blocks.h: attention in blocks, made of the functions that attention_rows.h lists.
 */
#ifndef TERN_ATTENTION_BLOCKS_H
#define TERN_ATTENTION_BLOCKS_H

#include "attention_rows.h"
#include "float_blocks.h"
#include "tiers.h"

#include <string.h>

#define WITH_ROWS(rows, function, ...)                                                                                 \
    switch (rows) {                                                                                                    \
    case 1: function(1, __VA_ARGS__); break;                                                                           \
    case 2: function(2, __VA_ARGS__); break;                                                                           \
    case 3: function(3, __VA_ARGS__); break;                                                                           \
    default: function(TILE_ROWS, __VA_ARGS__);                                                                         \
    }

TERN_INLINE int64_t lesser(int64_t a, int64_t b) {
    return a < b ? a : b;
}

TERN_INLINE attention_source source_from(attention_source source, int64_t position) {
    source.at += position * source.stride;
    return source;
}

/* Positions [begin, end) for the rows of a tile, each as far as it is long: all together as far as the first one. */
TERN_INLINE void mix_tile(int rows, const attention_row *row, attention_source source, int32_t type, int64_t dims,
                          int64_t begin, int64_t end) {
    int64_t common = lesser(row[0].length, end);
    if (begin < common) {
        WITH_ROWS(rows, mix_rows, row, source, type, dims, begin, common)
    } else {
        common = begin;
    }
    for (int r = 1; r < rows; r++) {
        const int64_t to = lesser(row[r].length, end);
        if (common < to) {
            mix_rows(1, row + r, source_from(source, common - begin), type, dims, common, to);
        }
    }
}

/* The keys or values that the block at hand is computed from: as they lie, or widened into `block`. */
TERN_INLINE attention_source widened(attention_source source, int32_t type, int64_t dims, int64_t padded, int64_t count,
                                     float *block) {
    for (int64_t i = 0; i < count; i++) {
        widen(source_from(source, i), type, dims, padded, block + i * padded);
    }
    return (attention_source){block, 0, padded};
}

TERN_INLINE uintptr_t bytes_of(int32_t type, int64_t elements) {
    return (uintptr_t)(type == TERN_Q8_0 ? elements / Q8_0_COLUMNS * Q8_0_BYTES
                                         : elements * (type == TERN_F16 ? 2 : 4));
}

/* Asks for positions that are used a block later. Past the end of the cache it is harmless: a prefetch never faults.
 * The address is made from an integer, since no pointer may point there. */
TERN_INLINE void prefetch_positions(attention_source source, int32_t type, int64_t count) {
    const uintptr_t begin = (uintptr_t)source.values + bytes_of(type, source.at);
    for (uintptr_t i = 0; i < bytes_of(type, count * source.stride); i += 64) {
        _mm_prefetch((const char *)(begin + i), _MM_HINT_T0);
    }
}

/* Attention of rows that share a key head, whose first key and value are element `at`. */
TERN_INLINE void attend(const tern_kv_layer *kv, int32_t type, int64_t at, const attention_row *row, int count,
                        float scale, bool prefetch) {
    _Alignas(64) float block[BLOCK_FLOATS];
    _Alignas(64) float packed[QUERY_FLOATS];
    const int64_t dims = kv->head_dim;
    const int64_t padded = (dims + 31) / 32 * 32;
    const int64_t longest = row[count - 1].length;
    const int64_t step = lesser(BLOCK_POSITIONS, BLOCK_FLOATS / padded / SCORE_POSITIONS * SCORE_POSITIONS);
    /* One tile takes keys and values as they lie, so that memory is read while it computes; more rows pay for widening.
     */
    const bool lying = dims == padded && (type == TERN_F32 || count <= TILE_ROWS);

    for (int r = 0; r < count; r += TILE_ROWS) {
        WITH_ROWS(count - r, pack_queries, row + r, dims, padded, packed + r * padded)
    }
    for (int64_t p = 0; p < longest; p += step) {
        const int64_t n = lesser(longest - p, step);
        const attention_source keys = {kv->keys, at + p * dims, dims};
        const bool whole = lying && n % SCORE_POSITIONS == 0;
        attention_source source = keys;
        if (lying && prefetch) {
            prefetch_positions(source_from(keys, step), type, step);
        }
        if (!whole) {
            source = widened(keys, type, dims, padded, n, block);
            memset(block + n * padded, 0, (size_t)(-n & (SCORE_POSITIONS - 1)) * (size_t)padded * sizeof(float));
        }
        for (int r = 0; r < count; r += TILE_ROWS) {
            const int rows = (int)lesser(count - r, TILE_ROWS);
            const int64_t end = lesser(row[r + rows - 1].length - p, n);
            for (int64_t k = 0; k < end; k += SCORE_POSITIONS) {
                const float *q = packed + r * padded;
                if (whole) {
                    WITH_ROWS(rows, score_rows, row + r, q, source_from(keys, k), type, padded, p + k, scale)
                } else {
                    WITH_ROWS(rows, score_rows, row + r, q, source_from(source, k), TERN_F32, padded, p + k, scale)
                }
            }
        }
    }
    for (int r = 0; r < count; r++) {
        softmax_row(row[r].scores, row[r].length);
    }
    for (int64_t p = 0; p < longest; p += step) {
        const int64_t n = lesser(longest - p, step);
        const attention_source values = {kv->values, at + p * dims, dims};
        if (lying && prefetch) {
            prefetch_positions(source_from(values, step), type, step);
        }
        const attention_source source = lying ? values : widened(values, type, dims, padded, n, block);
        for (int r = 0; r < count; r += TILE_ROWS) {
            const int rows = (int)lesser(count - r, TILE_ROWS);
            if (lying) {
                mix_tile(rows, row + r, values, type, dims, p, p + n);
            } else {
                mix_tile(rows, row + r, source, TERN_F32, dims, p, p + n);
            }
        }
    }
}

static void attend_f32(const tern_kv_layer *kv, int64_t at, const attention_row *row, int count, float scale,
                       bool prefetch) {
    attend(kv, TERN_F32, at, row, count, scale, prefetch);
}

static void attend_f16(const tern_kv_layer *kv, int64_t at, const attention_row *row, int count, float scale,
                       bool prefetch) {
    attend(kv, TERN_F16, at, row, count, scale, prefetch);
}

static void attend_q8_0(const tern_kv_layer *kv, int64_t at, const attention_row *row, int count, float scale,
                        bool prefetch) {
    attend(kv, TERN_Q8_0, at, row, count, scale, prefetch);
}

static void attend_of_type(const tern_kv_layer *kv, int64_t at, const attention_row *row, int count, float scale,
                           bool prefetch) {
    switch (kv->type) {
    case TERN_F16: attend_f16(kv, at, row, count, scale, prefetch); break;
    case TERN_Q8_0: attend_q8_0(kv, at, row, count, scale, prefetch); break;
    default: attend_f32(kv, at, row, count, scale, prefetch);
    }
}

/* The kernel `attention`: gathers rows, of one key head after the other. */
TERN_INLINE void attention_in_rows(const tern_kv_layer *kv, const float *q, int64_t q_stride, int64_t heads,
                                   int64_t position, int64_t item_begin, int64_t item_end, float scale, float *scores,
                                   float *out, int64_t out_stride, bool prefetch) {
    const int64_t dims = kv->head_dim;
    if (dims > MOST_DIMS) {
        tern_scalar_attention(kv, q, q_stride, heads, position, item_begin, item_end, scale, scores, out, out_stride);
        return;
    }
    attention_row row[TERN_ATTENTION_ROWS];
    const int most = (int)lesser(TERN_ATTENTION_ROWS, QUERY_FLOATS / ((dims + 31) / 32 * 32));
    const int64_t group = heads / kv->kv_heads;
    const int64_t token_end = (item_end + heads - 1) / heads;
    const int64_t score_stride = (position + token_end + SCORE_POSITIONS - 1) / SCORE_POSITIONS * SCORE_POSITIONS;
    for (int64_t key_head = 0; key_head < kv->kv_heads; key_head++) {
        const int64_t at = key_head * kv->capacity * dims;
        int count = 0;
        for (int64_t t = item_begin / heads; t < token_end; t++) {
            const int64_t begin = t * heads + key_head * group;
            const int64_t end = lesser(begin + group, item_end);
            for (int64_t item = begin < item_begin ? item_begin : begin; item < end; item++) {
                const int64_t h = item - t * heads;
                row[count] = (attention_row){q + t * q_stride + h * dims, scores + count * score_stride,
                                             out + t * out_stride + h * dims, position + t + 1};
                if (++count == most) {
                    attend_of_type(kv, at, row, count, scale, prefetch);
                    count = 0;
                }
            }
        }
        if (count > 0) {
            attend_of_type(kv, at, row, count, scale, prefetch);
        }
    }
}

#endif /* TERN_ATTENTION_BLOCKS_H */
