/*
 * panels.h: panels times tokens, with AVX-VNNI.
 */
#ifndef TERN_AVXVNNI_PANELS_H
#define TERN_AVXVNNI_PANELS_H

#include "tern_kernels.h"

#include <stdbool.h>

#ifdef TERN_AVXVNNI_EVEX
#define tern_avxvnni_decoded tern_avxvnni_decoded_evex
#define tern_avxvnni_unpacked tern_avxvnni_unpacked_evex
#endif

/* ternary_matmul for a matrix in panels of either kind, its codes decoded in registers. `prefetch`: ask for what is
 * used 4 KiB later. */
void tern_avxvnni_decoded(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                          int64_t row_end, float *y, int64_t y_stride, bool prefetch);

/* The same from codes that are unpacked once for all tokens. */
void tern_avxvnni_unpacked(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                           int64_t row_end, float *y, int64_t y_stride);

#endif /* TERN_AVXVNNI_PANELS_H */
