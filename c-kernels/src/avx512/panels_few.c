/*
 * panels_few.c, AVX-512: a panel times 2 to 8 tokens, as the drafts of speculative decoding are verified.
 *
 * As with one token the panel streams by once. Each group is unpacked in registers and multiplied by all tokens, whose
 * sums of 32 rows stay in registers. The digits of five trits are extracted here: six instructions for 64 weights,
 * against one dot product and one addition more a token.
 *
 * Software prefetch pays here on any CPU, other than with one token: the products of a group fill the window out of
 * which the core would see the next lines (Zen 4 EPYC, 8 tokens from memory: 355 Gop/s a thread without, 445 with).
 */
#include "../avx2/one_token.h"
#include "panels.h"

TERN_INLINE void add_quad(int tokens, __m512i low, __m512i high, const int8_t *values, int64_t stride,
                          __m512i sums[FEW_TOKENS][2]) {
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
        const __m512i four = four_of_all(values + t * stride);
        sums[t][0] = _mm512_dpbusd_epi32(sums[t][0], low, four);
        sums[t][1] = _mm512_dpbusd_epi32(sums[t][1], high, four);
    }
}

TERN_INLINE void add_2bit(int tokens, __m512i low, __m512i high, const int8_t *values, int64_t stride,
                          __m512i sums[FEW_TOKENS][2]) {
    const __m512i mask = _mm512_set1_epi8(3);
    TERN_UNROLL
    for (int k = 0; k < 4; k++) {
        add_quad(tokens, _mm512_and_si512(_mm512_srli_epi16(low, 2 * k), mask),
                 _mm512_and_si512(_mm512_srli_epi16(high, 2 * k), mask), values + 4 * k, stride, sums);
    }
}

/* The first `quads` (1 to 5) positions. */
TERN_INLINE void add_5trit(int tokens, __m512i low, __m512i high, const int8_t *values, int64_t stride, int64_t quads,
                           __m512i sums[FEW_TOKENS][2]) {
    TERN_UNROLL
    for (int64_t k = 0; k < quads; k++) {
        add_quad(tokens, top_digit_times_64(low), top_digit_times_64(high), values + 4 * k, stride, sums);
        low = times_3(low);
        high = times_3(high);
    }
}

TERN_INLINE void few(int tokens, const tern_ternary_matrix *w, int32_t layout, int64_t panel, const tern_activations *a,
                     int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    __m512i sums[FEW_TOKENS][2];
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
        sums[t][0] = sums[t][1] = _mm512_setzero_si512();
    }
    const uint8_t *at = w->codes + panel * w->stride;
    const int8_t *values = a->values;
    const int64_t per_group = group_columns(layout) / 4;
    const int64_t groups = (w->cols + 4 * per_group - 1) / (4 * per_group);
    const int64_t quads = quads_of(w->cols);
    const int64_t whole = groups < quads / per_group ? groups : quads / per_group;
    for (int64_t g = 0; g < whole; g++, at += GROUP_BYTES, values += 4 * per_group) {
        prefetch_ahead_of(at);
        prefetch_ahead_of(at + HALF);
        if (layout == TERN_PANELS_2BIT) {
            add_2bit(tokens, load_half(at), load_half(at + HALF), values, a->stride, sums);
        } else {
            add_5trit(tokens, load_half(at), load_half(at + HALF), values, a->stride, 5, sums);
        }
    }
    if (whole < groups) { /* a group of five trits that reaches past the tokens' padding */
        for (int64_t k = 5 * whole; k < quads; k++, values += 4) {
            __m512i low = load_half(at);
            __m512i high = load_half(at + HALF);
            for (int64_t i = 5 * whole; i < k; i++) {
                low = times_3(low);
                high = times_3(high);
            }
            add_quad(tokens, top_digit_times_64(low), top_digit_times_64(high), values, a->stride, sums);
        }
    }
    const int64_t row = panel * TERN_PANEL_ROWS;
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
        for (int h = 0; h < 2; h++) {
            store_dots(w, a, t, row + 16 * h, rows_within(row + 16 * h, row_begin, row_end), sums[t][h],
                       layout == TERN_PANELS_2BIT ? 0 : 6, y + t * y_stride);
        }
    }
}

TERN_INLINE void few_of_layout(int tokens, const tern_ternary_matrix *w, int64_t panel, const tern_activations *a,
                               int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout == TERN_PANELS_2BIT) {
        few(tokens, w, TERN_PANELS_2BIT, panel, a, row_begin, row_end, y, y_stride);
    } else {
        few(tokens, w, TERN_PANELS_5TRIT, panel, a, row_begin, row_end, y, y_stride);
    }
}

void tern_avx512_panel_times_few(const tern_ternary_matrix *w, int64_t panel, const tern_activations *a, int64_t tokens,
                                 int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    switch (tokens) {
    case 2: few_of_layout(2, w, panel, a, row_begin, row_end, y, y_stride); break;
    case 3: few_of_layout(3, w, panel, a, row_begin, row_end, y, y_stride); break;
    case 4: few_of_layout(4, w, panel, a, row_begin, row_end, y, y_stride); break;
    case 5: few_of_layout(5, w, panel, a, row_begin, row_end, y, y_stride); break;
    case 6: few_of_layout(6, w, panel, a, row_begin, row_end, y, y_stride); break;
    case 7: few_of_layout(7, w, panel, a, row_begin, row_end, y, y_stride); break;
    default: few_of_layout(8, w, panel, a, row_begin, row_end, y, y_stride); break;
    }
}
