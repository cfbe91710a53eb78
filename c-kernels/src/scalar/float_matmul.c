/*
 * float_matmul.c, scalar: float matrices, that is the embedding and the head.
 */
#include "floats.h"
#include "listed_rows.h"
#include "tiers.h"

void tern_scalar_float_matmul(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                              int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    for (int64_t t = 0; t < tokens; t++) {
        const float *token = x + t * x_stride;
        for (int64_t row = row_begin; row < row_end; row++) {
            lanes sum;
            lanes_clear(&sum);
            for (int64_t c = 0; c < w->cols; c++) {
                lanes_add_product(&sum, c, float_at(w->values, w->type, row * w->stride + c), token[c]);
            }
            lanes_fill(&sum, w->cols);
            y[t * y_stride + row] = lanes_fold(&sum);
        }
    }
}

void tern_scalar_float_matmul_rows(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                                   const int32_t *rows, const uint32_t *masks, int64_t count, float *y,
                                   int64_t y_stride) {
    (void)tokens;
    for (int64_t i = 0; i < count; i++) {
        listed_row(tern_scalar_float_matmul, w, x, x_stride, rows[i], masks[i], y, y_stride);
    }
}

void tern_scalar_float_row(const tern_float_matrix *m, int64_t row, float *y) {
    for (int64_t c = 0; c < m->cols; c++) {
        y[c] = float_at(m->values, m->type, row * m->stride + c);
    }
}
