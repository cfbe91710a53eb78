/*
 * amx_emulated.c: the products and the peak of the tier amx over emulated tiles. Plain C: they run on every machine.
 */
#define TERN_AMX_EMULATED
#include "../src/amx/panels.c"

#define tern_amx_dot_peak tern_amx_dot_peak_emulated
#include "../src/amx/limits.c"

#include "panels_test.h"

void tested_panels(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                   int64_t row_end, float *y, int64_t y_stride) {
    tern_amx_panels(w, a, tokens, row_begin, row_end, y, y_stride);
}

void tested_dot_peak(const uint8_t *codes, const int8_t *values, int64_t n, int32_t *sums) {
    tern_amx_dot_peak(codes, values, n, sums);
}

const char *tested_panels_obstacle(void) {
    return NULL;
}
