/*
 * check_screen.c: screen_pack and screen_scores, against the scalar definition and against what a screen promises.
 */
#include "check.h"
#include "screen.h"

#include <math.h>
#include <string.h>

enum { PANEL = TERN_PANEL_ROWS };

typedef struct screen_memory {
    guarded codes;
    guarded steps;
    guarded residuals;
    guarded norms;
    tern_screen screen;
} screen_memory;

static int64_t panels_of_rows(int64_t rows) {
    return (rows + PANEL - 1) / PANEL;
}

static int64_t bytes_of_panel(int32_t bits, int64_t cols) {
    return bits == 4 ? (cols + 7) / 8 * 128 : (cols + 15) / 16 * 384;
}

static screen_memory screen_new(int64_t rows, int64_t cols, int32_t bits, edge side) {
    const int64_t panels = panels_of_rows(rows);
    const int64_t stride = bytes_of_panel(bits, cols) + 128 * random_below(2);
    const size_t floats = (size_t)(panels * PANEL) * sizeof(float);
    screen_memory m;
    m.codes = guarded_new((size_t)((panels - 1) * stride + bytes_of_panel(bits, cols)), side);
    m.steps = guarded_new(floats, side);
    m.residuals = guarded_new(floats, side);
    m.norms = guarded_new(floats, side);
    m.screen = (tern_screen){m.codes.data, m.steps.data, m.residuals.data, m.norms.data, rows, cols, stride, bits};
    return m;
}

static void screen_free(screen_memory *m) {
    guarded_free(&m->codes);
    guarded_free(&m->steps);
    guarded_free(&m->residuals);
    guarded_free(&m->norms);
}

static bool same_screens(const screen_memory *a, const screen_memory *b) {
    return memcmp(a->codes.data, b->codes.data, a->codes.bytes) == 0 &&
           memcmp(a->steps.data, b->steps.data, a->steps.bytes) == 0 &&
           memcmp(a->residuals.data, b->residuals.data, a->residuals.bytes) == 0 &&
           memcmp(a->norms.data, b->norms.data, a->norms.bytes) == 0 && guarded_slack_intact(&a->codes) &&
           guarded_slack_intact(&b->codes) && guarded_slack_intact(&b->steps) && guarded_slack_intact(&b->residuals) &&
           guarded_slack_intact(&b->norms);
}

/* The level of a column as the header describes its place, written without the kernels' own functions. */
static int level_of(const tern_screen *s, int64_t row, int64_t c) {
    static const int levels[16] = {-61, -46, -36, -28, -21, -15, -9, -3, 3, 9, 15, 21, 28, 36, 46, 61};
    const uint8_t *lane = s->codes + row / PANEL * s->stride + row % PANEL * 4 + c % 4;
    if (s->bits == 4) {
        return levels[lane[c / 8 * 128] >> (c / 4 % 2 == 0 ? 0 : 4) & 15];
    }
    const int low = lane[c / 16 * 384 + c / 8 % 2 * 128] >> (c / 4 % 2 == 0 ? 0 : 4) & 15;
    const int high = lane[c / 16 * 384 + 256] >> 2 * (c / 4 % 4) & 3;
    return 2 * (16 * high + low) - 63;
}

/* What the header promises of each row, in double. */
static void check_promises(const tern_float_matrix *w, const tern_screen *s, fill kind) {
    for (int64_t row = 0; row < s->rows; row++) {
        double square = 0;
        double norm = 0;
        double whole = 0;
        for (int64_t c = 0; c < s->cols; c++) {
            const double weight = double_of_typed(w->values, w->type, row * w->stride + c);
            const double kept = (double)s->steps[row] * level_of(s, row, c);
            square += (weight - kept) * (weight - kept);
            norm += kept * kept;
            whole += weight * weight;
        }
        const double residual = (double)s->residuals[row];
        CHECK(!(residual * residual < square) && !isnan(residual), "screen_pack: row %lld leaves %g, but says %g",
              (long long)row, sqrt(square), residual);
        CHECK((double)s->norms[row] * (double)s->norms[row] >= norm, "screen_pack: a norm is too small");
        if (kind == FILL_UNIFORM && w->type != TERN_Q8_0 && w->type != TERN_Q6_K && s->cols >= 32) {
            CHECK(square < (s->bits == 4 ? 0.03 : 0.003) * whole, "screen_pack: row %lld leaves %g of %g",
                  (long long)row, square, whole);
        }
    }
    for (int64_t row = s->rows; row < panels_of_rows(s->rows) * PANEL; row++) {
        CHECK(s->steps[row] == 0 && s->norms[row] == 0 && s->residuals[row] == 0, "screen_pack: padding is not zero");
    }
}

static void pack_case(const tern_kernels *scalar, const tern_kernels *tier, int32_t type, int64_t rows, int64_t cols,
                      int32_t bits, fill kind, edge side) {
    const int64_t stride = cols + random_below(3) * block_of_type(type);
    const int64_t elements = (rows - 1) * stride + cols;
    guarded values = guarded_new(bytes_of_elements(type, elements), side);
    fill_typed(values.data, type, elements, kind);
    const tern_float_matrix w = {values.data, rows, cols, stride, type};
    screen_memory a = screen_new(rows, cols, bits, side);
    screen_memory b = screen_new(rows, cols, bits, side);
    if (a.screen.stride != b.screen.stride) {
        b.screen.stride = a.screen.stride;
        guarded_free(&b.codes);
        b.codes = guarded_new(a.codes.bytes, side);
        b.screen.codes = b.codes.data;
    }
    scalar->screen_pack(&w, 0, rows, &a.screen);
    const int64_t middle = rows / PANEL / 2 * PANEL; /* two calls: each leaves the other's panels alone */
    tier->screen_pack(&w, middle, rows, &b.screen);
    if (middle > 0) {
        CHECK(guarded_is_pattern(b.codes.data, (size_t)bytes_of_panel(bits, cols), &b.codes) &&
                  guarded_is_pattern(b.steps.data, sizeof(float), &b.steps),
              "screen_pack wrote a panel outside of its range");
    }
    tier->screen_pack(&w, 0, middle, &b.screen);
    CHECK(same_screens(&a, &b), "screen_pack: type %d, %lld x %lld, %d bits, fill %d", type, (long long)rows,
          (long long)cols, bits, kind);
    check_promises(&w, &a.screen, kind);
    guarded_free(&values);
    screen_free(&a);
    screen_free(&b);
}

void check_screen_pack(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int32_t bits = 4; bits <= 6; bits += 2) {
        for (int32_t type = TERN_F32; type <= TERN_Q6_K; type++) {
            for (int64_t blocks = 1; blocks <= (type == TERN_Q6_K ? 4 : type == TERN_Q8_0 ? 12 : 100); blocks++) {
                pack_case(scalar, tier, type, 1 + random_below(40), blocks * block_of_type(type), bits,
                          (fill)(blocks % FILL_COUNT), (edge)(blocks / FILL_COUNT % 2));
            }
            for (int kind = 0; kind < FILL_COUNT; kind++) {
                pack_case(scalar, tier, type, 3, 1024, bits, (fill)kind, AT_END);
                pack_case(scalar, tier, type, 67, 256, bits, (fill)kind, AT_BEGIN);
            }
            pack_case(scalar, tier, type, 2, 8448, bits, FILL_UNIFORM, AT_END); /* past the buffer of a row */
        }
    }
}

typedef struct scores_memory {
    guarded scores;
    guarded uppers;
    guarded peaks;
    guarded ceilings;
    tern_screen_scores out;
} scores_memory;

static scores_memory scores_new(int64_t panels, int64_t stride, int64_t panel_stride, int64_t tokens, edge side) {
    const size_t floats = (size_t)((tokens - 1) * stride + panels * PANEL) * sizeof(float);
    const size_t panel_floats = (size_t)((tokens - 1) * panel_stride + panels) * sizeof(float);
    scores_memory m;
    m.scores = guarded_new(floats, side);
    m.uppers = guarded_new(floats, side);
    m.peaks = guarded_new(panel_floats, side);
    m.ceilings = guarded_new(panel_floats, side);
    m.out = (tern_screen_scores){m.scores.data, m.uppers.data, m.peaks.data, m.ceilings.data, stride, panel_stride};
    return m;
}

static bool same_scores(const scores_memory *a, const scores_memory *b) {
    return first_difference(a->scores.data, b->scores.data, (int64_t)(a->scores.bytes / 4)) < 0 &&
           first_difference(a->uppers.data, b->uppers.data, (int64_t)(a->uppers.bytes / 4)) < 0 &&
           first_difference(a->peaks.data, b->peaks.data, (int64_t)(a->peaks.bytes / 4)) < 0 &&
           first_difference(a->ceilings.data, b->ceilings.data, (int64_t)(a->ceilings.bytes / 4)) < 0 &&
           guarded_slack_intact(&b->scores) && guarded_slack_intact(&b->uppers) && guarded_slack_intact(&b->peaks) &&
           guarded_slack_intact(&b->ceilings);
}

static void scores_free(scores_memory *m) {
    guarded_free(&m->scores);
    guarded_free(&m->uppers);
    guarded_free(&m->peaks);
    guarded_free(&m->ceilings);
}

/* Inputs of all magnitudes that are allowed, or the largest alone; of 7 bits, with zeros as low. */
static void fill_inputs(int8_t *high, int8_t *low, int32_t *sums, int64_t stride, int64_t cols, bool largest,
                        bool of_7_bits) {
    const int32_t most = of_7_bits ? 127 : 63;
    sums[0] = sums[1] = 0;
    for (int64_t c = 0; c < stride; c++) {
        high[c] = low[c] = 0;
        if (c < cols) {
            high[c] = (int8_t)(largest ? most * (random_below(2) * 2 - 1) : random_below(2 * most + 1) - most);
            low[c] = (int8_t)(of_7_bits ? 0 : largest ? -32 : random_below(64) - 32);
            sums[0] += high[c];
            sums[1] += low[c];
        }
    }
}

static void scores_case(const tern_kernels *scalar, const tern_kernels *tier, int64_t rows, int64_t cols, int32_t bits,
                        int64_t tokens, bool of_7_bits, fill kind, edge side) {
    const int64_t panels = panels_of_rows(rows);
    const int64_t x_stride = (cols + 15) / 16 * 16 + 16 * random_below(3);
    screen_memory m = screen_new(rows, cols, bits, side);
    for (size_t i = 0; i < m.codes.bytes; i++) { /* any code, of the columns that fill up a group too */
        m.screen.codes[i] = (uint8_t)(kind == FILL_HUGE ? 255 : random_bits());
    }
    fill_floats(m.screen.steps, panels * PANEL, kind == FILL_SPECIAL ? FILL_SPECIAL : FILL_UNIFORM);
    fill_floats(m.screen.residuals, panels * PANEL, kind);
    fill_floats(m.screen.norms, panels * PANEL, kind);
    guarded high = guarded_new((size_t)((tokens - 1) * x_stride + (cols + 15) / 16 * 16), side);
    guarded low = guarded_new(high.bytes, side);
    guarded sums = guarded_new((size_t)(2 * tokens) * sizeof(int32_t), side);
    guarded factors = guarded_new((size_t)(4 * tokens) * sizeof(float), side);
    for (int64_t t = 0; t < tokens; t++) {
        fill_inputs((int8_t *)high.data + t * x_stride, (int8_t *)low.data + t * x_stride, (int32_t *)sums.data + 2 * t,
                    (cols + 15) / 16 * 16, cols, kind == FILL_HUGE, of_7_bits);
    }
    fill_floats(factors.data, 4 * tokens, kind);
    const tern_screen_inputs x = {high.data, of_7_bits ? NULL : low.data, sums.data, factors.data, x_stride};
    const int64_t stride = panels * PANEL + PANEL * random_below(2);
    const int64_t panel_stride = panels + random_below(3);
    const int64_t begin = random_below(panels) * PANEL;
    scores_memory a = scores_new(panels, stride, panel_stride, tokens, side);
    scores_memory b = scores_new(panels, stride, panel_stride, tokens, side);
    scalar->screen_scores(&m.screen, &x, tokens, begin, rows, &a.out);
    tier->screen_scores(&m.screen, &x, tokens, begin, rows, &b.out);
    CHECK(same_scores(&a, &b), "screen_scores: %lld x %lld, %d bits, %lld tokens of %d, fill %d", (long long)rows,
          (long long)cols, bits, (long long)tokens, of_7_bits ? 7 : 12, kind);
#if TERN_HAS_AVX2
    for (int prefetch = 0; prefetch < 2 && tier->tier >= TERN_TIER_AVX2; prefetch++) { /* chosen by CPU */
        scores_memory c = scores_new(panels, stride, panel_stride, tokens, side);
        tern_avx2_screen_scores_as(&m.screen, &x, tokens, begin, rows, &c.out, prefetch == 1);
        CHECK(same_scores(&a, &c), "screen_scores: AVX2, prefetch %d", prefetch);
        scores_free(&c);
    }
    for (int prefetch = 0; prefetch < 2 && tier->tier >= TERN_TIER_AVX512VNNI; prefetch++) {
        scores_memory c = scores_new(panels, stride, panel_stride, tokens, side);
        tern_avx512_screen_scores_as(&m.screen, &x, tokens, begin, rows, &c.out, prefetch == 1);
        CHECK(same_scores(&a, &c), "screen_scores: AVX-512, prefetch %d", prefetch);
        scores_free(&c);
    }
#endif
    for (int64_t row = begin; row < rows && kind == FILL_UNIFORM; row++) { /* the definition, in double */
        double product = 0;
        double magnitude = 0;
        for (int64_t c = 0; c < cols; c++) {
            const int level = level_of(&m.screen, row, c);
            const int8_t *h = high.data;
            const int8_t *l = low.data;
            product += level * (64.0 * h[c] + l[c]);
            magnitude += fabs(level * 64.0 * h[c]) + fabs((double)(level * l[c]));
        }
        const double scale = (double)x.factors[0] * (double)m.screen.steps[row];
        CHECK(fabs((double)a.out.scores[row] - product * scale) <= 1e-6 * magnitude * fabs(scale) + 1e-37,
              "screen_scores: row %lld", (long long)row);
    }
    screen_free(&m);
    guarded_free(&high);
    guarded_free(&low);
    guarded_free(&sums);
    guarded_free(&factors);
    scores_free(&a);
    scores_free(&b);
}

void check_screen_scores(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int32_t bits = 4; bits <= 6; bits += 2) {
        for (int64_t cols = 1; cols <= 100; cols++) {
            scores_case(scalar, tier, 1 + random_below(70), cols, bits, 1 + random_below(16), cols / 2 % 2 == 1,
                        (fill)(cols % FILL_COUNT), (edge)(cols / FILL_COUNT % 2));
        }
        for (int kind = 0; kind < FILL_COUNT; kind++) {
            scores_case(scalar, tier, 64, 2560, bits, 3, false, (fill)kind, AT_END);
            scores_case(scalar, tier, 64, 2560, bits, 8, true, (fill)kind, AT_END);
        }
        for (int of_7_bits = 0; of_7_bits < 2; of_7_bits++) { /* the largest sums there are */
            scores_case(scalar, tier, 33, 131072, bits, 1, of_7_bits == 1, FILL_HUGE, AT_END);
        }
    }
}
