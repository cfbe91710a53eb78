/*
 * ternary.c, scalar: quantized activations times packed ternary weights.
 */
#include "floats.h"
#include "tiers.h"

void tern_scalar_quantize(const float *x, int64_t x_stride, int64_t cols, int64_t token_begin, int64_t token_end,
                          const tern_activations *out) {
    const int64_t padded = (cols + TERN_GROUP - 1) / TERN_GROUP * TERN_GROUP;
    for (int64_t t = token_begin; t < token_end; t++) {
        const float *token = x + t * x_stride;
        int8_t *values = out->values + t * out->stride;
        float m = 1e-5f;
        for (int64_t i = 0; i < cols; i++) {
            const float magnitude = fabsf(token[i]);
            m = magnitude > m ? magnitude : m; /* false for a NaN */
        }
        const float r = 1.0f / m * 127.0f;
        int32_t sum = 0;
        for (int64_t i = 0; i < cols; i++) {
            const float rounded = rintf(token[i] * r);
            int8_t a = -128; /* what a NaN becomes */
            if (rounded >= 127.0f) {
                a = 127;
            } else if (rounded > -128.0f) {
                a = (int8_t)rounded;
            }
            values[i] = a;
            sum += a;
        }
        for (int64_t i = cols; i < padded; i++) {
            values[i] = 0;
        }
        out->scales[t] = r;
        out->sums[t] = sum;
    }
}

/* T at column c of a packed row. */
static int32_t weight_at(const uint8_t *row, int64_t c) {
    const uint8_t byte = row[c / TERN_GROUP * 32 + c % 32];
    const int quarter = (int)(c % TERN_GROUP / 32); /* 0 in bits 7:6 … 3 in bits 1:0 */
    return (byte >> (6 - 2 * quarter) & 3) - 1;
}

void tern_scalar_ternary_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    for (int64_t t = 0; t < tokens; t++) {
        const int8_t *values = a->values + t * a->stride;
        const float scale = w->scale / a->scales[t];
        for (int64_t row = row_begin; row < row_end; row++) {
            const uint8_t *codes = w->codes + row * w->stride;
            int32_t sum = 0;
            for (int64_t c = 0; c < w->cols; c++) {
                sum += weight_at(codes, c) * values[c];
            }
            y[t * y_stride + row] = (float)sum * scale;
        }
    }
}

int64_t tern_scalar_find_invalid_code(const uint8_t *codes, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (codes[i] & codes[i] >> 1 & 0x55) { /* a pair of bits that are both set is a 3 */
            return i;
        }
    }
    return -1;
}
