/*
 * panels.h: panels times many tokens, with AMX.
 */
#ifndef TERN_AMX_PANELS_H
#define TERN_AMX_PANELS_H

#include "tern_kernels.h"

#ifdef TERN_AMX_EMULATED
#define tern_amx_panels tern_amx_panels_emulated
#endif

/* ternary_matmul for a matrix in panels of either kind. */
void tern_amx_panels(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                     int64_t row_end, float *y, int64_t y_stride);

#endif /* TERN_AMX_PANELS_H */
