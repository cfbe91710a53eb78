/*
 * ternary_many_tokens.c, AVX2: packed ternary weights in rows times the int8 activations of many tokens.
 *
 * What bounds it is vector instructions: a maddubs and an addition for 32 products, and all that unpacking costs. So a
 * block of rows is unpacked once for a whole batch of tokens, a slice of columns at a time, into bytes that stay in L1;
 * the inner loop then is loads, maddubs and additions alone.
 */
#include "ternary_sums.h"
#include "tiers.h"

#include <stdbool.h>

/*
 * A tile of 2 rows x 4 tokens keeps its eight int16 sums, two codes, an activation and a product in registers. The
 * block of four such pairs of rows takes 10 KiB for its codes, 8 for its sums, and a tile's activations 5.
 */
enum { PAIRS = 4, BLOCK_ROWS = 2 * PAIRS, TILE_TOKENS = 4, BATCH = 128, SLICE_GROUPS = 10 };

_Static_assert(SLICE_GROUPS <= 16, "int16 sums must be widened after 16 groups");

/*
 * `codes` of a pair of rows: 32 columns of the one, then 32 of the other. A register of `wide` is the sums of a pair of
 * rows r and a pair of tokens t: r0 t0, r1 t0, r0 t1, r1 t1, in two halves still to be added.
 */
typedef struct block {
    uint8_t codes[PAIRS][2 * SLICE_GROUPS * TERN_GROUP];
    __m256i wide[BATCH / 2][PAIRS];
} block;

static void unpack(const uint8_t *from, int64_t groups, uint8_t *to) {
    const __m256i mask = _mm256_set1_epi8(0x03);
    for (int64_t g = 0; g < groups; g++) {
        const __m256i packed = load_bytes(from + g * 32);
        for (int quarter = 0; quarter < 4; quarter++) {
            const __m256i code = _mm256_and_si256(_mm256_srli_epi16(packed, 6 - 2 * quarter), mask);
            _mm256_storeu_si256((__m256i *)(to + g * 2 * TERN_GROUP + quarter * 64), code);
        }
    }
}

/* The sums of two rows and one token: r0 r0 r1 r1 in each half. */
TERN_INLINE __m256i widen_rows(__m256i row0, __m256i row1) {
    const __m256i ones = _mm256_set1_epi16(1);
    return _mm256_hadd_epi32(_mm256_madd_epi16(row0, ones), _mm256_madd_epi16(row1, ones));
}

/* The sums over a slice of `groups`, two tokens a register. Token t's activations begin at a + t * stride; meanwhile
 * those at `next`, which another tile needs, are asked for. */
TERN_INLINE void tile(int tokens, const uint8_t *codes, const int8_t *a, int64_t stride, int64_t groups, uintptr_t next,
                      __m256i out[2]) {
    __m256i sums[TILE_TOKENS][2];
    for (int t = 0; t < TILE_TOKENS; t++) {
        sums[t][0] = _mm256_setzero_si256();
        sums[t][1] = _mm256_setzero_si256();
    }
    for (int64_t c = 0; c < groups * TERN_GROUP; c += TERN_GROUP) {
        _mm_prefetch((const char *)(next + (uintptr_t)c), _MM_HINT_T0);
        _mm_prefetch((const char *)(next + (uintptr_t)c + 64), _MM_HINT_T0);
        for (int64_t at = c; at < c + TERN_GROUP; at += 32) {
            const __m256i code0 = in_register(load_bytes(codes + 2 * at));
            const __m256i code1 = in_register(load_bytes(codes + 2 * at + 32));
            for (int t = 0; t < tokens; t++) {
                const __m256i v = in_register(load_bytes(a + t * stride + at));
                sums[t][0] = add_products(sums[t][0], code0, v);
                sums[t][1] = add_products(sums[t][1], code1, v);
            }
        }
    }
    for (int t = 0; t < tokens; t += 2) {
        out[t / 2] = _mm256_hadd_epi32(widen_rows(sums[t][0], sums[t][1]), widen_rows(sums[t + 1][0], sums[t + 1][1]));
    }
}

/* Adds a slice to the sums of `pairs` of rows and `tokens` tokens from `token` on, or begins them with the first one.
 */
TERN_INLINE void add_slice(int tokens, block *b, int64_t pairs, int64_t token, const int8_t *a, int64_t stride,
                           int64_t groups, bool first) {
    const uintptr_t next = (uintptr_t)a + (uintptr_t)(TILE_TOKENS * stride);
    for (int64_t pair = 0; pair < pairs; pair++) {
        __m256i sums[2];
        tile(tokens, b->codes[pair], a, stride, groups, next + (uintptr_t)(pair * stride), sums);
        for (int i = 0; i < (tokens + 1) / 2; i++) {
            __m256i *wide = &b->wide[token / 2 + i][pair];
            *wide = first ? sums[i] : _mm256_add_epi32(*wide, sums[i]);
        }
    }
}

/* The results of tokens t and `other`, which is t again when it has none, for `rows` rows from `row` on. */
static void tokens_to_y(const __m256i *wide, const tern_ternary_matrix *w, const tern_activations *a, int64_t t,
                        int64_t other, int64_t row, int64_t rows, float *y, int64_t y_stride) {
    const float scale0 = w->scale / a->scales[t];
    const float scale1 = w->scale / a->scales[other];
    const __m128 scales = _mm_setr_ps(scale0, scale0, scale1, scale1);
    const __m128i offsets = _mm_setr_epi32(a->sums[t], a->sums[t], a->sums[other], a->sums[other]);
    float *y0 = y + t * y_stride + row;
    float *y1 = y + other * y_stride + row;
    for (int64_t r = 0; r < rows; r += 2) {
        const __m256i halves = wide[r / 2];
        const __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
        const __m128 results = _mm_mul_ps(_mm_cvtepi32_ps(_mm_sub_epi32(sums, offsets)), scales);
        /* Of one token the second half is nothing, and the first, which comes later, takes its place. */
        if (r + 2 <= rows) {
            _mm_storeh_pi((__m64 *)(y1 + r), results);
            _mm_storel_pi((__m64 *)(y0 + r), results);
        } else {
            _mm_store_ss(y1 + r, _mm_movehl_ps(results, results));
            _mm_store_ss(y0 + r, results);
        }
    }
}

static void rows_times_tokens(const tern_ternary_matrix *w, const tern_activations *a, int64_t t, int64_t tokens,
                              int64_t row, int64_t rows, float *y, int64_t y_stride) {
    block b;
    const int64_t groups = (w->cols + TERN_GROUP - 1) / TERN_GROUP;
    const int64_t slices = (groups + SLICE_GROUPS - 1) / SLICE_GROUPS;
    const int64_t slice = (groups + slices - 1) / slices;
    const int64_t pairs = (rows + 1) / 2;
    for (int64_t g = 0; g < groups; g += slice) {
        const int64_t count = g + slice < groups ? slice : groups - g;
        for (int64_t r = 0; r < 2 * pairs; r++) { /* a last row without another goes twice */
            const int64_t from = row + (r < rows ? r : r - 1);
            unpack(w->codes + from * w->stride + g * 32, count, b.codes[r / 2] + r % 2 * 32);
        }
        const int8_t *values = a->values + t * a->stride + g * TERN_GROUP;
        int64_t i = 0;
        for (; i + TILE_TOKENS <= tokens; i += TILE_TOKENS) {
            add_slice(TILE_TOKENS, &b, pairs, i, values + i * a->stride, a->stride, count, g == 0);
        }
        values += i * a->stride;
        switch (tokens - i) {
        case 3: add_slice(3, &b, pairs, i, values, a->stride, count, g == 0); break;
        case 2: add_slice(2, &b, pairs, i, values, a->stride, count, g == 0); break;
        case 1: add_slice(1, &b, pairs, i, values, a->stride, count, g == 0); break;
        default: break;
        }
    }
    for (int64_t i = 0; i < tokens; i += 2) {
        tokens_to_y(b.wide[i / 2], w, a, t + i, t + (i + 1 < tokens ? i + 1 : i), row, rows, y, y_stride);
    }
}

void tern_avx2_ternary_many_tokens(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                   int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    for (int64_t t = 0; t < tokens; t += BATCH) {
        const int64_t batch = t + BATCH < tokens ? BATCH : tokens - t;
        for (int64_t row = row_begin; row < row_end; row += BLOCK_ROWS) {
            const int64_t rows = row + BLOCK_ROWS < row_end ? BLOCK_ROWS : row_end - row;
            rows_times_tokens(w, a, t, batch, row, rows, y, y_stride);
        }
    }
}
