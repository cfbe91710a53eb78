/*
 * screen_select.c, AVX2: the rows that a screen leaves, eight at a time.
 */
#include "lanes.h"
#include "tiers.h"

enum { QUARTERS = 4 };

int64_t tern_avx2_screen_select(const tern_screen_scores *s, const float *thresholds, int64_t tokens, int64_t row_begin,
                                int64_t row_end, int32_t *rows, uint32_t *masks) {
    int64_t count = 0;
    for (int64_t first = row_begin; first < row_end; first += TERN_PANEL_ROWS) {
        __m256i reached[QUARTERS] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                                     _mm256_setzero_si256()};
        for (int64_t t = 0; t < tokens; t++) {
            if (!(s->ceilings[t * s->panel_stride + first / TERN_PANEL_ROWS] >= thresholds[t])) {
                continue;
            }
            const float *uppers = s->uppers + t * s->stride + first;
            const __m256 threshold = _mm256_set1_ps(thresholds[t]);
            const __m256i bit = _mm256_set1_epi32((int32_t)(UINT32_C(1) << t));
            for (int q = 0; q < QUARTERS; q++) {
                const __m256 reach = _mm256_cmp_ps(_mm256_loadu_ps(uppers + 8 * q), threshold, _CMP_GE_OQ);
                reached[q] = _mm256_or_si256(reached[q], _mm256_and_si256(_mm256_castps_si256(reach), bit));
            }
        }
        for (int q = 0; q < QUARTERS; q++) {
            const __m256i none = _mm256_cmpeq_epi32(reached[q], _mm256_setzero_si256());
            const int64_t rest = row_end - first - 8 * q;
            unsigned left = ~(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(none)) & (rest >= 8   ? 0xffu
                                                                                        : rest <= 0 ? 0u
                                                                                                    : (1u << rest) - 1);
            uint32_t of[8];
            _mm256_storeu_si256((__m256i *)of, reached[q]);
            for (; left != 0; left &= left - 1) {
                const int i = __builtin_ctz(left);
                rows[count] = (int32_t)(first + 8 * q + i);
                masks[count++] = of[i];
            }
        }
    }
    return count;
}
