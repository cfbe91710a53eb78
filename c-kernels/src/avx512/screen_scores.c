/*
 * screen_scores.c, AVX-512 VNNI: approximations and bounds of the products of a screen.
 *
 * As in AVX2 sixteen columns of a panel are unpacked at a time, into bytes u = level + offset; half a panel's rows are
 * a register of sixteen 32-bit lanes, and a dot instruction adds four columns to each. Even and odd fours have sums of
 * their own: a sum takes its next product four cycles later. Up to two tokens share what is unpacked.
 */
#include "avx2/lanes.h"
#include "avx2/one_token.h"
#include "screen.h"
#include "tiers.h"
#include "x86_features.h"

#include <math.h>

enum { HALVES = 2, PLANES = 2, TOKENS = 2, OFFSET_4 = 64, OFFSET_6 = 63 };

TERN_INLINE void unpack_16(int bits, const uint8_t *at, int half, bool whole, __m512i u[4]) {
    const __m512i *group = (const __m512i *)at + half;
    const __m512i first = _mm512_load_si512(group);
    const __m512i second = whole ? _mm512_load_si512(group + HALVES) : _mm512_setzero_si512();
    if (bits == 4) {
        const __m512i low = _mm512_set1_epi8(15);
        const __m512i table = _mm512_broadcast_i32x4(_mm_setr_epi8(3, 18, 28, 36, 43, 49, 55, 61, 67, 73, 79, 85, 92,
                                                                   100, 110, 125)); /* level + 64 of each code */
        u[0] = _mm512_shuffle_epi8(table, _mm512_and_si512(first, low));
        u[1] = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(first, 4), low));
        u[2] = _mm512_shuffle_epi8(table, _mm512_and_si512(second, low));
        u[3] = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(second, 4), low));
        return;
    }
    const __m512i third = _mm512_load_si512(group + 2 * HALVES);
    const __m512i low = _mm512_set1_epi8(0x1e); /* twice the low four bits, and the high two bits from bit 5 on */
    const __m512i high = _mm512_set1_epi8(0x60);
    const __m512i high_bits[4] = {_mm512_slli_epi16(third, 5), _mm512_slli_epi16(third, 3), _mm512_slli_epi16(third, 1),
                                  _mm512_srli_epi16(third, 1)};
    const __m512i low_bits[4] = {_mm512_slli_epi16(first, 1), _mm512_srli_epi16(first, 3), _mm512_slli_epi16(second, 1),
                                 _mm512_srli_epi16(second, 3)};
    for (int k = 0; k < 4; k++) {
        u[k] = _mm512_or_si512(_mm512_and_si512(low_bits[k], low), _mm512_and_si512(high_bits[k], high));
    }
}

TERN_INLINE __m512i broadcast_4(const int8_t *at) {
    int32_t four;
    memcpy(&four, at, sizeof four);
    return _mm512_set1_epi32(four);
}

typedef struct panel_sums {
    __m512i of[TOKENS][PLANES][HALVES][2]; /* the last: even and odd fours of columns */
} panel_sums;

TERN_INLINE void add_16(int bits, int tokens, const uint8_t *at, bool whole, const tern_screen_inputs *x, int64_t token,
                        int64_t column, panel_sums *sums) {
    __m512i u[HALVES][4];
    for (int half = 0; half < HALVES; half++) {
        unpack_16(bits, at, half, whole, u[half]);
    }
    for (int t = 0; t < tokens; t++) {
        const int64_t from = (token + t) * x->stride + column;
        for (int k = 0; k < 4; k++) {
            const __m512i high = broadcast_4(x->high + from + 4 * k);
            const __m512i low = broadcast_4(x->low + from + 4 * k);
            for (int half = 0; half < HALVES; half++) {
                __m512i *const of_high = &sums->of[t][0][half][k % 2];
                __m512i *const of_low = &sums->of[t][1][half][k % 2];
                *of_high = _mm512_dpbusd_epi32(*of_high, u[half][k], high);
                *of_low = _mm512_dpbusd_epi32(*of_low, u[half][k], low);
            }
        }
    }
}

/* Scores and bounds of sixteen rows from their sums; gives back what the panel's peak and ceiling come from. */
TERN_INLINE void finish_16(const tern_screen *s, const tern_screen_inputs *x, int64_t t, int offset, int64_t row,
                           __m512i high, __m512i low, const tern_screen_scores *out, __m512 *peak, __m512 *ceiling) {
    const float *factors = x->factors + 4 * t;
    high = _mm512_sub_epi32(high, _mm512_set1_epi32(offset * x->sums[2 * t]));
    low = _mm512_sub_epi32(low, _mm512_set1_epi32(offset * x->sums[2 * t + 1]));
    const __m512 sum =
        _mm512_fmadd_ps(_mm512_cvtepi32_ps(high), _mm512_set1_ps((float)SCREEN_INPUT_STEP), _mm512_cvtepi32_ps(low));
    const __m512 scaled = _mm512_mul_ps(_mm512_mul_ps(sum, _mm512_set1_ps(factors[0])), _mm512_load_ps(s->steps + row));
    const __m512 score = _mm512_add_ps(scaled, _mm512_setzero_ps());
    const __m512 rest =
        _mm512_fmadd_ps(_mm512_load_ps(s->norms + row), _mm512_set1_ps(factors[2]), _mm512_set1_ps(factors[3]));
    const __m512 bound = _mm512_fmadd_ps(_mm512_load_ps(s->residuals + row), _mm512_set1_ps(factors[1]), rest);
    __m512 upper = _mm512_add_ps(score, bound);
    upper = _mm512_mask_blend_ps(_mm512_cmp_ps_mask(upper, upper, _CMP_UNORD_Q), upper, _mm512_set1_ps(INFINITY));
    _mm512_storeu_ps(out->scores + t * out->stride + row, score);
    _mm512_storeu_ps(out->uppers + t * out->stride + row, upper);
    *peak = _mm512_max_ps(score, *peak); /* the second of the two where a score is a NaN */
    *ceiling = _mm512_max_ps(upper, *ceiling);
}

static float largest(const float *values, int64_t n) {
    float found = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        found = values[i] > found ? values[i] : found;
    }
    return found;
}

TERN_INLINE void finish_panel(int bits, const tern_screen *s, const tern_screen_inputs *x, int64_t t, int64_t row,
                              int64_t row_end, __m512i sums[PLANES][HALVES][2], const tern_screen_scores *out) {
    __m512 peak = _mm512_set1_ps(-INFINITY);
    __m512 ceiling = peak;
    for (int half = 0; half < HALVES; half++) {
        finish_16(s, x, t, bits == 4 ? OFFSET_4 : OFFSET_6, row + 16 * half,
                  _mm512_add_epi32(sums[0][half][0], sums[0][half][1]),
                  _mm512_add_epi32(sums[1][half][0], sums[1][half][1]), out, &peak, &ceiling);
    }
    const int64_t panel = t * out->panel_stride + row / TERN_PANEL_ROWS;
    const bool full = row + TERN_PANEL_ROWS <= row_end;
    const float *scores = out->scores + t * out->stride + row;
    const float *uppers = out->uppers + t * out->stride + row;
    out->peaks[panel] = full ? _mm512_reduce_max_ps(peak) : largest(scores, row_end - row);
    out->ceilings[panel] = full ? _mm512_reduce_max_ps(ceiling) : largest(uppers, row_end - row);
}

TERN_INLINE void score_panel(int bits, int tokens, const tern_screen *s, const tern_screen_inputs *x, int64_t token,
                             int64_t row, int64_t row_end, const tern_screen_scores *out, bool prefetch) {
    const uint8_t *at = s->codes + row / TERN_PANEL_ROWS * s->stride;
    panel_sums sums;
    for (int t = 0; t < tokens; t++) {
        for (int half = 0; half < HALVES; half++) {
            for (int k = 0; k < 2; k++) {
                sums.of[t][0][half][k] = sums.of[t][1][half][k] = _mm512_setzero_si512();
            }
        }
    }
    const int64_t step = (bits == 4 ? 2 : 3) * SCREEN_GROUP_BYTES;
    const int64_t whole = bits == 4 ? (s->cols + 7) / 8 / 2 : (s->cols + 15) / 16;
    for (int64_t i = 0; i < whole; i++, at += step) {
        for (int64_t line = 0; prefetch && line < step; line += 64) {
            prefetch_ahead_of(at + line);
        }
        add_16(bits, tokens, at, true, x, token, 16 * i, &sums);
    }
    if (bits == 4 && (s->cols + 7) / 8 % 2 == 1) {
        add_16(bits, tokens, at, false, x, token, 16 * whole, &sums);
    }
    for (int t = 0; t < tokens; t++) {
        finish_panel(bits, s, x, token + t, row, row_end, sums.of[t], out);
    }
}

TERN_INLINE void score_panels(int bits, const tern_screen *s, const tern_screen_inputs *x, int64_t tokens,
                              int64_t row_begin, int64_t row_end, const tern_screen_scores *out, bool prefetch) {
    for (int64_t row = row_begin; row < row_end; row += TERN_PANEL_ROWS) {
        int64_t t = 0; /* from the second tile on the panel comes from the cache */
        for (; t + TOKENS <= tokens; t += TOKENS) {
            score_panel(bits, TOKENS, s, x, t, row, row_end, out, prefetch && t == 0);
        }
        if (t < tokens) {
            score_panel(bits, 1, s, x, t, row, row_end, out, prefetch && t == 0);
        }
    }
}

void tern_avx512_screen_scores_as(const tern_screen *s, const tern_screen_inputs *x, int64_t tokens, int64_t row_begin,
                                  int64_t row_end, const tern_screen_scores *out, bool prefetch) {
    if (s->bits == 4 && prefetch) {
        score_panels(4, s, x, tokens, row_begin, row_end, out, true);
    } else if (s->bits == 4) {
        score_panels(4, s, x, tokens, row_begin, row_end, out, false);
    } else if (prefetch) {
        score_panels(6, s, x, tokens, row_begin, row_end, out, true);
    } else {
        score_panels(6, s, x, tokens, row_begin, row_end, out, false);
    }
}

void tern_avx512_screen_scores(const tern_screen *s, const tern_screen_inputs *x, int64_t tokens, int64_t row_begin,
                               int64_t row_end, const tern_screen_scores *out) {
    tern_avx512_screen_scores_as(s, x, tokens, row_begin, row_end, out, tern_prefetch_pays());
}
