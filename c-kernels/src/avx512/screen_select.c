/*
 * screen_select.c, AVX-512: the rows that a screen leaves, half a panel at a time.
 *
 * They are compressed in registers and stored under a mask: to compress on the way to memory is microcode on Zen 4.
 */
#include "float_lanes.h"
#include "tiers.h"

enum { HALVES = 2 };

int64_t tern_avx512_screen_select(const tern_screen_scores *s, const float *thresholds, int64_t tokens,
                                  int64_t row_begin, int64_t row_end, int32_t *rows, uint32_t *masks) {
    const __m512i numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    int64_t count = 0;
    for (int64_t first = row_begin; first < row_end; first += TERN_PANEL_ROWS) {
        __m512i reached[HALVES] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
        for (int64_t t = 0; t < tokens; t++) {
            if (!(s->ceilings[t * s->panel_stride + first / TERN_PANEL_ROWS] >= thresholds[t])) {
                continue;
            }
            const float *uppers = s->uppers + t * s->stride + first;
            const __m512 threshold = _mm512_set1_ps(thresholds[t]);
            const __m512i bit = _mm512_set1_epi32((int32_t)(UINT32_C(1) << t));
            for (int half = 0; half < HALVES; half++) {
                const __mmask16 reach = _mm512_cmp_ps_mask(_mm512_loadu_ps(uppers + 16 * half), threshold, _CMP_GE_OQ);
                reached[half] = _mm512_mask_or_epi32(reached[half], reach, reached[half], bit);
            }
        }
        for (int half = 0; half < HALVES; half++) {
            const int64_t begin = first + 16 * half;
            const __mmask16 some =
                (__mmask16)(_mm512_test_epi32_mask(reached[half], reached[half]) & first_of_16(row_end - begin));
            const int found = __builtin_popcount(some);
            const __mmask16 room = first_of_16(found);
            const __m512i of = _mm512_add_epi32(numbers, _mm512_set1_epi32((int32_t)begin));
            _mm512_mask_storeu_epi32(rows + count, room, _mm512_maskz_compress_epi32(some, of));
            _mm512_mask_storeu_epi32(masks + count, room, _mm512_maskz_compress_epi32(some, reached[half]));
            count += found;
        }
    }
    return count;
}
