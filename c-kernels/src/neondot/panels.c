/*
 * panels.c, NEON with the dot product: ternary weights in panels times int8 activations.
 *
 * Sixteen bytes of a group are four rows of four columns: what SDOT adds up in an int32 lane are four columns of one
 * row, and SDOT by element takes the four activations that all rows share from a lane of a register. So a sum of four
 * rows is a register, and nothing is added up across lanes.
 *
 * One token: the eight registers of a panel's 32 rows, one stream from memory. Several: up to 4 tokens with half a
 * panel, from 8 on 8 tokens with a quarter, sixteen sums in each case; the more tokens, the less a code's unpacking
 * costs.
 */
#include "neondot/panels.h"
#include "neon/panels.h"
#include "tiers.h"

enum { MOST_TOKENS = 8, MOST_VECTORS = 8, FEW_VECTORS = 2 };

/* sums += the products of four rows' codes with a group's activations. */
TERN_INLINE int32x4_t add_steps(int32_t layout, int32x4_t sum, const int8x16_t code[MOST_STEPS], group_activations v) {
    sum = vdotq_laneq_s32(sum, code[0], v.first, 0);
    sum = vdotq_laneq_s32(sum, code[1], v.first, 1);
    sum = vdotq_laneq_s32(sum, code[2], v.first, 2);
    sum = vdotq_laneq_s32(sum, code[3], v.first, 3);
    return layout == TERN_PANELS_2BIT ? sum : vdotq_s32(sum, code[4], v.last);
}

/* Token i's activations begin at + i * stride. */
TERN_INLINE void add_group(int32_t layout, int vectors, int tokens, const uint8_t *codes, const int8_t *at,
                           int64_t stride, int64_t present, int32x4_t sums[MOST_VECTORS][MOST_TOKENS]) {
    if (vectors == FEW_VECTORS) { /* the codes wait in registers while the tokens pass by */
        int8x16_t code[FEW_VECTORS][MOST_STEPS];
        for (int j = 0; j < vectors; j++) {
            codes_of_panel(layout, vld1q_u8(codes + 16 * j), code[j]);
        }
        for (int i = 0; i < tokens; i++) {
            const group_activations v = load_group(layout, at + i * stride, present);
            for (int j = 0; j < vectors; j++) {
                sums[j][i] = add_steps(layout, sums[j][i], code[j], v);
            }
        }
        return;
    }
    group_activations v[MOST_TOKENS]; /* the tokens wait while the codes pass by */
    for (int i = 0; i < tokens; i++) {
        v[i] = load_group(layout, at + i * stride, present);
    }
    for (int j = 0; j < vectors; j++) {
        int8x16_t code[MOST_STEPS];
        codes_of_panel(layout, vld1q_u8(codes + 16 * j), code);
        for (int i = 0; i < tokens; i++) {
            sums[j][i] = add_steps(layout, sums[j][i], code, v[i]);
        }
    }
}

/* The sums of `vectors` times four rows from `codes` on with `tokens` tokens from t on. */
TERN_INLINE void part_of_panel(int32_t layout, int vectors, int tokens, const uint8_t *codes, int64_t cols,
                               const tern_activations *a, int64_t t, int32_t *dots) {
    const int64_t columns = layout == TERN_PANELS_2BIT ? COLUMNS_2BIT : COLUMNS_5TRIT;
    const int64_t padded = (cols + TERN_GROUP - 1) / TERN_GROUP * TERN_GROUP;
    const int64_t groups = (cols + columns - 1) / columns;
    const int8_t *values = a->values + t * a->stride;
    int32x4_t sums[MOST_VECTORS][MOST_TOKENS];
    for (int j = 0; j < vectors; j++) {
        for (int i = 0; i < tokens; i++) {
            sums[j][i] = vdupq_n_s32(0);
        }
    }
    const int64_t whole = padded / columns < groups ? padded / columns : groups; /* whose activations all exist */
    for (int64_t g = 0; g < whole; g++) {
        add_group(layout, vectors, tokens, codes + g * GROUP_BYTES, values + g * columns, a->stride, columns, sums);
    }
    if (whole < groups) {
        add_group(layout, vectors, tokens, codes + whole * GROUP_BYTES, values + whole * columns, a->stride,
                  padded - whole * columns, sums);
    }
    for (int j = 0; j < vectors; j++) {
        for (int i = 0; i < tokens; i++) {
            vst1q_s32(dots + i * TERN_PANEL_ROWS + 4 * j, sums[j][i]);
        }
    }
}

/* One panel, whose first row is `row`, with `tokens` tokens from t on. */
TERN_INLINE void panel(int32_t layout, int vectors, int tokens, const tern_ternary_matrix *w, const tern_activations *a,
                       int64_t t, int64_t row, int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    int32_t dots[MOST_TOKENS * TERN_PANEL_ROWS];
    const uint8_t *codes = w->codes + row / TERN_PANEL_ROWS * w->stride;
    for (int64_t j = 0; j < TERN_PANEL_ROWS / 4; j += vectors) {
        part_of_panel(layout, vectors, tokens, codes + 16 * j, w->cols, a, t, dots + 4 * j);
    }
    for (int i = 0; i < tokens; i++) {
        panel_to_y(layout, dots + i * TERN_PANEL_ROWS, w, a, t + i, row, row_begin, row_end, y, y_stride);
    }
}

TERN_INLINE void panels_of_layout(int32_t layout, const tern_ternary_matrix *w, const tern_activations *a,
                                  int64_t tokens, int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    for (int64_t row = row_begin / TERN_PANEL_ROWS * TERN_PANEL_ROWS; row < row_end; row += TERN_PANEL_ROWS) {
        int64_t t = 0;
        for (; t + 8 <= tokens; t += 8) {
            panel(layout, FEW_VECTORS, 8, w, a, t, row, row_begin, row_end, y, y_stride);
        }
        for (; t + 4 <= tokens; t += 4) {
            panel(layout, 4, 4, w, a, t, row, row_begin, row_end, y, y_stride);
        }
        switch (tokens - t) {
        case 3: panel(layout, 4, 3, w, a, t, row, row_begin, row_end, y, y_stride); break;
        case 2: panel(layout, 4, 2, w, a, t, row, row_begin, row_end, y, y_stride); break;
        case 1: panel(layout, 8, 1, w, a, t, row, row_begin, row_end, y, y_stride); break;
        default: break;
        }
    }
}

void tern_neondot_panels_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout == TERN_PANELS_2BIT) {
        panels_of_layout(TERN_PANELS_2BIT, w, a, tokens, row_begin, row_end, y, y_stride);
    } else {
        panels_of_layout(TERN_PANELS_5TRIT, w, a, tokens, row_begin, row_end, y, y_stride);
    }
}
