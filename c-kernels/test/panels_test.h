/*
 * panels_test.h: what panels_test.c takes from the form of a tier that it is linked with.
 */
#ifndef TERN_PANELS_TEST_H
#define TERN_PANELS_TEST_H

#include "tern_kernels.h"

/* ternary_matmul for a matrix in panels. */
void tested_panels(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                   int64_t row_end, float *y, int64_t y_stride);

/* dot_peak. */
void tested_dot_peak(const uint8_t *codes, const int8_t *values, int64_t n, int32_t *sums);

/* Why this machine cannot run it, or null. */
const char *tested_panels_obstacle(void);

#endif /* TERN_PANELS_TEST_H */
