/*
 * ternary_matmul.c, AVX2: packed ternary weights in rows times the int8 activations of one token or a few.
 *
 * The single-token loop leaves half of its codes shifted left by two, see there.
 */
#include "one_token.h"
#include "ternary_sums.h"
#include "tiers.h"
#include "x86_features.h"

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

/* MANY_TOKENS: from which on it pays to unpack the codes beforehand. */
enum { MANY_TOKENS = 16, MOST_COLUMNS_FOR_4 = 5120 };

/*
 * A FEW TOKENS. The weights come from memory as for one token, so here too it is one row after the other, its codes
 * unpacked once for up to four tokens; the activations are operands of maddubs from L1. (Tiles of two rows, which would
 * halve those loads, are two streams: 2 tokens took four times as long as one, now they take less than twice.)
 */
/* Adds the products of a group of one row. */
TERN_INLINE void add_group(int tokens, const uint8_t *codes, const int8_t *a, int64_t stride, bool prefetch,
                           __m256i sums[4]) {
    const __m256i mask = _mm256_set1_epi8(0x03);
    if (prefetch) {
        prefetch_ahead_of(codes);
    }
    const __m256i packed = load_bytes(codes);
    for (int quarter = 0; quarter < 4; quarter++) {
        const __m256i code = _mm256_and_si256(_mm256_srli_epi16(packed, 6 - 2 * quarter), mask);
        for (int t = 0; t < tokens; t++) {
            sums[t] = add_products(sums[t], code, load_bytes(a + t * stride + quarter * 32));
        }
    }
}

/* The sums of one row, to be added up across each register; zeros where there is no token. */
TERN_INLINE void row_times_tokens(int tokens, const uint8_t *codes, const int8_t *a, int64_t stride, int64_t groups,
                                  bool prefetch, __m256i wide[4]) {
    for (int t = 0; t < 4; t++) {
        wide[t] = _mm256_setzero_si256();
    }
    for (int64_t first = 0; first < groups; first += 16) {
        const int64_t end = first + 16 < groups ? first + 16 : groups;
        __m256i sums[4];
        for (int t = 0; t < tokens; t++) {
            sums[t] = _mm256_setzero_si256();
        }
        int64_t g = first;
        for (; g + 2 <= end; g += 2) {
            add_group(tokens, codes + g * 32, a + g * TERN_GROUP, stride, prefetch, sums);
            add_group(tokens, codes + g * 32 + 32, a + g * TERN_GROUP + TERN_GROUP, stride, prefetch, sums);
        }
        if (g < end) {
            add_group(tokens, codes + g * 32, a + g * TERN_GROUP, stride, prefetch, sums);
        }
        for (int t = 0; t < tokens; t++) {
            wide[t] = widen_add(wide[t], sums[t]);
        }
    }
}

/* Tokens t, t + 1 ... (up to 4) with some rows. */
TERN_INLINE void few_tokens(int tokens, const tern_ternary_matrix *w, const tern_activations *a, int64_t t,
                            int64_t row_begin, int64_t row_end, float *y, int64_t y_stride, bool prefetch) {
    const int64_t groups = (w->cols + TERN_GROUP - 1) / TERN_GROUP;
    for (int64_t row = row_begin; row < row_end; row++) {
        __m256i wide[4];
        int32_t dots[4];
        row_times_tokens(tokens, w->codes + row * w->stride, a->values + t * a->stride, a->stride, groups, prefetch,
                         wide);
        _mm_storeu_si128((__m128i *)dots, add_up_4(wide[0], wide[1], wide[2], wide[3]));
        for (int i = 0; i < tokens; i++) {
            const int32_t dot = (int32_t)((uint32_t)dots[i] - (uint32_t)a->sums[t + i]);
            y[(t + i) * y_stride + row] = (float)dot * (w->scale / a->scales[t + i]);
        }
    }
}

/* Four tokens at once, or two where four would fill L1, over a few rows: they come from memory with the first tokens
 * and lie in L1 for the others (8 rows of 2560 columns are 5 KiB, of 6912 they are 14). */
TERN_INLINE void several_tokens(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                int64_t row_begin, int64_t row_end, float *y, int64_t y_stride, bool prefetch) {
    const int64_t block = 8;
    const int64_t at_once = w->cols <= MOST_COLUMNS_FOR_4 ? 4 : 2;
    for (int64_t first = row_begin; first < row_end; first += block) {
        const int64_t end = first + block < row_end ? first + block : row_end;
        for (int64_t t = 0; t < tokens; t += at_once) {
            switch (tokens - t < at_once ? tokens - t : at_once) {
            case 1: few_tokens(1, w, a, t, first, end, y, y_stride, prefetch); break;
            case 2: few_tokens(2, w, a, t, first, end, y, y_stride, prefetch); break;
            case 3: few_tokens(3, w, a, t, first, end, y, y_stride, prefetch); break;
            default: few_tokens(4, w, a, t, first, end, y, y_stride, prefetch); break;
            }
        }
    }
}

void tern_avx2_ternary_few_tokens(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                  int64_t row_begin, int64_t row_end, float *y, int64_t y_stride, bool prefetch) {
    if (prefetch) {
        several_tokens(w, a, tokens, row_begin, row_end, y, y_stride, true);
    } else {
        several_tokens(w, a, tokens, row_begin, row_end, y, y_stride, false);
    }
}

void tern_avx2_ternary_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                              int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout != TERN_ROWS) { /* panels are for tiers whose products take four columns at once */
        tern_scalar_ternary_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
    } else if (tokens >= MANY_TOKENS) {
        tern_avx2_ternary_many_tokens(w, a, tokens, row_begin, row_end, y, y_stride);
    } else if (tokens == 1) {
        tern_avx2_ternary_one_token(w, a, row_begin, row_end, y, tern_prefetch_pays());
    } else {
        tern_avx2_ternary_few_tokens(w, a, tokens, row_begin, row_end, y, y_stride, tern_prefetch_pays());
    }
}
