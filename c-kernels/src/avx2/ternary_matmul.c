/*
 * ternary_matmul.c, AVX2: packed ternary weights times int8 activations.
 *
 * The products are made with codes (T + 1: 0, 1, 2) instead of T, since maddubs wants one unsigned operand:
 * sum(T * a) = sum(code * a) - sum(a), and the second sum comes with the activations. Padding codes are 1 and meet zero
 * activations. Sums are taken modulo 2^32, so that a wrapping sum(code * a) still leaves the right difference.
 *
 * WHY INT16 IS WIDE ENOUGH, AND FOR HOW LONG. maddubs adds two products in an int16 lane. With codes up to 2 and
 * activations in [-128, 127] that is at most 2 * (2 * 128) = 512 in magnitude downwards and 508 upwards. A lane may
 * therefore take 64 of them: -64 * 512 = -32768 just fits, 64 * 508 = 32512. A group of 128 columns makes four, so the
 * lanes must be widened to int32 after 16 groups at the latest. (Published loops widen after 32 and overflow.)
 * The single-token loop leaves half of its codes shifted left by two, see there.
 */
#include "lanes.h"
#include "one_token.h"
#include "tiers.h"
#include "x86_features.h"

TERN_INLINE __m256i load_bytes(const void *at) {
    return _mm256_loadu_si256((const __m256i *)at);
}

/* The same value, in a register, at this point of the program. Left alone, gcc reorders the additions of a tile into
 * trees and loads an activation once for each use: there are more values then than registers, and it spills half of
 * them. */
TERN_INLINE __m256i in_register(__m256i v) {
    __asm__("" : "+x"(v));
    return v;
}

/* sum + the products of 32 codes and activations, in pairs. */
TERN_INLINE __m256i add_products(__m256i sum, __m256i codes, __m256i a) {
    return in_register(_mm256_add_epi16(sum, _mm256_maddubs_epi16(codes, a)));
}

/* int32 lanes += the int16 lanes, widened in pairs. */
TERN_INLINE __m256i widen_add(__m256i wide, __m256i narrow) {
    return _mm256_add_epi32(wide, _mm256_madd_epi16(narrow, _mm256_set1_epi16(1)));
}

/* The eight lanes of four registers each, added up: sums of v0, v1, v2, v3. */
TERN_INLINE __m128i add_up_4(__m256i v0, __m256i v1, __m256i v2, __m256i v3) {
    const __m256i s = _mm256_hadd_epi32(_mm256_hadd_epi32(v0, v1), _mm256_hadd_epi32(v2, v3));
    return _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
}

/*
 * ONE TOKEN. Of the four codes in a byte two are taken where they lie: v & 3 is the code of quarter 3, v & 12 is four
 * times that of quarter 2, and after one shift by four bits the same masks give quarters 1 and 0. Quarters 0 and 2 are
 * summed in lanes of their own, four times too large: 2048 a maddubs, two of them a group, so 8 groups reach
 * -16 * 2048 = -32768 (upwards 16 * 2032 = 32512) and must be widened then; the widened sum is a multiple of four and
 * shifted right without loss. One shift instead of three matters: with the weights in a cache the loop is bound by
 * vector instructions (109 against 94 G weights/s on Zen 4).
 */
TERN_INLINE __m256i row_times_token(const uint8_t *codes, const int8_t *a, int64_t groups, bool prefetch) {
    const __m256i mask_1 = _mm256_set1_epi8(0x03);
    const __m256i mask_4 = _mm256_set1_epi8(0x0c);
    __m256i wide = _mm256_setzero_si256();
    for (int64_t first = 0; first < groups; first += 8) {
        const int64_t end = first + 8 < groups ? first + 8 : groups;
        __m256i once = _mm256_setzero_si256();
        __m256i fourfold = _mm256_setzero_si256();
        for (int64_t g = first; g < end; g++) {
            if (prefetch) {
                prefetch_ahead_of(codes + g * 32);
            }
            const int8_t *group = a + g * TERN_GROUP;
            const __m256i low = load_bytes(codes + g * 32);
            const __m256i high = _mm256_srli_epi16(low, 4); /* bits that cross into a neighbour are masked away */
            once = add_products(once, _mm256_and_si256(low, mask_1), load_bytes(group + 96));
            fourfold = add_products(fourfold, _mm256_and_si256(low, mask_4), load_bytes(group + 64));
            once = add_products(once, _mm256_and_si256(high, mask_1), load_bytes(group + 32));
            fourfold = add_products(fourfold, _mm256_and_si256(high, mask_4), load_bytes(group));
        }
        const __m256i four_times = _mm256_madd_epi16(fourfold, _mm256_set1_epi16(1));
        wide = widen_add(_mm256_add_epi32(wide, _mm256_srai_epi32(four_times, 2)), once);
    }
    return wide;
}

/*
 * How the weights come from memory decides the rest: one row after the other, one long stream. Four rows side by side
 * would share the loads of the activations, but they are four streams of 640 bytes each, which the hardware prefetcher
 * of Zen 4 does not follow: 5 to 6 GB/s where one stream gets 14 to 17 and a plain read 23.
 */
TERN_INLINE void one_token(const tern_ternary_matrix *w, const tern_activations *activations, int64_t row_begin,
                           int64_t row_end, float *y, bool prefetch) {
    const int8_t *a = activations->values;
    const int32_t sum = activations->sums[0];
    const float scale = w->scale / activations->scales[0];
    const int64_t groups = (w->cols + TERN_GROUP - 1) / TERN_GROUP;
    const __m128i offset = _mm_set1_epi32(sum);
    const __m128 factor = _mm_set1_ps(scale);
    int64_t row = row_begin;
    for (; row + 4 <= row_end; row += 4) {
        __m256i wide[4];
        for (int64_t r = 0; r < 4; r++) {
            wide[r] = row_times_token(w->codes + (row + r) * w->stride, a, groups, prefetch);
        }
        const __m128i dots = _mm_sub_epi32(add_up_4(wide[0], wide[1], wide[2], wide[3]), offset);
        _mm_storeu_ps(y + row, _mm_mul_ps(_mm_cvtepi32_ps(dots), factor));
    }
    for (; row < row_end; row++) {
        const __m256i wide = row_times_token(w->codes + row * w->stride, a, groups, prefetch);
        const __m128i dot = _mm_sub_epi32(add_up_4(wide, wide, wide, wide), offset);
        _mm_store_ss(y + row, _mm_mul_ss(_mm_cvtepi32_ps(dot), factor));
    }
}

void tern_avx2_ternary_one_token(const tern_ternary_matrix *w, const tern_activations *a, int64_t row_begin,
                                 int64_t row_end, float *y, bool prefetch) {
    if (prefetch) {
        one_token(w, a, row_begin, row_end, y, true);
    } else {
        one_token(w, a, row_begin, row_end, y, false);
    }
}

/*
 * SEVERAL TOKENS. A tile of rows x tokens keeps its int16 sums in registers: 2 x 4 leaves room for the codes, the mask
 * and an activation. A row's codes are unpacked once for all tokens of the tile, an activation is loaded once for all
 * rows: per 32 columns 8 maddubs and 8 additions for 4 loads and 3 instructions of unpacking.
 */
TERN_INLINE void tile(int rows, int tokens, const uint8_t *codes, int64_t stride, const int8_t *a, int64_t a_stride,
                      int64_t groups, __m256i wide[2][4]) {
    const __m256i mask = _mm256_set1_epi8(0x03);
    for (int r = 0; r < rows; r++) {
        for (int t = 0; t < 4; t++) {
            wide[r][t] = _mm256_setzero_si256();
        }
    }
    for (int64_t first = 0; first < groups; first += 16) {
        const int64_t end = first + 16 < groups ? first + 16 : groups;
        __m256i sums[2][4];
        for (int r = 0; r < rows; r++) {
            for (int t = 0; t < tokens; t++) {
                sums[r][t] = _mm256_setzero_si256();
            }
        }
        for (int64_t g = first; g < end; g++) {
            for (int quarter = 0; quarter < 4; quarter++) {
                __m256i code[2];
                for (int r = 0; r < rows; r++) {
                    const __m256i packed = load_bytes(codes + r * stride + g * 32);
                    code[r] = _mm256_and_si256(_mm256_srli_epi16(packed, 6 - 2 * quarter), mask);
                }
                for (int t = 0; t < tokens; t++) {
                    const __m256i v = in_register(load_bytes(a + t * a_stride + g * TERN_GROUP + quarter * 32));
                    for (int r = 0; r < rows; r++) {
                        sums[r][t] = add_products(sums[r][t], code[r], v);
                    }
                }
            }
        }
        for (int r = 0; r < rows; r++) {
            for (int t = 0; t < tokens; t++) {
                wide[r][t] = widen_add(wide[r][t], sums[r][t]);
            }
        }
    }
}

/* Up to four tokens from token `t` on, for `rows` (1 or 2) rows. */
TERN_INLINE void tile_to_y(int rows, int tokens, const tern_ternary_matrix *w, const tern_activations *a, int64_t t,
                           int64_t row, float *y, int64_t y_stride) {
    const int64_t groups = (w->cols + TERN_GROUP - 1) / TERN_GROUP;
    __m256i wide[2][4];
    tile(rows, tokens, w->codes + row * w->stride, w->stride, a->values + t * a->stride, a->stride, groups, wide);
    for (int r = 0; r < rows; r++) {
        int32_t dots[4];
        _mm_storeu_si128((__m128i *)dots, add_up_4(wide[r][0], wide[r][1], wide[r][2], wide[r][3]));
        for (int i = 0; i < tokens; i++) {
            const int32_t dot = (int32_t)((uint32_t)dots[i] - (uint32_t)a->sums[t + i]);
            y[(t + i) * y_stride + row + r] = (float)dot * (w->scale / a->scales[t + i]);
        }
    }
}

TERN_INLINE void rows_of_tile(int tokens, const tern_ternary_matrix *w, const tern_activations *a, int64_t t,
                              int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    int64_t row = row_begin;
    for (; row + 2 <= row_end; row += 2) {
        tile_to_y(2, tokens, w, a, t, row, y, y_stride);
    }
    if (row < row_end) {
        tile_to_y(1, tokens, w, a, t, row, y, y_stride);
    }
}

void tern_avx2_ternary_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                              int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout != TERN_ROWS) { /* panels are for tiers whose products take four columns at once */
        tern_scalar_ternary_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
        return;
    }
    if (tokens == 1) {
        tern_avx2_ternary_one_token(w, a, row_begin, row_end, y, tern_prefetch_pays());
        return;
    }
    const int64_t block = 64; /* rows whose codes stay in L2 while the tokens pass by: 40 KiB at 2560 columns */
    for (int64_t first = row_begin; first < row_end; first += block) {
        const int64_t end = first + block < row_end ? first + block : row_end;
        int64_t t = 0;
        for (; t + 4 <= tokens; t += 4) {
            rows_of_tile(4, w, a, t, first, end, y, y_stride);
        }
        switch (tokens - t) {
        case 3: rows_of_tile(3, w, a, t, first, end, y, y_stride); break;
        case 2: rows_of_tile(2, w, a, t, first, end, y, y_stride); break;
        case 1: rows_of_tile(1, w, a, t, first, end, y, y_stride); break;
        default: break;
        }
    }
}
