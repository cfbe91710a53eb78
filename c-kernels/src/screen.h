/*
 * screen.h: the numbers of a screen's quantizers and the places in its panels, as tern_kernels.h says.
 */
#ifndef TERN_SCREEN_H
#define TERN_SCREEN_H

#include "tern_kernels.h"

#include <stdbool.h>
#include <stdint.h>

enum { SCREEN_GROUP_BYTES = 128, SCREEN_INPUT_STEP = 64 };

static const int8_t screen_levels_4[8] = {3, 9, 15, 21, 28, 36, 46, 61};

/* t from which on a weight has the level after this one: half-way between the two. */
static const float screen_thresholds_4[7] = {0.27088036f, 0.54176072f, 0.81264108f, 1.1061048f,
                                             1.4446953f,  1.8510158f,  2.4153499f};

#define SCREEN_PER_STEP_6 9.606148f

/* Means of the weights' squares for which codes are made. */
#define SCREEN_LEAST_SQUARE 0x1p-80f
#define SCREEN_LARGEST_SQUARE 0x1p80f

#define SCREEN_RESIDUAL_FACTOR (1.0f + 0x1p-11f)
#define SCREEN_RESIDUAL_REST 0x1p-60f
#define SCREEN_NORM_FACTOR (1.0f + 0x1p-20f)

static inline int64_t screen_panels_end(int64_t row_end) {
    return (row_end + TERN_PANEL_ROWS - 1) / TERN_PANEL_ROWS * TERN_PANEL_ROWS;
}

/* The 4-byte lane of a panel's row `r` that has the (low) four bits of columns [8 group, 8 group + 8). */
static inline int64_t screen_low_lane(int32_t bits, int64_t group, int64_t r) {
    const int64_t at = bits == 4 ? group : group / 2 * 3 + group % 2;
    return at * SCREEN_GROUP_BYTES + 4 * r;
}

/* The lane that has the high two bits of columns [16 group, 16 group + 16), where there are 6. */
static inline int64_t screen_high_lane(int64_t group, int64_t r) {
    return (3 * group + 2) * SCREEN_GROUP_BYTES + 4 * r;
}

/* screen_scores with and without software prefetch, between which the kernels choose by tern_prefetch_pays(). */
void tern_avx2_screen_scores_as(const tern_screen *s, const tern_screen_inputs *x, int64_t tokens, int64_t row_begin,
                                int64_t row_end, const tern_screen_scores *out, bool prefetch);

void tern_avx512_screen_scores_as(const tern_screen *s, const tern_screen_inputs *x, int64_t tokens, int64_t row_begin,
                                  int64_t row_end, const tern_screen_scores *out, bool prefetch);

#endif /* TERN_SCREEN_H */
