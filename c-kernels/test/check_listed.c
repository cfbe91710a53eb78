/*
 * check_listed.c: screen_select and float_matmul_rows: the rows that a screen leaves, and their products.
 */
#include "check.h"

#include <math.h>
#include <string.h>

enum { PANEL = TERN_PANEL_ROWS };

/* Some bound of the token's, so that it is reached and passed; now and then what reaches nothing, or everything. */
static float threshold_of(const float *uppers, int64_t rows) {
    switch (random_below(8)) {
    case 0: return INFINITY;
    case 1: return -INFINITY;
    case 2: return NAN;
    case 3: return 2; /* above all that are uniform */
    default: return uppers[random_below(rows)];
    }
}

/* Ceilings as screen_scores makes them, or too low, too high and NaN: both must be reached. */
static float ceiling_of(const float *uppers, int64_t rows, bool any) {
    if (any) {
        const float values[] = {NAN, INFINITY, -INFINITY, uppers[0], random_uniform()};
        return values[random_below(5)];
    }
    float largest = -INFINITY;
    for (int64_t i = 0; i < rows; i++) {
        largest = uppers[i] > largest ? uppers[i] : largest;
    }
    return largest;
}

static void select_case(const tern_kernels *scalar, const tern_kernels *tier, int64_t rows, int64_t tokens, fill kind,
                        bool any_ceiling, edge side) {
    const int64_t panels = (rows + PANEL - 1) / PANEL;
    const int64_t stride = PANEL * (panels + random_below(2));
    const int64_t panel_stride = panels + random_below(3);
    guarded uppers = guarded_new((size_t)((tokens - 1) * stride + panels * PANEL) * sizeof(float), side);
    guarded ceilings = guarded_new((size_t)((tokens - 1) * panel_stride + panels) * sizeof(float), side);
    guarded thresholds = guarded_new((size_t)tokens * sizeof(float), side);
    fill_floats(uppers.data, (int64_t)(uppers.bytes / sizeof(float)), kind);
    for (int64_t t = 0; t < tokens; t++) {
        const float *of_token = (const float *)uppers.data + t * stride;
        ((float *)thresholds.data)[t] = threshold_of(of_token, rows);
        for (int64_t p = 0; p < panels; p++) {
            const int64_t in_panel = rows - p * PANEL < PANEL ? rows - p * PANEL : PANEL;
            ((float *)ceilings.data)[t * panel_stride + p] = ceiling_of(of_token + p * PANEL, in_panel, any_ceiling);
        }
    }
    const tern_screen_scores s = {NULL, uppers.data, NULL, ceilings.data, stride, panel_stride};
    const int64_t begin = random_below(panels) * PANEL;
    const int64_t end = random_below(2) == 0 ? rows : begin + random_below((rows - begin) / PANEL + 1) * PANEL;
    guarded listed[2];
    guarded masks[2];
    int64_t count[2];
    for (int i = 0; i < 2; i++) {
        listed[i] = guarded_new((size_t)(end - begin) * sizeof(int32_t), side);
        masks[i] = guarded_new((size_t)(end - begin) * sizeof(uint32_t), side);
        count[i] = (i == 0 ? scalar : tier)
                       ->screen_select(&s, thresholds.data, tokens, begin, end, listed[i].data, masks[i].data);
    }
    const size_t bytes = (size_t)count[0] * sizeof(int32_t);
    CHECK(count[0] == count[1] && memcmp(listed[0].data, listed[1].data, bytes) == 0 &&
              memcmp(masks[0].data, masks[1].data, bytes) == 0 && guarded_slack_intact(&listed[1]) &&
              guarded_slack_intact(&masks[1]),
          "screen_select: %lld of %lld rows, %lld tokens, fill %d: %lld, expected %lld", (long long)(end - begin),
          (long long)rows, (long long)tokens, kind, (long long)count[1], (long long)count[0]);
    int64_t i = 0; /* the definition, row by row */
    for (int64_t row = begin; row < end; row++) {
        uint32_t mask = 0;
        for (int64_t t = 0; t < tokens; t++) {
            const float threshold = ((float *)thresholds.data)[t];
            const float ceiling = ((float *)ceilings.data)[t * panel_stride + row / PANEL];
            const float upper = ((float *)uppers.data)[t * stride + row];
            mask |= (uint32_t)(fminf(upper, ceiling) >= threshold && !isnan(upper) && !isnan(ceiling)) << t;
        }
        if (mask != 0) {
            CHECK(i < count[0] && ((int32_t *)listed[0].data)[i] == row && ((uint32_t *)masks[0].data)[i] == mask,
                  "screen_select: row %lld has mask %x", (long long)row, mask);
            i++;
        }
    }
    CHECK(i == count[0], "screen_select: %lld rows, expected %lld", (long long)count[0], (long long)i);
    guarded_free(&uppers);
    guarded_free(&ceilings);
    guarded_free(&thresholds);
    for (int k = 0; k < 2; k++) {
        guarded_free(&listed[k]);
        guarded_free(&masks[k]);
    }
}

void check_screen_select(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int64_t rows = 1; rows <= 200; rows++) {
        const fill kind = (fill)(rows % FILL_COUNT);
        select_case(scalar, tier, rows, 1 + random_below(TERN_LISTED_TOKENS), kind, false, (edge)(rows / 2 % 2));
        select_case(scalar, tier, rows, 1, FILL_UNIFORM, false, AT_END);
        select_case(scalar, tier, rows, 1 + random_below(9), FILL_SPECIAL, true, AT_END);
    }
    select_case(scalar, tier, 5000, TERN_LISTED_TOKENS, FILL_UNIFORM, false, AT_END);
}

/* What the tokens of a list are like: a call may have some whose products underflow, and others. */
static void fill_tokens(float *x, int64_t x_stride, int64_t cols, int64_t tokens, fill kind) {
    for (int64_t t = 0; t < tokens; t++) {
        fill_floats(x + t * x_stride, cols, t % 3 == 1 ? FILL_UNIFORM : kind);
    }
}

typedef enum list_of { LIST_ANY, LIST_ALL, LIST_ONE_EACH } list_of;

/* Rows in any order, some of them twice. */
static void fill_list(int32_t *rows, uint32_t *masks, int64_t count, int64_t of, int64_t tokens, list_of what) {
    const uint32_t all = (uint32_t)((UINT64_C(1) << tokens) - 1);
    for (int64_t i = 0; i < count; i++) {
        rows[i] = (int32_t)random_below(of);
        masks[i] = what == LIST_ALL   ? all
                   : what == LIST_ANY ? (uint32_t)random_bits() & all
                                      : UINT32_C(1) << random_below(tokens);
    }
}

static void rows_case(const tern_kernels *scalar, const tern_kernels *tier, int32_t type, int64_t cols, int64_t tokens,
                      int64_t count, list_of what, fill kind, edge side) {
    const int64_t rows = 1 + random_below(50);
    const int64_t stride = cols + random_below(3) * block_of_type(type);
    const int64_t x_stride = cols + random_below(3);
    const int64_t y_stride = rows + random_below(3);
    guarded values = guarded_new(bytes_of_elements(type, (rows - 1) * stride + cols), side);
    guarded x = guarded_new((size_t)((tokens - 1) * x_stride + cols) * sizeof(float), side);
    guarded listed = guarded_new((size_t)count * sizeof(int32_t), side);
    guarded masks = guarded_new((size_t)count * sizeof(uint32_t), side);
    guarded whole = guarded_new((size_t)((tokens - 1) * y_stride + rows) * sizeof(float), side);
    guarded y = guarded_new(whole.bytes, side);
    fill_typed(values.data, type, (rows - 1) * stride + cols, kind);
    fill_tokens(x.data, x_stride, cols, tokens, kind);
    fill_list(listed.data, masks.data, count, rows, tokens, what);
    const tern_float_matrix w = {values.data, rows, cols, stride, type};
    scalar->float_matmul(&w, x.data, x_stride, tokens, 0, rows, whole.data, y_stride);
    tier->float_matmul_rows(&w, x.data, x_stride, tokens, listed.data, masks.data, count, y.data, y_stride);
    for (int64_t t = 0; t < tokens; t++) {
        for (int64_t row = 0; row < rows; row++) {
            bool wanted = false;
            for (int64_t i = 0; i < count; i++) {
                wanted |= ((int32_t *)listed.data)[i] == row && (((uint32_t *)masks.data)[i] >> t & 1) != 0;
            }
            const float *at = (const float *)y.data + t * y_stride + row;
            CHECK(wanted ? same_float(*at, ((const float *)whole.data)[t * y_stride + row])
                         : guarded_is_pattern(at, sizeof *at, &y),
                  "float_matmul_rows: type %d, %lld columns, token %lld of %lld, row %lld, list of %lld, fill %d", type,
                  (long long)cols, (long long)t, (long long)tokens, (long long)row, (long long)count, kind);
        }
    }
    CHECK(guarded_slack_intact(&y), "float_matmul_rows wrote past y");
    guarded_free(&values);
    guarded_free(&x);
    guarded_free(&listed);
    guarded_free(&masks);
    guarded_free(&whole);
    guarded_free(&y);
}

void check_float_matmul_rows(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int32_t type = TERN_F32; type <= TERN_Q6_K; type++) {
        const int64_t block = block_of_type(type);
        for (int64_t n = 1; n <= 60; n++) {
            const int64_t cols = block == 1 ? 2 * n + random_below(2) : block * (1 + n % (type == TERN_Q6_K ? 4 : 20));
            rows_case(scalar, tier, type, cols, 1 + random_below(9), random_below(5), LIST_ANY, (fill)(n % FILL_COUNT),
                      (edge)(n % 2));
            rows_case(scalar, tier, type, cols, 1 + random_below(16), random_below(70), LIST_ONE_EACH,
                      (fill)(n / 2 % FILL_COUNT), AT_END);
        }
        for (int kind = 0; kind < FILL_COUNT; kind++) { /* around a chunk of the list, one token and many */
            rows_case(scalar, tier, type, 512, 8, 31 + kind, LIST_ALL, (fill)kind, AT_END);
            rows_case(scalar, tier, type, 512, 1, 62 + kind, LIST_ALL, (fill)kind, AT_BEGIN);
            rows_case(scalar, tier, type, 512, TERN_LISTED_TOKENS, 40, LIST_ANY, (fill)kind, AT_END);
        }
        rows_case(scalar, tier, type, 2560, 17, 66, LIST_ANY, FILL_UNIFORM, AT_END);
        rows_case(scalar, tier, type, 8192, 9, 5, LIST_ANY, FILL_UNIFORM, AT_END); /* more tokens than are ordered */
        rows_case(scalar, tier, type, 8192 + 256, 2, 3, LIST_ALL, FILL_UNIFORM, AT_END);
        rows_case(scalar, tier, type, 256, 3, 0, LIST_ALL, FILL_UNIFORM, AT_END);
    }
}
