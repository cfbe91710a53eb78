/*
 * panels_test.c: products of panels, and the peak of products, as a tier computes them, in a form that this machine can
 * run, against the scalar definition. The form is linked to it: amx_emulated.c or avxvnni_evex.c.
 */
#include "panels_test.h"
#include "check.h"

void check_ternary_matmul(const tern_kernels *scalar, const tern_kernels *tier);
void check_far_offsets(const tern_kernels *scalar, const tern_kernels *tier);
void check_dot_peak(const tern_kernels *scalar, const tern_kernels *tier);

static void matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                   int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout == TERN_ROWS || w->layout == TERN_PANELS_MIXED) { /* which these tiers leave to others */
        tern_kernels_of(TERN_TIER_SCALAR)->ternary_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
    } else {
        tested_panels(w, a, tokens, row_begin, row_end, y, y_stride);
    }
}

/* Exit status that ctest counts as skipped. */
enum { SKIPPED = 77 };

int main(void) {
    if (tested_panels_obstacle() != NULL) {
        printf("skipped: %s\n", tested_panels_obstacle());
        return SKIPPED;
    }
    const tern_kernels *scalar = tern_kernels_of(TERN_TIER_SCALAR);
    tern_kernels tested = *scalar;
    tested.ternary_matmul = matmul;
    tested.dot_peak = tested_dot_peak;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        seed_random(seed);
        check_ternary_matmul(scalar, &tested);
    }
    check_far_offsets(scalar, &tested);
    check_dot_peak(scalar, &tested);
    printf("%d failures\n", failures());
    return failures() == 0 ? 0 : 1;
}
