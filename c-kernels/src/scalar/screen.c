/*
 * screen.c, scalar: screens of float matrices.
 */
#include "screen.h"
#include "floats.h"
#include "tiers.h"

#include <stddef.h>

/* The level of t = |w| / root mean square, a positive one. */
static int magnitude_of(int32_t bits, float t) {
    if (bits == 6) {
        const int i = (int)(t * SCREEN_PER_STEP_6); /* t is the root of cols at most */
        return 2 * (i < 31 ? i : 31) + 1;
    }
    int i = 0;
    while (i < 7 && t >= screen_thresholds_4[i]) {
        i++;
    }
    return screen_levels_4[i];
}

static int level_of(int32_t bits, float weight, float inverse) {
    const int magnitude = magnitude_of(bits, fabsf(weight) * inverse);
    return weight < 0 ? -magnitude : magnitude;
}

static unsigned code_of_level(int32_t bits, int level) {
    if (bits == 6) {
        return (unsigned)(level + 63) / 2;
    }
    unsigned i = 0;
    while (screen_levels_4[i] != (level < 0 ? -level : level)) {
        i++;
    }
    return level < 0 ? 7 - i : 8 + i;
}

static int level_at(const tern_screen *s, const uint8_t *panel, int64_t r, int64_t c) {
    const int low = panel[screen_low_lane(s->bits, c / 8, r) + c % 4] >> 4 * (c % 8 / 4) & 15;
    if (s->bits == 6) {
        const int high = panel[screen_high_lane(c / 16, r) + c % 4] >> 2 * (c % 16 / 4) & 3;
        return 2 * (16 * high + low) - 63;
    }
    return low < 8 ? -screen_levels_4[7 - low] : screen_levels_4[low - 8];
}

static void put_code(const tern_screen *s, uint8_t *panel, int64_t r, int64_t c, unsigned code) {
    uint8_t *low = panel + screen_low_lane(s->bits, c / 8, r) + c % 4;
    const int half = (int)(c % 8 / 4);
    *low = (uint8_t)((half == 0 ? 0 : *low) | (code & 15u) << 4 * half);
    if (s->bits == 6) {
        uint8_t *high = panel + screen_high_lane(c / 16, r) + c % 4;
        const int quarter = (int)(c % 16 / 4);
        *high = (uint8_t)((quarter == 0 ? 0 : *high) | code >> 4 << 2 * quarter);
    }
}

static int64_t columns_of_groups(const tern_screen *s) {
    const int64_t columns = s->bits == 4 ? 8 : 16;
    return (s->cols + columns - 1) / columns * columns;
}

static void clear_row(const tern_screen *out, uint8_t *panel, int64_t row, float residual) {
    for (int64_t c = 0; c < columns_of_groups(out); c++) {
        put_code(out, panel, row % TERN_PANEL_ROWS, c, 0);
    }
    out->steps[row] = 0;
    out->norms[row] = 0;
    out->residuals[row] = residual;
}

static float residual_of(float square) {
    const float residual = fmaf(sqrtf(square), SCREEN_RESIDUAL_FACTOR, SCREEN_RESIDUAL_REST);
    return residual == residual ? residual : INFINITY;
}

static void pack_row(const tern_float_matrix *w, int64_t row, const tern_screen *out, uint8_t *panel) {
    const int64_t at = row * w->stride;
    lanes sum;
    lanes_clear(&sum);
    for (int64_t c = 0; c < w->cols; c++) {
        const float weight = float_at(w->values, w->type, at + c);
        lanes_add_product(&sum, c, weight, weight);
    }
    const float square = lanes_fold(&sum);
    const float mean = square / (float)w->cols;
    if (!(mean >= SCREEN_LEAST_SQUARE && mean <= SCREEN_LARGEST_SQUARE)) {
        clear_row(out, panel, row, residual_of(square));
        return;
    }
    const float inverse = 1.0f / sqrtf(mean);
    int64_t levels_square = 0;
    lanes_clear(&sum);
    for (int64_t c = 0; c < columns_of_groups(out); c++) {
        if (c >= w->cols) {
            put_code(out, panel, row % TERN_PANEL_ROWS, c, 0);
            continue;
        }
        const float weight = float_at(w->values, w->type, at + c);
        const int level = level_of(out->bits, weight, inverse);
        put_code(out, panel, row % TERN_PANEL_ROWS, c, code_of_level(out->bits, level));
        levels_square += level * level;
        lanes_add_product(&sum, c, (float)level, weight);
    }
    const float n = (float)levels_square;
    const float step = lanes_fold(&sum) / n;
    lanes_clear(&sum);
    for (int64_t c = 0; c < w->cols; c++) {
        const float weight = float_at(w->values, w->type, at + c);
        const float difference = fmaf(-step, (float)level_of(out->bits, weight, inverse), weight);
        lanes_add_product(&sum, c, difference, difference);
    }
    out->steps[row] = step;
    out->norms[row] = step * sqrtf(n) * SCREEN_NORM_FACTOR;
    out->residuals[row] = residual_of(lanes_fold(&sum));
}

void tern_scalar_screen_pack(const tern_float_matrix *w, int64_t row_begin, int64_t row_end, const tern_screen *out) {
    for (int64_t row = row_begin; row < screen_panels_end(row_end); row++) {
        uint8_t *panel = out->codes + row / TERN_PANEL_ROWS * out->stride;
        if (row < row_end) {
            pack_row(w, row, out, panel);
        } else {
            clear_row(out, panel, row, 0);
        }
    }
}

static float larger(float value, float largest) {
    return value > largest ? value : largest;
}

static void score_row(const tern_screen *s, const tern_screen_inputs *x, int64_t t, int64_t row, float *score,
                      float *upper) {
    const uint8_t *panel = s->codes + row / TERN_PANEL_ROWS * s->stride;
    int32_t high = 0;
    int32_t low = 0;
    for (int64_t c = 0; c < s->cols; c++) {
        const int level = level_at(s, panel, row % TERN_PANEL_ROWS, c);
        high += level * x->high[t * x->stride + c];
        low += x->low == NULL ? 0 : level * x->low[t * x->stride + c];
    }
    const float *factors = x->factors + 4 * t;
    const float sum = fmaf((float)high, (float)SCREEN_INPUT_STEP, (float)low);
    const float bound = fmaf(s->residuals[row], factors[1], fmaf(s->norms[row], factors[2], factors[3]));
    *score = sum * factors[0] * s->steps[row] + 0.0f;
    *upper = *score + bound;
    if (*upper != *upper) {
        *upper = INFINITY;
    }
}

void tern_scalar_screen_scores(const tern_screen *s, const tern_screen_inputs *x, int64_t tokens, int64_t row_begin,
                               int64_t row_end, const tern_screen_scores *out) {
    for (int64_t t = 0; t < tokens; t++) {
        for (int64_t first = row_begin; first < row_end; first += TERN_PANEL_ROWS) {
            float *scores = out->scores + t * out->stride;
            float *uppers = out->uppers + t * out->stride;
            float peak = -INFINITY;
            float ceiling = -INFINITY;
            for (int64_t row = first; row < first + TERN_PANEL_ROWS; row++) {
                score_row(s, x, t, row, &scores[row], &uppers[row]);
                peak = row < row_end ? larger(scores[row], peak) : peak;
                ceiling = row < row_end ? larger(uppers[row], ceiling) : ceiling;
            }
            out->peaks[t * out->panel_stride + first / TERN_PANEL_ROWS] = peak;
            out->ceilings[t * out->panel_stride + first / TERN_PANEL_ROWS] = ceiling;
        }
    }
}

/* The tokens whose thresholds a row and its panel reach. */
static uint32_t reached_by(const tern_screen_scores *s, const float *thresholds, int64_t tokens, int64_t row) {
    uint32_t mask = 0;
    for (int64_t t = 0; t < tokens; t++) {
        const float ceiling = s->ceilings[t * s->panel_stride + row / TERN_PANEL_ROWS];
        if (ceiling >= thresholds[t] && s->uppers[t * s->stride + row] >= thresholds[t]) {
            mask |= UINT32_C(1) << t;
        }
    }
    return mask;
}

int64_t tern_scalar_screen_select(const tern_screen_scores *s, const float *thresholds, int64_t tokens,
                                  int64_t row_begin, int64_t row_end, int32_t *rows, uint32_t *masks) {
    int64_t count = 0;
    for (int64_t row = row_begin; row < row_end; row++) {
        const uint32_t mask = reached_by(s, thresholds, tokens, row);
        if (mask != 0) {
            rows[count] = (int32_t)row;
            masks[count++] = mask;
        }
    }
    return count;
}
