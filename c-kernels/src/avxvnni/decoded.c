/*
 * decoded.c, AVX-VNNI: panels times tokens, the codes decoded in registers, for up to six tokens at a time.
 *
 * A register holds a group's bytes of eight rows, a quarter of the panel's: each lane belongs to one row. One token and
 * two keep sums of all quarters; more have twelve registers of sums, for half of the panel and up to six tokens, and go
 * over the panel twice.
 *
 * FIVE TRITS WITHOUT DIGITS, for one token. With v_0 the byte and v_(k+1) = 3 v_k mod 256, digit_k = (3 v_k - v_(k+1))
 * / 256. So the digits need not be made: 256 * sum(digit_k * a_k) = 3 * sum(v_k * a_k) - sum(v_(k+1) * a_k), two
 * products of bytes that are there anyway. Sums are taken modulo 2^32. 256 * sum(T * a) = that - 256 * sum(a) fits an
 * int32, for at most 65,535 columns of at most 128 stay below 2^23; so a shift by eight bits gives the sum.
 */
#include "dot.h"
#include "panel_slices.h"
#include "panels.h"

enum { MOST_TOKENS = 6, QUARTER_ROWS = 8, GROUP_BYTES = 4 * TERN_PANEL_ROWS };

/* When half of a group is used now and the other one in the second pass, its line is asked for beside the first, for
 * the hardware does not follow every other line (Zen 4 EPYC, 2560 x 2560 from memory, 3 tokens: 151 us instead of 190).
 */
TERN_INLINE void fetch_other_half(const uint8_t *group) {
    _mm_prefetch((const char *)group + 64, _MM_HINT_T0);
}

/* Asks for the two lines of the group 4 KiB later; past the end of the matrix that is harmless. */
TERN_INLINE void prefetch_group(const uint8_t *group) {
    _mm_prefetch((const char *)((uintptr_t)group + 4096), _MM_HINT_T0);
    _mm_prefetch((const char *)((uintptr_t)group + 4096 + 64), _MM_HINT_T0);
}

TERN_INLINE __m256i times_3(__m256i v) {
    return _mm256_add_epi8(v, _mm256_add_epi8(v, v));
}

/* 64 times the highest digit, floor(3 v / 256). With u = v - 1 (or 0) the averages, which round up, make (3 u + 1 or 2
 * or 3) / 4; its upper two bits change where v becomes 86 and 171, as the digit does. */
TERN_INLINE __m256i top_digit_times_64(__m256i v) {
    const __m256i u = _mm256_subs_epu8(v, _mm256_set1_epi8(1));
    const __m256i average = _mm256_avg_epu8(u, _mm256_avg_epu8(u, _mm256_setzero_si256()));
    return _mm256_and_si256(average, _mm256_set1_epi8((char)0xc0));
}

/* What a kernel below computes: some quarters of a panel with some tokens. */
typedef struct work {
    const uint8_t *codes; /* of the first quarter in the first group */
    int64_t cols;
    const int8_t *a; /* the first token */
    int64_t a_stride;
    const int32_t *a_sums;
    bool prefetch;
    bool first_half; /* of the quarters: the other one comes later */
} work;

/* sums[i][t] += quarters of codes times a quad of each token. */
TERN_INLINE void add_quad(int quarters, int tokens, const __m256i codes[4], const int8_t *a, int64_t a_stride,
                          __m256i sums[4][MOST_TOKENS]) {
    for (int t = 0; t < tokens; t++) {
        const __m256i quad = broadcast_quad(a + t * a_stride);
        for (int i = 0; i < quarters; i++) {
            sums[i][t] = dot_add(sums[i][t], codes[i], quad);
        }
    }
}

/* Sums of codes in two bits. */
TERN_INLINE void multiply_2bit(int quarters, int tokens, const work *w, __m256i sums[4][MOST_TOKENS]) {
    const __m256i mask = _mm256_set1_epi8(3);
    const int64_t groups = (w->cols + 15) / 16;
    for (int64_t g = 0; g < groups; g++) {
        const uint8_t *group = w->codes + g * GROUP_BYTES;
        if (w->prefetch) {
            prefetch_group(group);
        }
        if (w->first_half) {
            fetch_other_half(group);
        }
        for (int k = 0; k < 4; k++) {
            __m256i codes[4];
            for (int i = 0; i < quarters; i++) { /* bits that cross into a neighbour are masked away */
                codes[i] = _mm256_and_si256(_mm256_srli_epi16(load_codes(group + 32 * i), 2 * k), mask);
            }
            /* One token has even and odd quads apart: a product takes five cycles, and there are only four quarters. */
            add_quad(quarters, tokens, codes, w->a + 16 * g + 4 * k, w->a_stride,
                     tokens == 1 && k % 2 == 1 ? sums + 4 : sums);
        }
    }
}

/* Quads of the group g that have activations: at the end of the rows there may be fewer than five. */
TERN_INLINE int quads_of_group(int64_t cols, int64_t g) {
    const int64_t left = (cols - 20 * g + 3) / 4;
    return left < 5 ? (int)left : 5;
}

/* Sums of 64 times the digits. */
TERN_INLINE void digits_of_group(int quarters, int tokens, int count, const work *w, int64_t g,
                                 __m256i sums[4][MOST_TOKENS]) {
    __m256i v[4];
    for (int i = 0; i < quarters; i++) {
        v[i] = load_codes(w->codes + g * GROUP_BYTES + 32 * i);
    }
    for (int k = 0; k < count; k++) {
        __m256i codes[4];
        for (int i = 0; i < quarters; i++) {
            codes[i] = top_digit_times_64(v[i]);
            v[i] = times_3(v[i]);
        }
        add_quad(quarters, tokens, codes, w->a + 20 * g + 4 * k, w->a_stride, sums);
    }
}

TERN_INLINE void multiply_digits(int quarters, int tokens, const work *w, __m256i sums[4][MOST_TOKENS]) {
    const int64_t whole = w->cols / 20;
    for (int64_t g = 0; g < whole; g++) {
        if (w->prefetch) {
            prefetch_group(w->codes + g * GROUP_BYTES);
        }
        if (w->first_half) {
            fetch_other_half(w->codes + g * GROUP_BYTES);
        }
        digits_of_group(quarters, tokens, 5, w, g, sums);
    }
    if (w->cols % 20 != 0) {
        digits_of_group(quarters, tokens, quads_of_group(w->cols, whole), w, whole, sums);
    }
}

/* One token without digits: sums of v_k in now, of v_(k+1) in next. */
TERN_INLINE void bytes_of_group(int count, const work *w, int64_t g, __m256i now[4], __m256i next[4]) {
    __m256i v[4];
    for (int i = 0; i < 4; i++) {
        v[i] = load_codes(w->codes + g * GROUP_BYTES + 32 * i);
    }
    for (int k = 0; k < count; k++) {
        const __m256i quad = broadcast_quad(w->a + 20 * g + 4 * k);
        for (int i = 0; i < 4; i++) {
            now[i] = dot_add(now[i], v[i], quad);
            v[i] = times_3(v[i]);
            next[i] = dot_add(next[i], v[i], quad);
        }
    }
}

TERN_INLINE void multiply_bytes(const work *w, __m256i now[4], __m256i next[4]) {
    const int64_t whole = w->cols / 20;
    for (int64_t g = 0; g < whole; g++) {
        if (w->prefetch) {
            prefetch_group(w->codes + g * GROUP_BYTES);
        }
        bytes_of_group(5, w, g, now, next);
    }
    if (w->cols % 20 != 0) {
        bytes_of_group(quads_of_group(w->cols, whole), w, whole, now, next);
    }
}

/* Sums of T into dots, a token's at 32 token. */
TERN_INLINE void multiply(int quarters, int tokens, bool five, const work *w, int32_t *dots) {
    __m256i sums[8][MOST_TOKENS]; /* the second four are for one token */
    for (int i = 0; i < 8; i++) {
        for (int t = 0; t < tokens; t++) {
            sums[i][t] = _mm256_setzero_si256();
        }
    }
    if (!five) {
        multiply_2bit(quarters, tokens, w, sums);
        for (int i = 0; i < 4 && tokens == 1; i++) {
            sums[i][0] = _mm256_add_epi32(sums[i][0], sums[4 + i][0]);
        }
    } else if (tokens > 1) {
        multiply_digits(quarters, tokens, w, sums);
    } else {
        __m256i now[4] = {sums[0][0], sums[1][0], sums[2][0], sums[3][0]};
        __m256i next[4] = {sums[0][0], sums[1][0], sums[2][0], sums[3][0]};
        multiply_bytes(w, now, next);
        for (int i = 0; i < 4; i++) {
            sums[i][0] = _mm256_sub_epi32(_mm256_add_epi32(now[i], _mm256_add_epi32(now[i], now[i])), next[i]);
        }
    }
    const int shift = !five ? 0 : tokens > 1 ? 6 : 8; /* the sums are 2^shift times too large */
    for (int i = 0; i < quarters; i++) {
        for (int t = 0; t < tokens; t++) {
            const __m256i offset = _mm256_slli_epi32(_mm256_set1_epi32(w->a_sums[t]), shift);
            const __m256i sum = _mm256_srai_epi32(_mm256_sub_epi32(sums[i][t], offset), shift);
            _mm256_store_si256((__m256i *)(dots + t * TERN_PANEL_ROWS + QUARTER_ROWS * i), sum);
        }
    }
}

/* Rows [begin, end) of a panel for `tokens` tokens from token t on; y points at the panel's row 0. All four quarters
 * or, so that the sums leave registers free, two and then the others. */
TERN_INLINE void panel(int tokens, bool five, const tern_ternary_matrix *w, const uint8_t *codes,
                       const tern_activations *a, int64_t t, int64_t begin, int64_t end, float *y, int64_t y_stride,
                       bool prefetch) {
    _Alignas(32) int32_t dots[MOST_TOKENS * TERN_PANEL_ROWS];
    const int quarters = tokens <= 2 ? 4 : 2;
    for (int q = 0; q < 4; q += quarters) {
        const work part = {
            codes + 32 * q,        w->cols, a->values + t * a->stride, a->stride, a->sums + t, prefetch && q == 0,
            quarters < 4 && q == 0};
        multiply(quarters, tokens, five, &part, dots + QUARTER_ROWS * q);
    }
    const slice_step all = {.begin = begin, .end = end, .first = 1, .last = 1};
    for (int i = 0; i < tokens; i++) {
        finish_token(all, dots + i * TERN_PANEL_ROWS, 0, w->scale / a->scales[t + i], y + (t + i) * y_stride);
    }
}

/* Apart by what the loops depend on, all constants. */
#define TERN_PANEL_OF(tokens)                                                                                          \
    static void panel_of_##tokens(const tern_ternary_matrix *w, const uint8_t *codes, const tern_activations *a,       \
                                  int64_t t, int64_t begin, int64_t end, float *y, int64_t y_stride, bool prefetch) {  \
        if (w->layout == TERN_PANELS_5TRIT) {                                                                          \
            panel(tokens, true, w, codes, a, t, begin, end, y, y_stride, prefetch);                                    \
        } else {                                                                                                       \
            panel(tokens, false, w, codes, a, t, begin, end, y, y_stride, prefetch);                                   \
        }                                                                                                              \
    }
TERN_PANEL_OF(1)
TERN_PANEL_OF(2)
TERN_PANEL_OF(3)
TERN_PANEL_OF(4)
TERN_PANEL_OF(5)
TERN_PANEL_OF(6)

void tern_avxvnni_decoded(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                          int64_t row_end, float *y, int64_t y_stride, bool prefetch) {
    for (int64_t row = row_begin / TERN_PANEL_ROWS * TERN_PANEL_ROWS; row < row_end; row += TERN_PANEL_ROWS) {
        const uint8_t *codes = w->codes + row / TERN_PANEL_ROWS * w->stride;
        const int64_t begin = row < row_begin ? row_begin - row : 0;
        const int64_t end = row_end - row < TERN_PANEL_ROWS ? row_end - row : TERN_PANEL_ROWS;
        int64_t t = 0;
        for (; t + MOST_TOKENS <= tokens; t += MOST_TOKENS) {
            panel_of_6(w, codes, a, t, begin, end, y + row, y_stride, prefetch && t == 0);
        }
        switch (tokens - t) {
        case 5: panel_of_5(w, codes, a, t, begin, end, y + row, y_stride, prefetch && t == 0); break;
        case 4: panel_of_4(w, codes, a, t, begin, end, y + row, y_stride, prefetch && t == 0); break;
        case 3: panel_of_3(w, codes, a, t, begin, end, y + row, y_stride, prefetch && t == 0); break;
        case 2: panel_of_2(w, codes, a, t, begin, end, y + row, y_stride, prefetch && t == 0); break;
        case 1: panel_of_1(w, codes, a, t, begin, end, y + row, y_stride, prefetch && t == 0); break;
        default: break;
        }
    }
}
