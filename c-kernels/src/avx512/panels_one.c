/*
 * panels_one.c, AVX-512: a panel times one token, which is what decoding spends its time on.
 *
 * A panel is one stream of 5 to 6.4 bytes for 32 rows and a column; one thread reads its panels one after the other.
 *
 * TWO BITS. The four codes of a byte are masked where they lie, so they count 1, 4, 16 and 64 times; each position has
 * sums of its own, which are divided at the end without a rest: 4 ands and 4 dot products for 256 weights and no shift.
 * At most 128 * 128 a weight and a quarter of the columns in a lane of int32.
 *
 * FIVE TRITS. Digits are never extracted. With v_0 the byte and v_{k+1} = 3 v_k mod 256, 256 digit_k = 3 v_k - v_{k+1},
 * so sum(digit_k a_k) = (3 A - B) / 256 with A = sum(v_k a_k) and B = sum(v_{k+1} a_k): two dot products and two
 * additions of bytes for 64 weights. Sums are taken modulo 2^32; 3 A - B - 256 sum(a) is 256 times the result, whose
 * magnitude is at most 128 columns < 2^23 for the 65,535 columns of the layout.
 */
#include "../avx2/one_token.h"
#include "panels.h"

/* Sums of one register of 16 rows, in two chains each, since a dot product takes four cycles and one begins in each. */
typedef struct sums {
    __m512i of[4];
} sums;

TERN_INLINE void add_2bit(sums *s, __m512i v, const int8_t *a) {
    const __m512i mask = _mm512_set1_epi8(3);
    s->of[0] = _mm512_dpbusd_epi32(s->of[0], _mm512_and_si512(v, mask), four_of_all(a));
    s->of[1] = _mm512_dpbusd_epi32(s->of[1], _mm512_and_si512(v, _mm512_set1_epi8(0x0c)), four_of_all(a + 4));
    s->of[2] = _mm512_dpbusd_epi32(s->of[2], _mm512_and_si512(v, _mm512_set1_epi8(0x30)), four_of_all(a + 8));
    s->of[3] = _mm512_dpbusd_epi32(s->of[3], _mm512_and_si512(v, _mm512_set1_epi8((char)0xc0)), four_of_all(a + 12));
}

TERN_INLINE __m512i total_2bit(const sums *s) {
    const __m512i low = _mm512_add_epi32(s->of[0], _mm512_srai_epi32(s->of[1], 2));
    const __m512i high = _mm512_add_epi32(_mm512_srai_epi32(s->of[2], 4), _mm512_srai_epi32(s->of[3], 6));
    return _mm512_add_epi32(low, high);
}

/* The first `quads` (1 to 5) positions of a group. */
TERN_INLINE void add_5trit(sums *s, __m512i v, const int8_t *a, int64_t quads) {
    for (int64_t k = 0; k < quads; k++) {
        const __m512i four = four_of_all(a + 4 * k);
        const __m512i next = times_3(v);
        s->of[k & 1] = _mm512_dpbusd_epi32(s->of[k & 1], v, four);
        s->of[2 + (k & 1)] = _mm512_dpbusd_epi32(s->of[2 + (k & 1)], next, four);
        v = next;
    }
}

/* The dots of 16 rows: sum(code a) - sum(a). */
TERN_INLINE __m512i dots_5trit(const sums *s, int32_t sum) {
    const __m512i a = _mm512_add_epi32(s->of[0], s->of[1]);
    const __m512i b = _mm512_add_epi32(s->of[2], s->of[3]);
    const __m512i times_256 = _mm512_sub_epi32(_mm512_add_epi32(a, _mm512_add_epi32(a, a)), b);
    return _mm512_srai_epi32(_mm512_sub_epi32(times_256, _mm512_set1_epi32(sum * 256)), 8);
}

TERN_INLINE void panel_times_1(const tern_ternary_matrix *w, int32_t layout, int64_t panel, const int8_t *a,
                               int32_t sum, bool prefetch, __m512i dots[2]) {
    const __m512i zero = _mm512_setzero_si512();
    const uint8_t *at = w->codes + panel * w->stride;
    const int64_t quads = quads_of(w->cols);
    sums half[2] = {{{zero, zero, zero, zero}}, {{zero, zero, zero, zero}}};
    const int64_t per_group = group_columns(layout) / 4;
    const int64_t groups = (w->cols + 4 * per_group - 1) / (4 * per_group);
    const int64_t whole = groups < quads / per_group ? groups : quads / per_group;
    for (int64_t g = 0; g < whole; g++, at += GROUP_BYTES, a += 4 * per_group) {
        if (prefetch) {
            prefetch_ahead_of(at);
            prefetch_ahead_of(at + HALF);
        }
        const __m512i low = load_half(at);
        const __m512i high = load_half(at + HALF);
        if (layout == TERN_PANELS_2BIT) {
            add_2bit(&half[0], low, a);
            add_2bit(&half[1], high, a);
        } else {
            add_5trit(&half[0], low, a, 5);
            add_5trit(&half[1], high, a, 5);
        }
    }
    if (layout == TERN_PANELS_5TRIT && whole < groups) { /* a group that reaches past the token's padding */
        add_5trit(&half[0], load_half(at), a, quads - 5 * whole);
        add_5trit(&half[1], load_half(at + HALF), a, quads - 5 * whole);
    }
    for (int h = 0; h < 2; h++) {
        dots[h] = layout == TERN_PANELS_2BIT ? _mm512_sub_epi32(total_2bit(&half[h]), _mm512_set1_epi32(sum))
                                             : dots_5trit(&half[h], sum);
    }
}

void tern_avx512_panel_times_1(const tern_ternary_matrix *w, int64_t panel, const tern_activations *a,
                               int64_t row_begin, int64_t row_end, float *y, bool prefetch) {
    __m512i dots[2];
    if (w->layout == TERN_PANELS_2BIT) {
        if (prefetch) {
            panel_times_1(w, TERN_PANELS_2BIT, panel, a->values, a->sums[0], true, dots);
        } else {
            panel_times_1(w, TERN_PANELS_2BIT, panel, a->values, a->sums[0], false, dots);
        }
    } else if (prefetch) {
        panel_times_1(w, TERN_PANELS_5TRIT, panel, a->values, a->sums[0], true, dots);
    } else {
        panel_times_1(w, TERN_PANELS_5TRIT, panel, a->values, a->sums[0], false, dots);
    }
    const float factor = w->scale / a->scales[0];
    for (int h = 0; h < 2; h++) {
        const int64_t first = panel * TERN_PANEL_ROWS + 16 * h;
        store_rows(y + first, rows_within(first, row_begin, row_end), dots[h], factor);
    }
}
