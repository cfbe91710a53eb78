/*
 * panels.h: ternary_matmul of panels with the dot product.
 */
#ifndef TERN_NEONDOT_PANELS_H
#define TERN_NEONDOT_PANELS_H

#include "tern_kernels.h"

void tern_neondot_panels_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                int64_t row_begin, int64_t row_end, float *y, int64_t y_stride);

#endif /* TERN_NEONDOT_PANELS_H */
