/*
 * attention.c, AVX-512: attention over the KV cache, in the blocks of attention_rows.h.
 */
#include "attention_rows.h"
#include "lanes.h"
#include "tiers.h"
#include "x86_features.h"

#define softmax_row tern_avx512_softmax

/* A register that is multiplied twice is loaded once: the compiler would load it in every multiplication, and loads are
 * what these loops could run short of. */
TERN_INLINE __m512 in_register(__m512 v) {
    __asm__("" : "+v"(v));
    return v;
}

/* Steps of a fold for two sums at once: each lane of the upper half of a and of b is added to its partner in the lower
 * half, and the results share a register. */
TERN_INLINE __m512 fold_by_8(__m512 a, __m512 b) {
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(1, 0, 1, 0)),
                         _mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(3, 2, 3, 2)));
}

TERN_INLINE __m512 fold_by_4(__m512 a, __m512 b) {
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(2, 0, 2, 0)),
                         _mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
}

TERN_INLINE __m512 fold_by_2(__m512 a, __m512 b) {
    return _mm512_add_ps(_mm512_shuffle_ps(a, b, _MM_SHUFFLE(1, 0, 1, 0)),
                         _mm512_shuffle_ps(a, b, _MM_SHUFFLE(3, 2, 3, 2)));
}

TERN_INLINE __m512 fold_by_1(__m512 a, __m512 b) {
    return _mm512_add_ps(_mm512_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0)),
                         _mm512_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
}

/* Sixteen elements of each row, the next sixteen of each row, and so on. */
TERN_INLINE void pack_queries(int rows, const attention_row *row, int64_t dims, int64_t padded, float *packed) {
    for (int64_t d = 0; d < padded; d += 16) {
        for (int r = 0; r < rows; r++, packed += 16) {
            _mm512_store_ps(packed, load_first_of_16(row[r].q, TERN_F32, d, dims - d));
        }
    }
}

/* Two keys at a time: with four rows sixteen sums, of which each load serves two or four. */
TERN_INLINE void score_rows(int rows, const attention_row *row, const float *packed, attention_source source,
                            int32_t type, int64_t padded, int64_t p, float scale) {
    __m512 folded[TILE_ROWS][SCORE_POSITIONS / 2];
    for (int k = 0; k < SCORE_POSITIONS; k += 2) {
        const int64_t first = source.at + k * source.stride;
        const int64_t second = first + source.stride;
        __m512 sums[TILE_ROWS][2][2];
        for (int r = 0; r < rows; r++) {
            sums[r][0][0] = sums[r][0][1] = sums[r][1][0] = sums[r][1][1] = _mm512_setzero_ps();
        }
        const float *q = packed;
        for (int64_t d = 0; d < padded; d += 32) {
            const lanes32 a = load_32(source.values, type, first + d);
            const lanes32 b = load_32(source.values, type, second + d);
            for (int half = 0; half < 2; half++) {
                for (int r = 0; r < rows; r++, q += 16) {
                    const __m512 query = in_register(_mm512_load_ps(q));
                    sums[r][0][half] = _mm512_fmadd_ps(query, a.half[half], sums[r][0][half]);
                    sums[r][1][half] = _mm512_fmadd_ps(query, b.half[half], sums[r][1][half]);
                }
            }
        }
        for (int r = 0; r < rows; r++) {
            folded[r][k / 2] =
                fold_by_8(_mm512_add_ps(sums[r][0][0], sums[r][0][1]), _mm512_add_ps(sums[r][1][0], sums[r][1][1]));
        }
    }
    /* After the folds key k stands in lane k % 4 * 4 + k / 4. */
    const __m512i in_order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    for (int r = 0; r < rows; r++) {
        const __m512 *v = folded[r];
        const __m512 low = fold_by_2(fold_by_4(v[0], v[1]), fold_by_4(v[2], v[3]));
        const __m512 high = fold_by_2(fold_by_4(v[4], v[5]), fold_by_4(v[6], v[7]));
        const __m512 dots = _mm512_permutexvar_ps(in_order, fold_by_1(low, high));
        _mm512_storeu_ps(row[r].scores + p, _mm512_mul_ps(dots, _mm512_set1_ps(scale)));
    }
}

/* Output elements [d, d + 16 * vectors) of each row; of the last vector only those below `dims` exist. */
TERN_INLINE void mix_vectors(int rows, int vectors, const attention_row *row, attention_source source, int32_t type,
                             int64_t dims, int64_t begin, int64_t end, int64_t d) {
    enum { MOST = 4 };
    __m512 sums[TILE_ROWS][MOST];
    const __mmask16 last = first_of_16(dims - d - 16 * (vectors - 1));
    for (int r = 0; r < rows; r++) {
        const float *out = row[r].out + d;
        for (int j = 0; j < vectors; j++) {
            sums[r][j] =
                begin == 0 ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(j < vectors - 1 ? 0xffff : last, out + 16 * j);
        }
    }
    int64_t at = source.at + d;
    for (int64_t p = begin; p < end; p++, at += source.stride) {
        __m512 value[MOST];
        for (int j = 0; j < vectors / 2; j++) {
            const lanes32 pair = load_32(source.values, type, at + 32 * j);
            value[2 * j] = pair.half[0];
            value[2 * j + 1] = pair.half[1];
        }
        if (vectors % 2 != 0) {
            value[vectors - 1] = load_16(source.values, type, at + 16 * (vectors - 1));
        }
        for (int r = 0; r < rows; r++) {
            const __m512 weight = _mm512_set1_ps(row[r].scores[p]);
            for (int j = 0; j < vectors; j++) {
                sums[r][j] = _mm512_fmadd_ps(weight, value[j], sums[r][j]);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int j = 0; j < vectors; j++) {
            _mm512_mask_storeu_ps(row[r].out + d + 16 * j, j < vectors - 1 ? 0xffff : last, sums[r][j]);
        }
    }
}

TERN_INLINE void mix_rows(int rows, const attention_row *row, attention_source source, int32_t type, int64_t dims,
                          int64_t begin, int64_t end) {
    int64_t d = 0;
    for (; d + 48 < dims; d += 64) {
        mix_vectors(rows, 4, row, source, type, dims, begin, end, d);
    }
    for (; d + 16 < dims; d += 32) {
        mix_vectors(rows, 2, row, source, type, dims, begin, end, d);
    }
    for (; d < dims && type != TERN_Q8_0; d += 16) { /* Q8_0 has whole blocks */
        mix_vectors(rows, 1, row, source, type, dims, begin, end, d);
    }
}

TERN_INLINE void widen(attention_source source, int32_t type, int64_t dims, int64_t padded, float *block) {
    int64_t d = 0;
    for (; d + 32 <= dims; d += 32) {
        const lanes32 pair = load_32(source.values, type, source.at + d);
        _mm512_store_ps(block + d, pair.half[0]);
        _mm512_store_ps(block + d + 16, pair.half[1]);
    }
    for (; d < padded; d += 16) {
        _mm512_store_ps(block + d, load_first_of_16(source.values, type, source.at + d, dims - d));
    }
}

#include "attention_blocks.h"

void tern_avx512_attention_as(const tern_kv_layer *kv, const float *q, int64_t q_stride, int64_t heads,
                              int64_t position, int64_t item_begin, int64_t item_end, float scale, float *scores,
                              float *out, int64_t out_stride, bool prefetch) {
    attention_in_rows(kv, q, q_stride, heads, position, item_begin, item_end, scale, scores, out, out_stride, prefetch);
}

void tern_avx512_attention(const tern_kv_layer *kv, const float *q, int64_t q_stride, int64_t heads, int64_t position,
                           int64_t item_begin, int64_t item_end, float scale, float *scores, float *out,
                           int64_t out_stride) {
    tern_avx512_attention_as(kv, q, q_stride, heads, position, item_begin, item_end, scale, scores, out, out_stride,
                             tern_prefetch_pays());
}
