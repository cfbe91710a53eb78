/*
 * panels.h: what the ternary products of NEON and of its dot product share: codes out of bytes, and the sums of a
 * panel.
 */
#ifndef TERN_NEON_PANELS_H
#define TERN_NEON_PANELS_H

#include "lanes.h"

/* Columns of a group of a layout of panels, and the four-column steps in it. */
enum { COLUMNS_2BIT = 16, COLUMNS_5TRIT = 20, MOST_STEPS = 5, GROUP_BYTES = 4 * TERN_PANEL_ROWS };

/* Sixteen bytes of TERN_ROWS: the codes of columns p, p + 32, p + 64 and p + 96. */
TERN_INLINE void codes_of_rows(uint8x16_t bytes, int8x16_t codes[4]) {
    const uint8x16_t mask = vdupq_n_u8(3);
    codes[0] = vreinterpretq_s8_u8(vshrq_n_u8(bytes, 6));
    codes[1] = vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(bytes, 4), mask));
    codes[2] = vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(bytes, 2), mask));
    codes[3] = vreinterpretq_s8_u8(vandq_u8(bytes, mask));
}

/*
 * Sixteen bytes of a panel, four rows of four columns: the codes of step k = 0 ... 3 or 4. Of five trits the digit that
 * 3 v = 256 digit + next v brings out is told by two comparisons, v >= 86 (3 v >= 256) and v >= 171 (3 v >= 512), which
 * are -1 where they hold: their sum is -digit, and the sums of products have the other sign too, which
 * panel_to_y turns.
 */
TERN_INLINE void codes_of_panel(int32_t layout, uint8x16_t bytes, int8x16_t codes[MOST_STEPS]) {
    if (layout == TERN_PANELS_2BIT) {
        int8x16_t from_the_top[4];
        codes_of_rows(bytes, from_the_top);
        for (int k = 0; k < 4; k++) {
            codes[k] = from_the_top[3 - k];
        }
        return;
    }
    for (int k = 0; k < MOST_STEPS; k++) {
        codes[k] = vreinterpretq_s8_u8(vaddq_u8(vcgeq_u8(bytes, vdupq_n_u8(86)), vcgeq_u8(bytes, vdupq_n_u8(171))));
        bytes = vmulq_u8(bytes, vdupq_n_u8(3));
    }
}

/* The activations of a group, 16 columns and the last four of 20. Of five trits the last group of a row may reach past
 * the padded activations: then only `present` columns exist, and the others are zero. */
typedef struct group_activations {
    int8x16_t first;
    int8x16_t last;
} group_activations;

TERN_INLINE group_activations load_group(int32_t layout, const int8_t *a, int64_t present) {
    group_activations v;
    int32_t last = 0;
    if (layout == TERN_PANELS_2BIT) {
        v.first = vld1q_s8(a);
    } else if (present >= COLUMNS_5TRIT) {
        v.first = vld1q_s8(a);
        memcpy(&last, a + 16, sizeof last);
    } else {
        int8_t group[COLUMNS_5TRIT] = {0};
        memcpy(group, a, (size_t)present);
        v.first = vld1q_s8(group);
        memcpy(&last, group + 16, sizeof last);
    }
    v.last = vreinterpretq_s8_s32(vdupq_n_s32(last));
    return v;
}

/* y of the rows [row_begin, row_end) of one panel, whose first is `panel_row`, from the sums of ±code * a of 32 rows.
 */
TERN_INLINE void panel_to_y(int32_t layout, const int32_t sums[TERN_PANEL_ROWS], const tern_ternary_matrix *w,
                            const tern_activations *a, int64_t t, int64_t panel_row, int64_t row_begin, int64_t row_end,
                            float *y, int64_t y_stride) {
    const float scale = w->scale / a->scales[t];
    const uint32_t sum = (uint32_t)a->sums[t];
    const int64_t begin = row_begin > panel_row ? row_begin : panel_row;
    const int64_t end = row_end < panel_row + TERN_PANEL_ROWS ? row_end : panel_row + TERN_PANEL_ROWS;
    for (int64_t row = begin; row < end; row++) {
        const uint32_t dot = (uint32_t)sums[row - panel_row];
        y[t * y_stride + row] = (float)(int32_t)((layout == TERN_PANELS_2BIT ? dot : 0u - dot) - sum) * scale;
    }
}

/* ternary_matmul of panels without the dot product. */
void tern_neon_panels_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                             int64_t row_end, float *y, int64_t y_stride);

#endif /* TERN_NEON_PANELS_H */
