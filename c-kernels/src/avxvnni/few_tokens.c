/*
 * few_tokens.c, AVX-VNNI: panels times one token to four, decoded in registers.
 *
 * A register holds a group's bytes of eight rows, a quarter of the panel's: each lane belongs to one row. What streams
 * from memory is one long line of groups, and each is read once for all tokens.
 *
 * FIVE TRITS WITHOUT DIGITS. With v_0 the byte and v_(k+1) = 3 v_k mod 256, digit_k = (3 v_k - v_(k+1)) / 256. So the
 * digits need not be made: 256 * sum(digit_k * a_k) = 3 * sum(v_k * a_k) - sum(v_(k+1) * a_k), two products of bytes
 * that are there anyway. Sums are taken modulo 2^32. 256 * sum(T * a) = that - 256 * sum(a) fits an int32, for at most
 * 65,535 columns of at most 128 stay below 2^23; so a shift by eight bits gives the sum.
 */
#include "dot.h"
#include "panel_slices.h"
#include "panels.h"

enum { MOST_TOKENS = 4, QUARTER_ROWS = 8, GROUP_BYTES = 4 * TERN_PANEL_ROWS };

/* Asks for the two lines of the group 4 KiB later; past the end of the matrix that is harmless. */
TERN_INLINE void prefetch_group(const uint8_t *group) {
    _mm_prefetch((const char *)((uintptr_t)group + 4096), _MM_HINT_T0);
    _mm_prefetch((const char *)((uintptr_t)group + 4096 + 64), _MM_HINT_T0);
}

/* Sums over the quarters [quarter, quarter + quarters) of a panel: of codes, by token and row. */
TERN_INLINE void quarters_2bit(int quarters, int tokens, const uint8_t *codes, int64_t groups, const int8_t *a,
                               int64_t a_stride, bool prefetch, int32_t *dots) {
    const __m256i mask = _mm256_set1_epi8(3);
    /* Of one token even and odd fours of columns apart: a product takes five cycles, and there are only four quarters.
     */
    const int chains = tokens == 1 ? 2 : 1;
    __m256i sums[4][2 * MOST_TOKENS];
    for (int i = 0; i < quarters; i++) {
        for (int t = 0; t < tokens * chains; t++) {
            sums[i][t] = _mm256_setzero_si256();
        }
    }
    for (int64_t g = 0; g < groups; g++) {
        const uint8_t *group = codes + g * GROUP_BYTES;
        if (prefetch) {
            prefetch_group(group);
        }
        __m256i v[4];
        for (int i = 0; i < quarters; i++) {
            v[i] = load_codes(group + 32 * i);
        }
        for (int k = 0; k < 4; k++) {
            __m256i code[4];
            for (int i = 0; i < quarters; i++) { /* bits that cross into a neighbour are masked away */
                code[i] = _mm256_and_si256(_mm256_srli_epi16(v[i], 2 * k), mask);
            }
            for (int t = 0; t < tokens; t++) {
                const __m256i quad = broadcast_quad(a + t * a_stride + 16 * g + 4 * k);
                const int chain = chains == 2 ? k % 2 : t;
                for (int i = 0; i < quarters; i++) {
                    sums[i][chain] = dot_add(sums[i][chain], code[i], quad);
                }
            }
        }
    }
    for (int i = 0; i < quarters; i++) {
        for (int t = 0; t < tokens; t++) {
            const __m256i sum = chains == 2 ? _mm256_add_epi32(sums[i][0], sums[i][1]) : sums[i][t];
            _mm256_store_si256((__m256i *)(dots + t * TERN_PANEL_ROWS + QUARTER_ROWS * i), sum);
        }
    }
}

/* One group: `count` fours of columns, all five but at the end of the rows, where activations may end before. */
TERN_INLINE void group_5trit(int quarters, int tokens, int count, const uint8_t *group, const int8_t *a,
                             int64_t a_stride, __m256i now[4][MOST_TOKENS], __m256i next[4][MOST_TOKENS]) {
    __m256i v[4];
    for (int i = 0; i < quarters; i++) {
        v[i] = load_codes(group + 32 * i);
    }
    for (int k = 0; k < count; k++) {
        __m256i w[4];
        for (int i = 0; i < quarters; i++) {
            w[i] = _mm256_add_epi8(v[i], _mm256_add_epi8(v[i], v[i]));
        }
        for (int t = 0; t < tokens; t++) {
            const __m256i quad = broadcast_quad(a + t * a_stride + 4 * k);
            for (int i = 0; i < quarters; i++) {
                now[i][t] = dot_add(now[i][t], v[i], quad);
                next[i][t] = dot_add(next[i][t], w[i], quad);
            }
        }
        for (int i = 0; i < quarters; i++) {
            v[i] = w[i];
        }
    }
}

/* The same for five trits a byte, but sums of T: `a_sums` are the tokens' sums of activations. */
TERN_INLINE void quarters_5trit(int quarters, int tokens, const uint8_t *codes, int64_t cols, const int8_t *a,
                                int64_t a_stride, const int32_t *a_sums, bool prefetch, int32_t *dots) {
    __m256i now[4][MOST_TOKENS];
    __m256i next[4][MOST_TOKENS];
    for (int i = 0; i < quarters; i++) {
        for (int t = 0; t < tokens; t++) {
            now[i][t] = _mm256_setzero_si256();
            next[i][t] = _mm256_setzero_si256();
        }
    }
    const int64_t whole = cols / 20;
    for (int64_t g = 0; g < whole; g++) {
        if (prefetch) {
            prefetch_group(codes + g * GROUP_BYTES);
        }
        group_5trit(quarters, tokens, 5, codes + g * GROUP_BYTES, a + 20 * g, a_stride, now, next);
    }
    if (cols % 20 != 0) {
        const int count = (int)((cols % 20 + 3) / 4);
        group_5trit(quarters, tokens, count, codes + whole * GROUP_BYTES, a + 20 * whole, a_stride, now, next);
    }
    for (int i = 0; i < quarters; i++) {
        for (int t = 0; t < tokens; t++) {
            const __m256i threefold = _mm256_add_epi32(now[i][t], _mm256_add_epi32(now[i][t], now[i][t]));
            const __m256i codes_256 = _mm256_sub_epi32(threefold, next[i][t]);
            const __m256i offset = _mm256_slli_epi32(_mm256_set1_epi32(a_sums[t]), 8);
            const __m256i sum = _mm256_srai_epi32(_mm256_sub_epi32(codes_256, offset), 8);
            _mm256_store_si256((__m256i *)(dots + t * TERN_PANEL_ROWS + QUARTER_ROWS * i), sum);
        }
    }
}

/* Rows [begin, end) of a panel for `tokens` tokens from token t on; y points at the panel's row 0. The sums take eight
 * of the sixteen registers: as many quarters go side by side as that allows. */
TERN_INLINE void panel(int tokens, bool five, const tern_ternary_matrix *w, const uint8_t *codes,
                       const tern_activations *a, int64_t t, int64_t begin, int64_t end, float *y, int64_t y_stride,
                       bool prefetch) {
    _Alignas(32) int32_t dots[MOST_TOKENS * TERN_PANEL_ROWS];
    const int quarters = five ? (tokens == 1 ? 4 : tokens == 2 ? 2 : 1) : (tokens <= 2 ? 4 : 2);
    const int8_t *values = a->values + t * a->stride;
    for (int q = 0; q < 4; q += quarters) {
        int32_t *of_quarters = dots + QUARTER_ROWS * q;
        if (five) {
            quarters_5trit(quarters, tokens, codes + 32 * q, w->cols, values, a->stride, a->sums + t,
                           prefetch && q == 0, of_quarters);
        } else {
            quarters_2bit(quarters, tokens, codes + 32 * q, (w->cols + 15) / 16, values, a->stride, prefetch && q == 0,
                          of_quarters);
        }
    }
    const slice_step all = {.begin = begin, .end = end, .first = 1, .last = 1};
    for (int i = 0; i < tokens; i++) {
        finish_token(all, dots + i * TERN_PANEL_ROWS, five ? 0 : a->sums[t + i], w->scale / a->scales[t + i],
                     y + (t + i) * y_stride);
    }
}

/* All rows for `tokens` tokens from token t on. */
TERN_INLINE void rows(int tokens, bool five, const tern_ternary_matrix *w, const tern_activations *a, int64_t t,
                      int64_t row_begin, int64_t row_end, float *y, int64_t y_stride, bool prefetch) {
    for (int64_t row = row_begin / TERN_PANEL_ROWS * TERN_PANEL_ROWS; row < row_end; row += TERN_PANEL_ROWS) {
        panel(tokens, five, w, w->codes + row / TERN_PANEL_ROWS * w->stride, a, t,
              row < row_begin ? row_begin - row : 0, row_end - row < TERN_PANEL_ROWS ? row_end - row : TERN_PANEL_ROWS,
              y + row, y_stride, prefetch);
    }
}

/* Apart by what the loops depend on, all constants. */
#define TERN_ROWS_OF(tokens)                                                                                           \
    static void rows_of_##tokens(const tern_ternary_matrix *w, const tern_activations *a, int64_t t,                   \
                                 int64_t row_begin, int64_t row_end, float *y, int64_t y_stride, bool prefetch) {      \
        if (w->layout == TERN_PANELS_5TRIT) {                                                                          \
            rows(tokens, true, w, a, t, row_begin, row_end, y, y_stride, prefetch);                                    \
        } else {                                                                                                       \
            rows(tokens, false, w, a, t, row_begin, row_end, y, y_stride, prefetch);                                   \
        }                                                                                                              \
    }
TERN_ROWS_OF(1)
TERN_ROWS_OF(2)
TERN_ROWS_OF(3)
TERN_ROWS_OF(4)

void tern_avxvnni_few_tokens(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                             int64_t row_end, float *y, int64_t y_stride, bool prefetch) {
    int64_t t = 0;
    for (; t + 4 <= tokens; t += 4) {
        rows_of_4(w, a, t, row_begin, row_end, y, y_stride, prefetch);
    }
    switch (tokens - t) {
    case 3: rows_of_3(w, a, t, row_begin, row_end, y, y_stride, prefetch); break;
    case 2: rows_of_2(w, a, t, row_begin, row_end, y, y_stride, prefetch); break;
    case 1: rows_of_1(w, a, t, row_begin, row_end, y, y_stride, prefetch); break;
    default: break;
    }
}
