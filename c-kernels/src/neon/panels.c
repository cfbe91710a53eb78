/*
 * panels.c, NEON: ternary weights in panels times int8 activations, by widening multiply-adds.
 *
 * Sixteen bytes of a group are four rows of four columns. Their codes meet the same four activations in every row, and
 * a widening multiply-add leaves eight int16 lanes of two rows; pairs of lanes are added when they are widened.
 *
 * WHY INT16 IS WIDE ENOUGH, AND FOR HOW LONG. A lane takes 4 or 5 products of a group, each at most 256 in magnitude;
 * it may take 127 (128 for codes, but -code times -128 is +256): 31 groups of 4, 25 of 5.
 */
#include "panels.h"
#include "tiers.h"

enum { MOST_TOKENS = 2, VECTORS = 4 }; /* of 4 rows each: half a panel; 16 int16 sums for two tokens */

typedef struct panel_sums {
    int16x8_t low[VECTORS][MOST_TOKENS];
    int16x8_t high[VECTORS][MOST_TOKENS];
} panel_sums;

/* Token i's activations begin at + i * stride. */
TERN_INLINE void add_group(int32_t layout, int tokens, const uint8_t *codes, const int8_t *at, int64_t stride,
                           int64_t present, panel_sums *sums) {
    group_activations v[MOST_TOKENS];
    for (int i = 0; i < tokens; i++) {
        v[i] = load_group(layout, at + i * stride, present);
    }
    for (int j = 0; j < VECTORS; j++) {
        int8x16_t code[MOST_STEPS];
        codes_of_panel(layout, vld1q_u8(codes + 16 * j), code);
        for (int t = 0; t < tokens; t++) {
            const int32x4_t quads = vreinterpretq_s32_s8(v[t].first);
            const int8x8_t quad[MOST_STEPS] = {vreinterpret_s8_s32(vdup_laneq_s32(quads, 0)),
                                               vreinterpret_s8_s32(vdup_laneq_s32(quads, 1)),
                                               vreinterpret_s8_s32(vdup_laneq_s32(quads, 2)),
                                               vreinterpret_s8_s32(vdup_laneq_s32(quads, 3)), vget_low_s8(v[t].last)};
            for (int k = 0; k < (layout == TERN_PANELS_2BIT ? 4 : 5); k++) {
                sums->low[j][t] = vmlal_s8(sums->low[j][t], vget_low_s8(code[k]), quad[k]);
                sums->high[j][t] = vmlal_s8(sums->high[j][t], vget_high_s8(code[k]), quad[k]);
            }
        }
    }
}

/* The sums of 16 rows from `codes` on with `tokens` tokens from t on. */
TERN_INLINE void half_panel(int32_t layout, int tokens, const uint8_t *codes, int64_t cols, const tern_activations *a,
                            int64_t t, int32_t *dots) {
    const int64_t columns = layout == TERN_PANELS_2BIT ? COLUMNS_2BIT : COLUMNS_5TRIT;
    const int64_t padded = (cols + TERN_GROUP - 1) / TERN_GROUP * TERN_GROUP;
    const int64_t groups = (cols + columns - 1) / columns;
    const int64_t whole = padded / columns; /* groups whose activations all exist */
    const int64_t most = layout == TERN_PANELS_2BIT ? 31 : 25;
    const int8_t *values = a->values + t * a->stride;
    int32x4_t wide[VECTORS][MOST_TOKENS];
    for (int j = 0; j < VECTORS; j++) {
        for (int i = 0; i < tokens; i++) {
            wide[j][i] = vdupq_n_s32(0);
        }
    }
    for (int64_t first = 0; first < groups; first += most) {
        const int64_t end = first + most < groups ? first + most : groups;
        panel_sums sums;
        for (int j = 0; j < VECTORS; j++) {
            for (int i = 0; i < tokens; i++) {
                sums.low[j][i] = vdupq_n_s16(0);
                sums.high[j][i] = vdupq_n_s16(0);
            }
        }
        for (int64_t g = first; g < end; g++) {
            const int8_t *at = values + g * columns;
            if (g < whole) {
                add_group(layout, tokens, codes + g * GROUP_BYTES, at, a->stride, columns, &sums);
            } else {
                add_group(layout, tokens, codes + g * GROUP_BYTES, at, a->stride, padded - g * columns, &sums);
            }
        }
        for (int j = 0; j < VECTORS; j++) {
            for (int i = 0; i < tokens; i++) { /* two lanes a row, then one */
                const int32x4_t low = vpaddlq_s16(sums.low[j][i]);
                wide[j][i] = vaddq_s32(wide[j][i], vpaddq_s32(low, vpaddlq_s16(sums.high[j][i])));
            }
        }
    }
    for (int j = 0; j < VECTORS; j++) {
        for (int i = 0; i < tokens; i++) {
            vst1q_s32(dots + i * TERN_PANEL_ROWS + 4 * j, wide[j][i]);
        }
    }
}

TERN_INLINE void panels_of_layout(int32_t layout, const tern_ternary_matrix *w, const tern_activations *a,
                                  int64_t tokens, int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    for (int64_t row = row_begin / TERN_PANEL_ROWS * TERN_PANEL_ROWS; row < row_end; row += TERN_PANEL_ROWS) {
        const uint8_t *panel = w->codes + row / TERN_PANEL_ROWS * w->stride;
        for (int64_t t = 0; t < tokens; t += MOST_TOKENS) {
            const int count = tokens - t < MOST_TOKENS ? 1 : MOST_TOKENS;
            int32_t dots[MOST_TOKENS * TERN_PANEL_ROWS];
            for (int half = 0; half < 2; half++) {
                const uint8_t *codes = panel + half * (GROUP_BYTES / 2);
                int32_t *to = dots + half * (TERN_PANEL_ROWS / 2);
                if (count == 1) {
                    half_panel(layout, 1, codes, w->cols, a, t, to);
                } else {
                    half_panel(layout, MOST_TOKENS, codes, w->cols, a, t, to);
                }
            }
            for (int i = 0; i < count; i++) {
                panel_to_y(layout, dots + i * TERN_PANEL_ROWS, w, a, t + i, row, row_begin, row_end, y, y_stride);
            }
        }
    }
}

void tern_neon_panels_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                             int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout == TERN_PANELS_2BIT) {
        panels_of_layout(TERN_PANELS_2BIT, w, a, tokens, row_begin, row_end, y, y_stride);
    } else {
        panels_of_layout(TERN_PANELS_5TRIT, w, a, tokens, row_begin, row_end, y, y_stride);
    }
}
