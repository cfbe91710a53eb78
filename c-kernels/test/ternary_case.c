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

    const tern_ternary_matrix w = {codes.data, shape.rows, shape.cols, stride, random_uniform()};
    const tern_activations a = {values.data, scales.data, sums.data, a_stride};
    guarded y[2];
    for (int i = 0; i < 2; i++) {
        y[i] = guarded_new((size_t)((shape.tokens - 1) * y_stride + shape.rows) * sizeof(float), side);
        (i == 0 ? scalar : tier)
            ->ternary_matmul(&w, &a, shape.tokens, shape.row_begin, shape.row_end, y[i].data, y_stride);
    }
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
