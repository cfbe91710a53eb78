/*
 * screen_scores.c, AVX-512 VNNI: approximations and bounds of the products of a screen.
 *
 * As in AVX2 sixteen columns of a panel are unpacked at a time, into bytes u = level + offset; half a panel's rows are
 * a register of sixteen 32-bit lanes, and a dot instruction adds four columns to each. Even and odd fours have sums of
 * their own where one token is alone: a sum takes its next product four cycles later. Up to four tokens share what is
 * unpacked, or eight where their inputs are of 7 bits: 16 sums in registers.
 *
 * Software prefetch pays on any CPU from two tokens on (panels_few.c).
 */
#include "avx2/lanes.h"
#include "avx2/one_token.h"
#include "screen.h"
#include "tiers.h"
#include "x86_features.h"

#include <math.h>
#include <stddef.h>

#define TERN_UNROLL _Pragma("GCC unroll 12")

enum { HALVES = 2, OFFSET_4 = 64, OFFSET_6 = 63, VECTORS = 8, CHAINS = 2 };

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

/* Sums of the two halves of a panel with up to eight vectors of bytes: high and low of a token are two. */
typedef struct panel_sums {
    __m512i of[VECTORS][HALVES][CHAINS];
} panel_sums;

/* What is multiplied together: `planes` vectors of each of `tokens` tokens, in `chains` sums each. */
typedef struct tile_shape {
    int tokens;
    int planes; /* 1 where there is no low */
    int chains;
} tile_shape;

TERN_INLINE void add_16(int bits, tile_shape tile, const uint8_t *at, bool whole, const int8_t *const vectors[VECTORS],
                        int64_t column, panel_sums *sums) {
    __m512i u[HALVES][4];
    unpack_16(bits, at, 0, whole, u[0]);
    unpack_16(bits, at, 1, whole, u[1]);
    TERN_UNROLL
    for (int k = 0; k < 4; k++) {
        TERN_UNROLL
        for (int v = 0; v < tile.tokens * tile.planes; v++) {
            const __m512i four = broadcast_4(vectors[v] + column + 4 * k);
            __m512i *const low_half = &sums->of[v][0][k % tile.chains];
            __m512i *const high_half = &sums->of[v][1][k % tile.chains];
            *low_half = _mm512_dpbusd_epi32(*low_half, u[0][k], four);
            *high_half = _mm512_dpbusd_epi32(*high_half, u[1][k], four);
        }
    }
}

/* Scores and bounds of sixteen rows from their dots; gives back what the panel's peak and ceiling come from. */
TERN_INLINE void finish_16(const tern_screen *s, const tern_screen_inputs *x, int64_t t, int64_t row, __m512i high,
                           __m512i low, const tern_screen_scores *out, __m512 *peak, __m512 *ceiling) {
    const float *factors = x->factors + 4 * t;
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

/* The dots of a half with one vector, from its sums of u = level + offset. */
TERN_INLINE __m512i dots_of(int bits, int chains, const __m512i sums[CHAINS], int32_t sum) {
    const __m512i all = chains == 1 ? sums[0] : _mm512_add_epi32(sums[0], sums[1]);
    return _mm512_sub_epi32(all, _mm512_set1_epi32((bits == 4 ? OFFSET_4 : OFFSET_6) * sum));
}

TERN_INLINE void finish_panel(int bits, tile_shape tile, const tern_screen *s, const tern_screen_inputs *x, int64_t t,
                              int64_t row, int64_t row_end, __m512i sums[][HALVES][CHAINS],
                              const tern_screen_scores *out) {
    __m512 peak = _mm512_set1_ps(-INFINITY);
    __m512 ceiling = peak;
    TERN_UNROLL
    for (int half = 0; half < HALVES; half++) {
        const __m512i high = dots_of(bits, tile.chains, sums[0][half], x->sums[2 * t]);
        const __m512i low =
            tile.planes == 1 ? _mm512_setzero_si512() : dots_of(bits, tile.chains, sums[1][half], x->sums[2 * t + 1]);
        finish_16(s, x, t, row + 16 * half, high, low, out, &peak, &ceiling);
    }
    const int64_t panel = t * out->panel_stride + row / TERN_PANEL_ROWS;
    const bool full = row + TERN_PANEL_ROWS <= row_end;
    const float *scores = out->scores + t * out->stride + row;
    const float *uppers = out->uppers + t * out->stride + row;
    out->peaks[panel] = full ? _mm512_reduce_max_ps(peak) : largest(scores, row_end - row);
    out->ceilings[panel] = full ? _mm512_reduce_max_ps(ceiling) : largest(uppers, row_end - row);
}

TERN_INLINE void score_panel(int bits, tile_shape tile, const tern_screen *s, const tern_screen_inputs *x,
                             int64_t token, int64_t row, int64_t row_end, const tern_screen_scores *out,
                             bool prefetch) {
    const uint8_t *at = s->codes + row / TERN_PANEL_ROWS * s->stride;
    const int8_t *vectors[VECTORS];
    panel_sums sums;
    TERN_UNROLL
    for (int v = 0; v < tile.tokens * tile.planes; v++) {
        const int8_t *plane = v % tile.planes == 0 ? x->high : x->low;
        vectors[v] = plane + (token + v / tile.planes) * x->stride;
        TERN_UNROLL
        for (int half = 0; half < HALVES; half++) {
            sums.of[v][half][0] = sums.of[v][half][1] = _mm512_setzero_si512();
        }
    }
    const int64_t step = (bits == 4 ? 2 : 3) * SCREEN_GROUP_BYTES;
    const int64_t whole = bits == 4 ? (s->cols + 7) / 8 / 2 : (s->cols + 15) / 16;
    for (int64_t i = 0; i < whole; i++, at += step) {
        for (int64_t line = 0; prefetch && line < step; line += 64) {
            prefetch_ahead_of(at + line);
        }
        add_16(bits, tile, at, true, vectors, 16 * i, &sums);
    }
    if (bits == 4 && (s->cols + 7) / 8 % 2 == 1) {
        add_16(bits, tile, at, false, vectors, 16 * whole, &sums);
    }
    TERN_UNROLL
    for (int t = 0; t < tile.tokens; t++) {
        finish_panel(bits, tile, s, x, token + t, row, row_end, sums.of + t * tile.planes, out);
    }
}

#define TERN_SCORE_PANEL(tokens, chains, prefetch)                                                                     \
    score_panel(bits, (tile_shape){tokens, planes, chains}, s, x, t, row, row_end, out, prefetch)

/* A panel's tiles; from the second on it comes from the cache. */
TERN_INLINE void score_tiles(int bits, int planes, const tern_screen *s, const tern_screen_inputs *x, int64_t tokens,
                             int64_t row, int64_t row_end, const tern_screen_scores *out, bool prefetch) {
    int64_t t = 0;
    for (; planes == 1 && t + 8 <= tokens; t += 8) {
        TERN_SCORE_PANEL(8, 1, true);
    }
    for (; t + 4 <= tokens; t += 4) {
        TERN_SCORE_PANEL(4, 1, true);
    }
    for (; t + 2 <= tokens; t += 2) {
        TERN_SCORE_PANEL(2, 1, true);
    }
    if (t < tokens && t == 0 && prefetch) {
        TERN_SCORE_PANEL(1, CHAINS, true);
    } else if (t < tokens) {
        TERN_SCORE_PANEL(1, CHAINS, false);
    }
}

TERN_INLINE void score_panels(int bits, const tern_screen *s, const tern_screen_inputs *x, int64_t tokens,
                              int64_t row_begin, int64_t row_end, const tern_screen_scores *out, bool prefetch) {
    for (int64_t row = row_begin; row < row_end; row += TERN_PANEL_ROWS) {
        if (x->low == NULL) {
            score_tiles(bits, 1, s, x, tokens, row, row_end, out, prefetch);
        } else {
            score_tiles(bits, 2, s, x, tokens, row, row_end, out, prefetch);
        }
    }
}

void tern_avx512_screen_scores_as(const tern_screen *s, const tern_screen_inputs *x, int64_t tokens, int64_t row_begin,
                                  int64_t row_end, const tern_screen_scores *out, bool prefetch) {
    if (s->bits == 4) {
        score_panels(4, s, x, tokens, row_begin, row_end, out, prefetch);
    } else {
        score_panels(6, s, x, tokens, row_begin, row_end, out, prefetch);
    }
}

void tern_avx512_screen_scores(const tern_screen *s, const tern_screen_inputs *x, int64_t tokens, int64_t row_begin,
                               int64_t row_end, const tern_screen_scores *out) {
    tern_avx512_screen_scores_as(s, x, tokens, row_begin, row_end, out, tern_prefetch_pays());
}
