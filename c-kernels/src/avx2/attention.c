/*
 * attention.c, AVX2: attention over the KV cache, in the blocks of attention_rows.h.
 */
#include "attention_rows.h"
#include "float_blocks_32.h"
#include "lanes.h"
#include "tiers.h"
#include "x86_features.h"

#define softmax_row tern_avx2_softmax

/* A register that is multiplied several times is loaded once: the compiler would load it in every multiplication. */
TERN_INLINE __m256 in_register(__m256 v) {
    __asm__("" : "+x"(v));
    return v;
}

/* Elements [i, i + 8) of a cache, i being a multiple of 8 where it is of Q8_0. */
TERN_INLINE __m256 load_cached_8(const void *values, int32_t type, int64_t i) {
    if (type == TERN_Q8_0) {
        const uint8_t *block = q8_0_block(values, i);
        const __m128i q = _mm_loadl_epi64((const __m128i *)(block + Q8_0_VALUES + (i & (Q8_0_COLUMNS - 1))));
        return _mm256_mul_ps(_mm256_broadcastss_ps(load_half(block)), floats_of_bytes(q));
    }
    return load_8(values, type, i);
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

/* Rows go in pairs. Of each pair: of the first 32 elements registers 0 and 2, eight elements of each row, of the next
 * 32 likewise, to the end; then registers 1 and 3 likewise. So score_keys reads them from begin to end. */
TERN_INLINE void pack_queries(int rows, const attention_row *row, int64_t dims, int64_t padded, float *packed) {
    for (int first = 0; first < rows; first += 2) {
        const int end = first + 2 < rows ? first + 2 : rows;
        for (int part = 0; part < 2; part++) {
            for (int64_t d = 8 * part; d < padded; d += 16) {
                for (int r = first; r < end; r++, packed += 8) {
                    const int64_t left = dims - d;
                    const __m256i mask = first_of_8(left < 0 ? 0 : left < 8 ? left : 8);
                    _mm256_store_ps(packed, _mm256_maskload_ps(row[r].q + d, mask));
                }
            }
        }
    }
}

/* Two rows times three keys make twelve sums: registers 0 and 2 of the 32 lanes, which the fold by 16 adds, then 1
 * and 3. */
enum { PAIR = 2, KEYS = 3 };

/* The products of `keys` keys from `at` on with each of a pair of rows, folded down to eight lanes. */
TERN_INLINE void score_keys(int rows, int keys, const float *packed, const void *values, int32_t type, int64_t at,
                            int64_t stride, int64_t padded, __m256 folded[PAIR][8], int k) {
    for (int part = 0; part < 2; part++) {
        __m256 sums[PAIR][KEYS][2];
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < keys; i++) {
                sums[r][i][0] = sums[r][i][1] = _mm256_setzero_ps();
            }
        }
        for (int64_t d = 8 * part; d < padded; d += 32) {
            for (int half = 0; half < 2; half++) {
                __m256 key[KEYS];
                for (int i = 0; i < keys; i++) {
                    key[i] = in_register(load_cached_8(values, type, at + i * stride + d + 16 * half));
                }
                for (int r = 0; r < rows; r++, packed += 8) {
                    const __m256 query = in_register(_mm256_load_ps(packed));
                    for (int i = 0; i < keys; i++) {
                        sums[r][i][half] = _mm256_fmadd_ps(query, key[i], sums[r][i][half]);
                    }
                }
            }
        }
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < keys; i++) {
                const __m256 sum = _mm256_add_ps(sums[r][i][0], sums[r][i][1]);
                folded[r][k + i] = part == 0 ? sum : _mm256_add_ps(folded[r][k + i], sum);
            }
        }
    }
}

TERN_INLINE void score_pair(int rows, const attention_row *row, const float *packed, attention_source source,
                            int32_t type, int64_t padded, int64_t p, float scale) {
    for (int i = 0; i < SCORE_POSITIONS; i += 8, p += 8) {
        __m256 folded[PAIR][8];
        const int64_t at = source.at + i * source.stride;
        score_keys(rows, 3, packed, source.values, type, at, source.stride, padded, folded, 0);
        score_keys(rows, 3, packed, source.values, type, at + 3 * source.stride, source.stride, padded, folded, 3);
        score_keys(rows, 2, packed, source.values, type, at + 6 * source.stride, source.stride, padded, folded, 6);
        for (int r = 0; r < rows; r++) {
            _mm256_storeu_ps(row[r].scores + p, _mm256_mul_ps(fold_8_of_8(folded[r]), _mm256_set1_ps(scale)));
        }
    }
}

TERN_INLINE void score_rows(int rows, const attention_row *row, const float *packed, attention_source source,
                            int32_t type, int64_t padded, int64_t p, float scale) {
    score_pair(rows < 2 ? rows : 2, row, packed, source, type, padded, p, scale);
    if (rows > 2) {
        score_pair(rows - 2, row + 2, packed + 2 * padded, source, type, padded, p, scale);
    }
}

/* Output elements [d, d + 8 * vectors) of each row; `tail`: the last of them, fewer than eight. */
TERN_INLINE void mix_vectors(int rows, int vectors, const attention_row *row, attention_source source, int32_t type,
                             int64_t begin, int64_t end, int64_t d, const __m256i *tail) {
    enum { MOST = 3 };
    __m256 sums[TILE_ROWS][MOST];
    for (int r = 0; r < rows; r++) {
        const float *out = row[r].out + d;
        for (int j = 0; j < vectors; j++) {
            sums[r][j] = begin == 0     ? _mm256_setzero_ps()
                         : tail != NULL ? _mm256_maskload_ps(out, *tail)
                                        : _mm256_loadu_ps(out + 8 * j);
        }
    }
    int64_t at = source.at + d;
    for (int64_t p = begin; p < end; p++, at += source.stride) {
        __m256 value[MOST];
        for (int j = 0; j < vectors; j++) {
            value[j] = in_register(load_cached_8(source.values, type, at + 8 * j));
        }
        for (int r = 0; r < rows; r++) {
            const __m256 weight = _mm256_broadcast_ss(row[r].scores + p);
            for (int j = 0; j < vectors; j++) {
                sums[r][j] = _mm256_fmadd_ps(weight, value[j], sums[r][j]);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        float *out = row[r].out + d;
        for (int j = 0; j < vectors; j++) {
            if (tail != NULL) {
                _mm256_maskstore_ps(out, *tail, sums[r][j]);
            } else {
                _mm256_storeu_ps(out + 8 * j, sums[r][j]);
            }
        }
    }
}

TERN_INLINE void mix_rows(int rows, const attention_row *row, attention_source source, int32_t type, int64_t dims,
                          int64_t begin, int64_t end) {
    int64_t d = 0;
    for (; d + 24 <= dims; d += 24) {
        mix_vectors(rows, 3, row, source, type, begin, end, d, NULL);
    }
    for (; d + 8 <= dims; d += 8) {
        mix_vectors(rows, 1, row, source, type, begin, end, d, NULL);
    }
    if (d < dims) {
        const __m256i tail = first_of_8(dims - d);
        mix_vectors(rows, 1, row, source, type, begin, end, d, &tail);
    }
}

TERN_INLINE void widen(attention_source source, int32_t type, int64_t dims, int64_t padded, float *block) {
    int64_t d = 0;
    for (; d + 32 <= dims; d += 32) {
        for (int j = 0; j < 4; j++) {
            _mm256_store_ps(block + d + 8 * j, load_cached_8(source.values, type, source.at + d + 8 * j));
        }
    }
    if (d < padded) {
        const lanes32 tail = load_partial_32(source.values, type, source.at + d, dims - d);
        for (int j = 0; j < 4; j++) {
            _mm256_store_ps(block + d + 8 * j, tail.part[j]);
        }
    }
}

#include "attention_blocks.h"

void tern_avx2_attention_as(const tern_kv_layer *kv, const float *q, int64_t q_stride, int64_t heads, int64_t position,
                            int64_t item_begin, int64_t item_end, float scale, float *scores, float *out,
                            int64_t out_stride, bool prefetch) {
    attention_in_rows(kv, q, q_stride, heads, position, item_begin, item_end, scale, scores, out, out_stride, prefetch);
}

void tern_avx2_attention(const tern_kv_layer *kv, const float *q, int64_t q_stride, int64_t heads, int64_t position,
                         int64_t item_begin, int64_t item_end, float scale, float *scores, float *out,
                         int64_t out_stride) {
    tern_avx2_attention_as(kv, q, q_stride, heads, position, item_begin, item_end, scale, scores, out, out_stride,
                           tern_prefetch_pays());
}
