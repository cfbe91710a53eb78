/*
 * ternary_case.c: one comparison of ternary_matmul, on buffers between guard pages.
 */
#include "ternary_case.h"

#include <stdlib.h>
#include <string.h>

int64_t padded_columns(int64_t cols) {
    return (cols + TERN_GROUP - 1) / TERN_GROUP * TERN_GROUP;
}

uint8_t random_valid_byte(void) {
    int byte = 0;
    for (int i = 0; i < 4; i++) {
        byte = byte << 2 | (int)random_below(3);
    }
    return (uint8_t)byte;
}

void pack_row(const int8_t *t, int64_t cols, uint8_t *codes) {
    for (int64_t c = 0; c < padded_columns(cols); c++) {
        const int code = c < cols ? t[c] + 1 : 1;
        uint8_t *byte = codes + c / TERN_GROUP * 32 + c % 32;
        const int quarter = (int)(c % TERN_GROUP / 32);
        *byte = (uint8_t)((quarter == 0 ? 0 : *byte) | code << (6 - 2 * quarter));
    }
}

static int8_t weight_of_kind(ternary_fill kind) {
    switch (kind) {
    case TERNARY_PLUS_127:
    case TERNARY_PLUS_128: return 1;
    case TERNARY_MINUS_128: return -1;
    case TERNARY_ZERO: return 0;
    default: return (int8_t)(random_below(3) - 1);
    }
}

static int8_t activation_of_kind(ternary_fill kind) {
    switch (kind) {
    case TERNARY_PLUS_127: return 127;
    case TERNARY_PLUS_128:
    case TERNARY_MINUS_128: return -128;
    case TERNARY_EXTREME: return random_below(2) ? 127 : -128;
    default: return (int8_t)random_below(256);
    }
}

/* The code of a row's column, 1 outside of the matrix. */
static unsigned code_at(const tern_ternary_matrix *w, int64_t row, int64_t c) {
    return row >= w->rows || c >= w->cols
               ? 1
               : (unsigned)w->codes[row * w->stride + c / TERN_GROUP * 32 + c % 32] >> (6 - 2 * (c % TERN_GROUP / 32)) &
                     3u;
}

/* One group of TERN_PANELS_MIXED. */
static void mixed_group(const tern_ternary_matrix *w, int64_t panel, int64_t g, uint8_t *at) {
    for (int64_t r = 0; r < 32; r++) {
        unsigned word = 0;
        for (int i = 24; i >= 16; i--) { /* three numbers of three digits, from the last on */
            const unsigned code = code_at(w, 32 * panel + r, 25 * g + i);
            word = (i - 16) % 3 == 2 ? word << 5 | code * 9 : word + code * ((i - 16) % 3 == 1 ? 3 : 1);
        }
        at[128 + 4 * (r % 16) + 2 * (r / 16)] = (uint8_t)word;
        at[129 + 4 * (r % 16) + 2 * (r / 16)] = (uint8_t)(word >> 8);
        for (int j = 0; j < 4; j++) {
            unsigned bits = 0;
            for (int k = 3; k >= 0; k--) {
                bits = bits << 2 | code_at(w, 32 * panel + r, 25 * g + 4 * k + j);
            }
            at[4 * r + j] = (uint8_t)bits;
        }
    }
}

static guarded mixed_panels_of(const tern_ternary_matrix *w, tern_ternary_matrix *out, edge side) {
    const int64_t groups = (w->cols + 24) / 25;
    const int64_t panels = (w->rows + 31) / 32;
    guarded memory = guarded_new((size_t)(panels * groups * 192), side);
    uint8_t *at = memory.data;
    for (int64_t first = 0; first < groups; first += 14) {
        for (int64_t panel = 0; panel < panels; panel++) {
            for (int64_t g = first; g < groups && g < first + 14; g++, at += 192) {
                mixed_group(w, panel, g, at);
            }
        }
    }
    *out = (tern_ternary_matrix){memory.data, w->rows, w->cols, 0, w->scale, TERN_PANELS_MIXED};
    return memory;
}

guarded panels_of(const tern_ternary_matrix *w, int32_t layout, tern_ternary_matrix *out, edge side) {
    if (layout == TERN_PANELS_MIXED) {
        return mixed_panels_of(w, out, side);
    }
    const int64_t columns = layout == TERN_PANELS_2BIT ? 16 : 20;
    const int64_t groups = (w->cols + columns - 1) / columns;
    const int64_t panels = (w->rows + 31) / 32;
    guarded memory = guarded_new((size_t)(panels * groups * 128), side);
    uint8_t *at = memory.data;
    for (int64_t row = 0; row < panels * 32; row += 32) {
        for (int64_t g = 0; g < groups; g++) {
            for (int64_t i = 0; i < 128; i++) {
                unsigned q = 0;
                unsigned bits = 0;
                for (int k = 0; k < columns / 4; k++) {
                    const unsigned code = code_at(w, row + i / 4, columns * g + 4 * k + i % 4);
                    q = 3 * q + code;
                    bits |= code << 2 * k;
                }
                *at++ = (uint8_t)(layout == TERN_PANELS_2BIT ? bits : (256 * q + 242) / 243);
            }
        }
    }
    *out = (tern_ternary_matrix){memory.data, w->rows, w->cols, groups * 128, w->scale, layout};
    return memory;
}

/* The layouts of panels: packed and unpacked by the tier, and the same results from them. */
static void panels_case(const tern_kernels *tier, const tern_ternary_matrix *w, const tern_activations *a,
                        ternary_shape shape, const float *expected, int64_t y_stride, edge side) {
    for (int32_t layout = TERN_PANELS_2BIT; layout <= TERN_PANELS_MIXED; layout++) {
        if (layout == TERN_PANELS_5TRIT && w->cols > 65535) {
            continue;
        }
        tern_ternary_matrix panels;
        guarded memory = panels_of(w, layout, &panels, side);
        guarded packed = guarded_new(memory.bytes, side);
        tern_ternary_matrix own = panels;
        own.codes = packed.data;
        const int64_t middle = w->rows / 2 / 32 * 32;
        tier->ternary_pack(w->codes, w->stride, 0, middle, &own);
        tier->ternary_pack(w->codes + middle * w->stride, w->stride, middle, w->rows, &own);
        CHECK(memcmp(memory.data, packed.data, memory.bytes) == 0 && guarded_slack_intact(&packed),
              "ternary_pack: %lld x %lld into layout %d", (long long)w->rows, (long long)w->cols, layout);

        const int64_t row_bytes = padded_columns(w->cols) / 4;
        const int64_t count = shape.row_end - shape.row_begin;
        guarded codes = guarded_new((size_t)(count * row_bytes), side);
        tier->ternary_unpack(&panels, shape.row_begin, shape.row_end, codes.data, row_bytes);
        for (int64_t row = 0; row < count; row++) {
            CHECK(memcmp((uint8_t *)codes.data + row * row_bytes, w->codes + (shape.row_begin + row) * w->stride,
                         (size_t)row_bytes) == 0,
                  "ternary_unpack: row %lld of %lld x %lld from layout %d", (long long)(shape.row_begin + row),
                  (long long)w->rows, (long long)w->cols, layout);
        }
        CHECK(guarded_slack_intact(&codes), "ternary_unpack writes past its rows");

        guarded y = guarded_new((size_t)((shape.tokens - 1) * y_stride + shape.rows) * sizeof(float), side);
        tier->ternary_matmul(&panels, a, shape.tokens, shape.row_begin, shape.row_end, y.data, y_stride);
        CHECK(first_difference(expected, y.data, (int64_t)(y.bytes / sizeof(float))) < 0 && guarded_slack_intact(&y),
              "ternary_matmul: %lld x %lld in layout %d, %lld tokens, rows [%lld, %lld): element %lld",
              (long long)shape.rows, (long long)shape.cols, layout, (long long)shape.tokens, (long long)shape.row_begin,
              (long long)shape.row_end,
              (long long)first_difference(expected, y.data, (int64_t)(y.bytes / sizeof(float))));
        guarded_free(&memory);
        guarded_free(&packed);
        guarded_free(&codes);
        guarded_free(&y);
    }
}

void ternary_case(const tern_kernels *scalar, const tern_kernels *tier, ternary_shape shape, ternary_fill kind,
                  edge side) {
    const int64_t row_bytes = padded_columns(shape.cols) / 4;
    const int64_t stride = row_bytes + random_below(70);
    const int64_t a_stride = padded_columns(shape.cols) + 128 * random_below(2);
    const int64_t y_stride = shape.rows + random_below(4);
    guarded codes = guarded_new((size_t)((shape.rows - 1) * stride + row_bytes), side);
    guarded values = guarded_new((size_t)((shape.tokens - 1) * a_stride + padded_columns(shape.cols)), side);
    guarded scales = guarded_new((size_t)shape.tokens * sizeof(float), side);
    guarded sums = guarded_new((size_t)shape.tokens * sizeof(int32_t), side);

    int8_t *t = malloc((size_t)shape.cols);
    for (int64_t row = 0; row < shape.rows; row++) {
        for (int64_t c = 0; c < shape.cols; c++) {
            t[c] = weight_of_kind(kind);
        }
        pack_row(t, shape.cols, (uint8_t *)codes.data + row * stride);
    }
    free(t);
    for (int64_t i = 0; i < shape.tokens; i++) {
        int8_t *a = (int8_t *)values.data + i * a_stride;
        int32_t sum = 0;
        for (int64_t c = 0; c < padded_columns(shape.cols); c++) {
            a[c] = c < shape.cols ? activation_of_kind(kind) : 0;
            sum += a[c];
        }
        ((int32_t *)sums.data)[i] = sum;
        ((float *)scales.data)[i] = 1.0f + 100.0f * (random_uniform() + 1.0f);
    }

    const tern_ternary_matrix w = {codes.data, shape.rows, shape.cols, stride, random_uniform(), TERN_ROWS};
    const tern_activations a = {values.data, scales.data, sums.data, a_stride};
    guarded y[2];
    for (int i = 0; i < 2; i++) {
        y[i] = guarded_new((size_t)((shape.tokens - 1) * y_stride + shape.rows) * sizeof(float), side);
        (i == 0 ? scalar : tier)
            ->ternary_matmul(&w, &a, shape.tokens, shape.row_begin, shape.row_end, y[i].data, y_stride);
    }
    panels_case(tier, &w, &a, shape, y[0].data, y_stride, side);
    const float *result = y[1].data;
    CHECK(first_difference(y[0].data, result, (int64_t)(y[0].bytes / sizeof(float))) < 0 && guarded_slack_intact(&y[1]),
          "ternary_matmul: %lld x %lld, %lld tokens, rows [%lld, %lld), fill %d: element %lld", (long long)shape.rows,
          (long long)shape.cols, (long long)shape.tokens, (long long)shape.row_begin, (long long)shape.row_end, kind,
          (long long)first_difference(y[0].data, result, (int64_t)(y[0].bytes / sizeof(float))));
    for (int64_t i = 0; i < (int64_t)(y[1].bytes / sizeof(float)); i++) {
        const int64_t row = i % y_stride;
        if (row < shape.row_begin || row >= shape.row_end) {
            CHECK(guarded_is_pattern(result + i, sizeof(float), &y[1]),
                  "ternary_matmul wrote row %lld outside of its range", (long long)row);
        }
    }
    guarded_free(&codes);
    guarded_free(&values);
    guarded_free(&scales);
    guarded_free(&sums);
    guarded_free(&y[0]);
    guarded_free(&y[1]);
}
