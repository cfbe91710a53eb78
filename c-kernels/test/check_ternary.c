/*
 * check_ternary.c: quantize, ternary_matmul, find_invalid_code.
 */
#if TERN_HAS_AVX2
#include "avx2/one_token.h"
#include "avx512/panel_tokens.h"
#endif
#include "check.h"
#include "ternary_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void quantize_case(const tern_kernels *scalar, const tern_kernels *tier, int64_t cols, int64_t tokens,
                          int64_t begin, int64_t end, fill kind, edge side) {
    const int64_t x_stride = cols + random_below(5);
    const int64_t stride = padded_columns(cols) + 128 * random_below(2);
    guarded x = guarded_new((size_t)((tokens - 1) * x_stride + cols) * sizeof(float), side);
    fill_floats(x.data, (int64_t)(x.bytes / sizeof(float)), kind);
    guarded values[2];
    guarded scales[2];
    guarded sums[2];
    for (int i = 0; i < 2; i++) {
        values[i] = guarded_new((size_t)((tokens - 1) * stride + padded_columns(cols)), side);
        scales[i] = guarded_new((size_t)tokens * sizeof(float), side);
        sums[i] = guarded_new((size_t)tokens * sizeof(int32_t), side);
        const tern_activations out = {values[i].data, scales[i].data, sums[i].data, stride};
        (i == 0 ? scalar : tier)->quantize(x.data, x_stride, cols, begin, end, &out);
        CHECK(guarded_slack_intact(&values[i]), "quantize wrote outside of its values, cols %lld", (long long)cols);
    }
    CHECK(memcmp(values[0].data, values[1].data, values[0].bytes) == 0, "quantize: values, cols %lld fill %d",
          (long long)cols, kind);
    CHECK(memcmp(scales[0].data, scales[1].data, scales[0].bytes) == 0, "quantize: scales, cols %lld fill %d",
          (long long)cols, kind);
    CHECK(memcmp(sums[0].data, sums[1].data, sums[0].bytes) == 0, "quantize: sums, cols %lld fill %d", (long long)cols,
          kind);
    for (int64_t t = 0; t < tokens; t++) {
        if (t < begin || t >= end) {
            CHECK(
                guarded_is_pattern((float *)scales[1].data + t, sizeof(float), &scales[1]) &&
                    guarded_is_pattern((int32_t *)sums[1].data + t, sizeof(int32_t), &sums[1]) &&
                    guarded_is_pattern((int8_t *)values[1].data + t * stride, (size_t)padded_columns(cols), &values[1]),
                "quantize wrote token %lld outside of its range", (long long)t);
        }
    }
    guarded_free(&x);
    for (int i = 0; i < 2; i++) {
        guarded_free(&values[i]);
        guarded_free(&scales[i]);
        guarded_free(&sums[i]);
    }
}

/* Products that are ties: with a largest magnitude of 127 / 64, r is within an ulp of 64 and k / 128 * r of a half. */
static void quantize_ties(const tern_kernels *scalar, const tern_kernels *tier) {
    float x[256];
    int8_t values[2][256];
    float scales[2];
    int32_t sums[2];
    for (int magnitude = 1; magnitude <= 508; magnitude++) {
        const float m = (float)magnitude / 4;
        for (int i = 0; i < 256; i++) {
            x[i] = m * (float)(i - 127) / 254.0f;
        }
        x[255] = m;
        for (int i = 0; i < 2; i++) {
            const tern_activations out = {values[i], &scales[i], &sums[i], 256};
            (i == 0 ? scalar : tier)->quantize(x, 256, 256, 0, 1, &out);
        }
        CHECK(memcmp(values[0], values[1], sizeof values[0]) == 0 && sums[0] == sums[1], "quantize: ties of %d / 4",
              magnitude);
    }
}

void check_quantize(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int64_t cols = 1; cols <= 300; cols++) {
        quantize_case(scalar, tier, cols, 1, 0, 1, (fill)(cols % FILL_COUNT), AT_END);
        quantize_case(scalar, tier, cols, 4, 1, 3, (fill)(cols / 7 % FILL_COUNT), AT_BEGIN);
    }
    for (int kind = 0; kind < FILL_COUNT; kind++) {
        quantize_case(scalar, tier, 2560, 3, 0, 3, (fill)kind, AT_END);
        quantize_case(scalar, tier, 6912, 2, 1, 2, (fill)kind, AT_END);
    }
    quantize_ties(scalar, tier);
}

#if TERN_HAS_AVX2
/* A product with software prefetch or without, of any layout. */
static void multiply_as(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, float *y,
                        bool prefetch) {
    if (w->layout != TERN_ROWS) {
        for (int64_t panel = 0; panel * TERN_PANEL_ROWS < w->rows; panel++) {
            if (tokens == 1) {
                tern_avx512_panel_times_1(w, panel, a, 0, w->rows, y, prefetch);
            } else {
                tern_avx512_panel_times_few(w, panel, a, tokens, 0, w->rows, y, w->rows);
            }
        }
    } else if (tokens == 1) {
        tern_avx2_ternary_one_token(w, a, 0, w->rows, y, prefetch);
    } else {
        tern_avx2_ternary_few_tokens(w, a, tokens, 0, w->rows, y, w->rows, prefetch);
    }
}

/* The kernel takes one of two ways by CPU: both have the result, and a prefetch of a guard page is harmless. */
static void compare_prefetch(const tern_kernels *scalar, const tern_ternary_matrix *w, const tern_activations *a,
                             int64_t tokens) {
    guarded y[2];
    for (int i = 0; i < 2; i++) {
        y[i] = guarded_new((size_t)(tokens * w->rows) * sizeof(float), AT_END);
    }
    scalar->ternary_matmul(w, a, tokens, 0, w->rows, y[0].data, w->rows);
    for (int prefetch = 0; prefetch < 2; prefetch++) {
        guarded_refill(&y[1]);
        multiply_as(w, a, tokens, y[1].data, prefetch == 1);
        CHECK(first_difference(y[0].data, y[1].data, tokens * w->rows) < 0 && guarded_slack_intact(&y[1]),
              "ternary_matmul: layout %d, %lld tokens, prefetch %d", w->layout, (long long)tokens, prefetch);
    }
    guarded_free(&y[0]);
    guarded_free(&y[1]);
}

static void check_prefetch(const tern_kernels *scalar, const tern_kernels *tier) {
    enum { MOST_TOKENS = 15 };
    float scales[MOST_TOKENS] = {3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31};
    for (int64_t groups = 1; groups < 40; groups++) {
        const int64_t rows = 1 + groups % 16 + groups % 3 * 16;
        const int64_t few = 2 + groups % 7;
        guarded codes = guarded_new((size_t)(rows * groups * 32), AT_END);
        guarded values = guarded_new((size_t)(MOST_TOKENS * groups * TERN_GROUP), AT_END);
        int32_t sums[MOST_TOKENS] = {0};
        for (size_t i = 0; i < codes.bytes; i++) {
            ((uint8_t *)codes.data)[i] = random_valid_byte();
        }
        for (size_t i = 0; i < values.bytes; i++) {
            ((int8_t *)values.data)[i] = (int8_t)random_below(256);
            sums[i / (size_t)(groups * TERN_GROUP)] += ((int8_t *)values.data)[i];
        }
        const tern_ternary_matrix w = {codes.data, rows, groups * TERN_GROUP, groups * 32, 0.7f, TERN_ROWS};
        const tern_activations a = {values.data, scales, sums, groups * TERN_GROUP};
        compare_prefetch(scalar, &w, &a, 1);
        compare_prefetch(scalar, &w, &a, few);
        compare_prefetch(scalar, &w, &a, MOST_TOKENS);
        for (int32_t layout = TERN_PANELS_2BIT; layout <= TERN_PANELS_5TRIT && tier->tier >= TERN_TIER_AVX512VNNI;
             layout++) {
            tern_ternary_matrix panels;
            guarded memory = panels_of(&w, layout, &panels, AT_END);
            compare_prefetch(scalar, &panels, &a, 1);
            compare_prefetch(scalar, &panels, &a, few);
            guarded_free(&memory);
        }
        guarded_free(&codes);
        guarded_free(&values);
    }
}
#endif

void check_ternary_matmul(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int64_t cols = 1; cols <= 300; cols++) {
        for (int edge_of = 0; edge_of < 2; edge_of++) {
            const int64_t rows = 1 + random_below(9);
            const int64_t tokens = 1 + random_below(9);
            const int64_t begin = random_below(rows);
            ternary_case(scalar, tier,
                         (ternary_shape){rows, cols, tokens, begin, begin + random_below(rows - begin + 1)},
                         (ternary_fill)(cols % TERNARY_FILL_COUNT), (edge)edge_of);
        }
    }
    /* Every count of rows and tokens of a tile and one more, all rows and part of them. */
    for (int64_t rows = 1; rows <= 10; rows++) {
        for (int64_t tokens = 1; tokens <= 13; tokens++) {
            ternary_case(scalar, tier, (ternary_shape){rows, 384, tokens, 0, rows}, TERNARY_RANDOM, AT_END);
            ternary_case(scalar, tier, (ternary_shape){rows, 257, tokens, rows / 3, rows - rows / 4}, TERNARY_RANDOM,
                         AT_END);
        }
    }
    /* Every worst case at columns around each border of widening (8 and 16 groups) and at the dimensions of models. */
    static const int64_t many[] = {896,  1023, 1024, 1025, 1920, 2047, 2048, 2049,
                                   2176, 2560, 4095, 4096, 4224, 6912, 8192, 16384};
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        for (int kind = 0; kind < TERNARY_FILL_COUNT; kind++) {
            ternary_case(scalar, tier, (ternary_shape){5, many[i], 1, 0, 5}, (ternary_fill)kind, AT_END);
            ternary_case(scalar, tier, (ternary_shape){3, many[i], 5, 0, 3}, (ternary_fill)kind, AT_END);
        }
    }
#if TERN_HAS_AVX2
    if (tier->tier >= TERN_TIER_AVX2) {
        check_prefetch(scalar, tier);
    }
#endif
    /* Many tokens: every count of rows of a block and of tokens of a tile, several slices of columns, two batches. */
    for (int64_t rows = 1; rows <= 9; rows++) {
        for (int64_t tokens = 15; tokens <= 20; tokens++) {
            ternary_case(scalar, tier, (ternary_shape){rows, 257, tokens, rows / 4, rows}, TERNARY_RANDOM, AT_END);
        }
    }
    for (int kind = 0; kind < TERNARY_FILL_COUNT; kind++) {
        ternary_case(scalar, tier, (ternary_shape){3, 2700, 17, 0, 3}, (ternary_fill)kind, AT_END);
    }
    ternary_case(scalar, tier, (ternary_shape){11, 1400, 131, 0, 11}, TERNARY_RANDOM, AT_END);
    /* Few tokens, four at once and two at once. */
    for (int64_t tokens = 2; tokens <= 9; tokens++) {
        ternary_case(scalar, tier, (ternary_shape){10, 5120, tokens, 1, 10}, TERNARY_EXTREME, AT_END);
        ternary_case(scalar, tier, (ternary_shape){10, 5121, tokens, 1, 10}, TERNARY_EXTREME, AT_END);
    }
    /* More rows than a cache block, more tokens than several tiles. */
    ternary_case(scalar, tier, (ternary_shape){150, 256, 21, 3, 149}, TERNARY_RANDOM, AT_END);
    ternary_case(scalar, tier, (ternary_shape){70, 640, 67, 0, 70}, TERNARY_RANDOM, AT_END);
    /* Batches around whole tiles of 16 tokens; part of a panel at both ends; columns around a slice's. */
    for (int64_t tokens = 14; tokens <= 50; tokens++) {
        ternary_case(scalar, tier, (ternary_shape){67, 16 * tokens + 3, tokens, tokens % 40, 67 - tokens % 7},
                     TERNARY_RANDOM, AT_END);
    }
    for (int64_t cols = 2559; cols <= 2562; cols++) {
        ternary_case(scalar, tier, (ternary_shape){33, cols, 33, 0, 33}, TERNARY_EXTREME, AT_END);
    }
    for (int kind = 0; kind < TERNARY_FILL_COUNT; kind++) {
        ternary_case(scalar, tier, (ternary_shape){40, 6912, 20, 1, 40}, (ternary_fill)kind, AT_END);
    }
    /* Windows of mixed panels, which have 350 columns: their borders, and every count of tokens in a tile and in two.
     */
    static const int64_t windows[] = {325, 326, 349, 350, 351, 375, 376, 699, 700, 701, 1050};
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        for (int64_t tokens = 1; tokens <= 17; tokens++) {
            const ternary_shape shape = {70, windows[i], tokens, tokens % 5, 70 - tokens % 7};
            ternary_case(scalar, tier, shape, (ternary_fill)(tokens % TERNARY_FILL_COUNT), AT_END);
        }
    }
    /* The longest row of five trits, and one whose sums are near the end of int32 when they are kept 64 times too
     * large. */
    ternary_case(scalar, tier, (ternary_shape){2, 65535, 1, 0, 2}, TERNARY_PLUS_128, AT_END);
    ternary_case(scalar, tier, (ternary_shape){2, 65535, 3, 0, 2}, TERNARY_MINUS_128, AT_END);
    ternary_case(scalar, tier, (ternary_shape){1, 600000, 1, 0, 1}, TERNARY_PLUS_128, AT_END);
    ternary_case(scalar, tier, (ternary_shape){1, 600000, 2, 0, 1}, TERNARY_PLUS_128, AT_END);
    ternary_case(scalar, tier, (ternary_shape){33, 130, 515, 0, 33}, TERNARY_RANDOM, AT_END); /* two blocks of tokens */
}

/* Both are compared in every ternary_case, whose matrices they pack. Here: what a damaged code may do. */
void check_ternary_pack(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int64_t rows = 1; rows <= 70; rows += 23) {
        guarded codes = guarded_new((size_t)(rows * 64), AT_END);
        memset(codes.data, 0xff, codes.bytes);
        guarded packed[2];
        static const int64_t strides[] = {
            [TERN_PANELS_2BIT] = 128 * 16, [TERN_PANELS_5TRIT] = 128 * 13, [TERN_PANELS_MIXED] = 192 * 11};
        for (int32_t layout = TERN_PANELS_2BIT; layout <= TERN_PANELS_MIXED; layout++) {
            const int64_t stride = strides[layout];
            for (int i = 0; i < 2; i++) {
                packed[i] = guarded_new((size_t)((rows + 31) / 32 * stride), AT_END);
                const tern_ternary_matrix w = {packed[i].data, rows, 256, stride, 1, layout};
                (i == 0 ? scalar : tier)->ternary_pack(codes.data, 64, 0, rows, &w);
            }
            CHECK(memcmp(packed[0].data, packed[1].data, packed[0].bytes) == 0 && guarded_slack_intact(&packed[1]),
                  "ternary_pack: codes 3 in layout %d", layout);
            guarded_free(&packed[0]);
            guarded_free(&packed[1]);
        }
        guarded_free(&codes);
    }
}

void check_ternary_unpack(const tern_kernels *scalar, const tern_kernels *tier) {
    guarded codes = guarded_new(32 * 40, AT_END); /* TERN_ROWS itself, with rows further apart than they are long */
    for (size_t i = 0; i < codes.bytes; i++) {
        ((uint8_t *)codes.data)[i] = random_valid_byte();
    }
    const tern_ternary_matrix w = {codes.data, 32, 128, 40, 1, TERN_ROWS};
    guarded out[2];
    for (int i = 0; i < 2; i++) {
        out[i] = guarded_new(20 * 32, AT_END);
        (i == 0 ? scalar : tier)->ternary_unpack(&w, 5, 25, out[i].data, 32);
    }
    CHECK(memcmp(out[0].data, out[1].data, out[0].bytes) == 0, "ternary_unpack: rows");
    guarded_free(&codes);
    guarded_free(&out[0]);
    guarded_free(&out[1]);
}

void check_find_invalid_code(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int64_t n = 0; n <= 300; n++) {
        for (int edge_of = 0; edge_of < 2; edge_of++) {
            guarded codes = guarded_new((size_t)n, (edge)edge_of);
            uint8_t *bytes = codes.data;
            for (int64_t i = 0; i < n; i++) {
                bytes[i] = random_valid_byte();
            }
            CHECK(tier->find_invalid_code(bytes, n) == -1, "find_invalid_code: %lld valid bytes", (long long)n);
            for (int64_t at = 0; at < n; at++) {
                const uint8_t valid = bytes[at];
                bytes[at] |= (uint8_t)(3 << 2 * random_below(4));
                const uint8_t later = bytes[n - 1];
                bytes[n - 1] |= 3; /* a second one, or the same: the first counts */
                const int64_t expected = at;
                CHECK(tier->find_invalid_code(bytes, n) == expected && scalar->find_invalid_code(bytes, n) == expected,
                      "find_invalid_code: byte %lld of %lld", (long long)at, (long long)n);
                bytes[n - 1] = later;
                bytes[at] = valid;
            }
            guarded_free(&codes);
        }
    }
}
