/*
 * screen_scores.c, AVX2: approximations and bounds of the products of a screen.
 *
 * Sixteen columns of a panel are unpacked at a time, into bytes u = level + offset from 0 to 127; the offset is taken
 * back through the sum of the inputs. A 32-bit lane belongs to a row, so nothing is added across lanes until int16
 * pairs are widened. Pairs of u * high are at most 2 * 127 * 63 = 16,002, so two of them still fit in int16; pairs of u
 * * low are at most 2 * 127 * 32 = 8,128, so four do. Where there is no low, pairs of u * high are at most 2 * 127 *
 * 127 = 32,258, so each is widened by itself.
 */
#include "lanes.h"
#include "one_token.h"
#include "screen.h"
#include "tiers.h"
#include "x86_features.h"

#include <math.h>
#include <stddef.h>

enum { QUARTERS = 4, OFFSET_4 = 64, OFFSET_6 = 63 };

/* The bytes of rows [8 quarter, 8 quarter + 8), columns 4 k ... 4 k + 3 of sixteen in u[k]. Of a panel's last group
 * alone, where `whole` is false, there are eight columns. */
TERN_INLINE void unpack_16(int bits, const uint8_t *at, int quarter, bool whole, __m256i u[4]) {
    const __m256i *group = (const __m256i *)at + quarter;
    const __m256i first = _mm256_load_si256(group);
    const __m256i second = whole ? _mm256_load_si256(group + QUARTERS) : _mm256_setzero_si256();
    if (bits == 4) {
        const __m256i low = _mm256_set1_epi8(15);
        const __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(
            3, 18, 28, 36, 43, 49, 55, 61, 67, 73, 79, 85, 92, 100, 110, 125)); /* level + 64 of each code */
        u[0] = _mm256_shuffle_epi8(table, _mm256_and_si256(first, low));
        u[1] = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(first, 4), low));
        u[2] = _mm256_shuffle_epi8(table, _mm256_and_si256(second, low));
        u[3] = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(second, 4), low));
        return;
    }
    const __m256i third = _mm256_load_si256(group + 2 * QUARTERS);
    const __m256i low = _mm256_set1_epi8(0x1e); /* twice the low four bits, and the high two bits from bit 5 on */
    const __m256i high = _mm256_set1_epi8(0x60);
    const __m256i high_bits[4] = {_mm256_slli_epi16(third, 5), _mm256_slli_epi16(third, 3), _mm256_slli_epi16(third, 1),
                                  _mm256_srli_epi16(third, 1)};
    const __m256i low_bits[4] = {_mm256_slli_epi16(first, 1), _mm256_srli_epi16(first, 3), _mm256_slli_epi16(second, 1),
                                 _mm256_srli_epi16(second, 3)};
    for (int k = 0; k < 4; k++) {
        u[k] = _mm256_or_si256(_mm256_and_si256(low_bits[k], low), _mm256_and_si256(high_bits[k], high));
    }
}

TERN_INLINE __m256i broadcast_4(const int8_t *at) {
    int32_t four;
    memcpy(&four, at, sizeof four);
    return _mm256_set1_epi32(four);
}

/* Adds sixteen columns' products with one token. */
TERN_INLINE void add_16(const __m256i u[4], const int8_t *high, const int8_t *low, __m256i *high_sum,
                        __m256i *low_sum) {
    const __m256i ones = _mm256_set1_epi16(1);
    const __m256i h01 = _mm256_add_epi16(_mm256_maddubs_epi16(u[0], broadcast_4(high)),
                                         _mm256_maddubs_epi16(u[1], broadcast_4(high + 4)));
    const __m256i h23 = _mm256_add_epi16(_mm256_maddubs_epi16(u[2], broadcast_4(high + 8)),
                                         _mm256_maddubs_epi16(u[3], broadcast_4(high + 12)));
    *high_sum = _mm256_add_epi32(*high_sum, _mm256_madd_epi16(h01, ones));
    *high_sum = _mm256_add_epi32(*high_sum, _mm256_madd_epi16(h23, ones));
    const __m256i l01 = _mm256_add_epi16(_mm256_maddubs_epi16(u[0], broadcast_4(low)),
                                         _mm256_maddubs_epi16(u[1], broadcast_4(low + 4)));
    const __m256i l23 = _mm256_add_epi16(_mm256_maddubs_epi16(u[2], broadcast_4(low + 8)),
                                         _mm256_maddubs_epi16(u[3], broadcast_4(low + 12)));
    *low_sum = _mm256_add_epi32(*low_sum, _mm256_madd_epi16(_mm256_add_epi16(l01, l23), ones));
}

/* The same of a token whose inputs are high alone. */
TERN_INLINE void add_16_of_7_bits(const __m256i u[4], const int8_t *high, __m256i *high_sum) {
    const __m256i ones = _mm256_set1_epi16(1);
    for (int k = 0; k < 4; k++) {
        const __m256i pairs = _mm256_maddubs_epi16(u[k], broadcast_4(high + 4 * k));
        *high_sum = _mm256_add_epi32(*high_sum, _mm256_madd_epi16(pairs, ones));
    }
}

TERN_INLINE void add_16_of_token(int planes, const __m256i u[4], const int8_t *high, const int8_t *low, int64_t column,
                                 __m256i *high_sum, __m256i *low_sum) {
    if (planes == 1) {
        add_16_of_7_bits(u, high + column, high_sum);
    } else {
        add_16(u, high + column, low + column, high_sum, low_sum);
    }
}

/* Scores and bounds of eight rows from their sums; gives back what the panel's peak and ceiling come from. */
TERN_INLINE void finish_8(int planes, const tern_screen *s, const tern_screen_inputs *x, int64_t t, int offset,
                          int64_t row, __m256i high, __m256i low, const tern_screen_scores *out, __m256 *peak,
                          __m256 *ceiling) {
    const float *factors = x->factors + 4 * t;
    high = _mm256_sub_epi32(high, _mm256_set1_epi32(offset * x->sums[2 * t]));
    if (planes == 2) {
        low = _mm256_sub_epi32(low, _mm256_set1_epi32(offset * x->sums[2 * t + 1]));
    }
    const __m256 sum =
        _mm256_fmadd_ps(_mm256_cvtepi32_ps(high), _mm256_set1_ps((float)SCREEN_INPUT_STEP), _mm256_cvtepi32_ps(low));
    const __m256 scaled = _mm256_mul_ps(_mm256_mul_ps(sum, _mm256_set1_ps(factors[0])), _mm256_load_ps(s->steps + row));
    const __m256 score = _mm256_add_ps(scaled, _mm256_setzero_ps());
    const __m256 rest =
        _mm256_fmadd_ps(_mm256_load_ps(s->norms + row), _mm256_set1_ps(factors[2]), _mm256_set1_ps(factors[3]));
    const __m256 bound = _mm256_fmadd_ps(_mm256_load_ps(s->residuals + row), _mm256_set1_ps(factors[1]), rest);
    __m256 upper = _mm256_add_ps(score, bound);
    upper = _mm256_blendv_ps(upper, _mm256_set1_ps(INFINITY), _mm256_cmp_ps(upper, upper, _CMP_UNORD_Q));
    _mm256_storeu_ps(out->scores + t * out->stride + row, score);
    _mm256_storeu_ps(out->uppers + t * out->stride + row, upper);
    *peak = _mm256_max_ps(score, *peak); /* the second of the two where a score is a NaN */
    *ceiling = _mm256_max_ps(upper, *ceiling);
}

static float largest_of_8(__m256 v) {
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    m = _mm_max_ss(m, _mm_movehdup_ps(m));
    return _mm_cvtss_f32(m);
}

static float largest(const float *values, int64_t n) {
    float found = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        found = values[i] > found ? values[i] : found;
    }
    return found;
}

TERN_INLINE void score_panel(int bits, int planes, const tern_screen *s, const tern_screen_inputs *x, int64_t t,
                             int64_t row, int64_t row_end, const tern_screen_scores *out, bool prefetch) {
    const uint8_t *at = s->codes + row / TERN_PANEL_ROWS * s->stride;
    const int8_t *high = x->high + t * x->stride;
    const int8_t *low = planes == 1 ? NULL : x->low + t * x->stride;
    __m256i high_sums[QUARTERS];
    __m256i low_sums[QUARTERS];
    for (int q = 0; q < QUARTERS; q++) {
        high_sums[q] = low_sums[q] = _mm256_setzero_si256();
    }
    const int64_t step = (bits == 4 ? 2 : 3) * SCREEN_GROUP_BYTES;
    const int64_t whole = bits == 4 ? (s->cols + 7) / 8 / 2 : (s->cols + 15) / 16;
    for (int64_t i = 0; i < whole; i++, at += step) {
        for (int64_t line = 0; prefetch && line < step; line += 64) {
            prefetch_ahead_of(at + line);
        }
        for (int q = 0; q < QUARTERS; q++) {
            __m256i u[4];
            unpack_16(bits, at, q, true, u);
            add_16_of_token(planes, u, high, low, 16 * i, &high_sums[q], &low_sums[q]);
        }
    }
    if (bits == 4 && (s->cols + 7) / 8 % 2 == 1) {
        for (int q = 0; q < QUARTERS; q++) {
            __m256i u[4];
            unpack_16(bits, at, q, false, u);
            add_16_of_token(planes, u, high, low, 16 * whole, &high_sums[q], &low_sums[q]);
        }
    }
    __m256 peak = _mm256_set1_ps(-INFINITY);
    __m256 ceiling = peak;
    for (int q = 0; q < QUARTERS; q++) {
        finish_8(planes, s, x, t, bits == 4 ? OFFSET_4 : OFFSET_6, row + 8 * q, high_sums[q], low_sums[q], out, &peak,
                 &ceiling);
    }
    const int64_t panel = t * out->panel_stride + row / TERN_PANEL_ROWS;
    const bool full = row + TERN_PANEL_ROWS <= row_end;
    const float *scores = out->scores + t * out->stride + row;
    const float *uppers = out->uppers + t * out->stride + row;
    out->peaks[panel] = full ? largest_of_8(peak) : largest(scores, row_end - row);
    out->ceilings[panel] = full ? largest_of_8(ceiling) : largest(uppers, row_end - row);
}

TERN_INLINE void score_panels(int bits, const tern_screen *s, const tern_screen_inputs *x, int64_t tokens,
                              int64_t row_begin, int64_t row_end, const tern_screen_scores *out, bool prefetch) {
    for (int64_t row = row_begin; row < row_end; row += TERN_PANEL_ROWS) {
        for (int64_t t = 0; t < tokens; t++) { /* from the second token on the panel comes from the cache */
            if (x->low == NULL) {
                score_panel(bits, 1, s, x, t, row, row_end, out, prefetch && t == 0);
            } else {
                score_panel(bits, 2, s, x, t, row, row_end, out, prefetch && t == 0);
            }
        }
    }
}

void tern_avx2_screen_scores_as(const tern_screen *s, const tern_screen_inputs *x, int64_t tokens, int64_t row_begin,
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

void tern_avx2_screen_scores(const tern_screen *s, const tern_screen_inputs *x, int64_t tokens, int64_t row_begin,
                             int64_t row_end, const tern_screen_scores *out) {
    tern_avx2_screen_scores_as(s, x, tokens, row_begin, row_end, out, tern_prefetch_pays());
}
