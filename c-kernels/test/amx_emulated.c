/*
 * amx_emulated.c: the products of the tier amx over emulated tiles. Plain C: they run on every machine.
 */
#define TERN_AMX_EMULATED
#include "../src/amx/panels.c"

#include "panels_test.h"

void tested_panels(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                   int64_t row_end, float *y, int64_t y_stride) {
    tern_amx_panels(w, a, tokens, row_begin, row_end, y, y_stride);
}

const char *tested_panels_obstacle(void) {
    return NULL;
}
