/*
 * listed_rows.h: what float_matmul_rows does with a row of its list where a tier has nothing better.
 */
#ifndef TERN_LISTED_ROWS_H
#define TERN_LISTED_ROWS_H

#include "tern_kernels.h"

/* A tier's float_matmul. */
typedef void float_matmul_kernel(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                                 int64_t row_begin, int64_t row_end, float *y, int64_t y_stride);

/* A row times the tokens of a mask, neighbouring ones in one call. */
static inline void listed_row(float_matmul_kernel *kernel, const tern_float_matrix *w, const float *x, int64_t x_stride,
                              int64_t row, uint32_t mask, float *y, int64_t y_stride) {
    int64_t t = 0;
    while (mask != 0) {
        for (; (mask & 1) == 0; mask >>= 1) {
            t++;
        }
        int64_t run = 0;
        for (; (mask & 1) != 0; mask >>= 1) {
            run++;
        }
        kernel(w, x + t * x_stride, x_stride, run, row, row + 1, y + t * y_stride, y_stride);
        t += run;
    }
}

#endif /* TERN_LISTED_ROWS_H */
