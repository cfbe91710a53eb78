/*
 * panels_test.c: products of panels as a tier computes them, in a form that this machine can run, against the scalar
 * definition.
 *
 *   TERN_TEST_PANELS is the function: AMX's over emulated tiles, or AVX-VNNI's over the same instruction as AVX-512 has
 * it. Built without it the program is skipped.
 */
#include "check.h"

#include "tiers.h"

void check_ternary_matmul(const tern_kernels *scalar, const tern_kernels *tier);
void check_far_offsets(const tern_kernels *scalar, const tern_kernels *tier);

#ifdef TERN_TEST_PANELS
void TERN_TEST_PANELS(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                      int64_t row_end, float *y, int64_t y_stride);

static void matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                   int64_t row_end, float *y, int64_t y_stride) {
    if (w->layout == TERN_ROWS) {
        tern_scalar_ternary_matmul(w, a, tokens, row_begin, row_end, y, y_stride);
    } else {
        TERN_TEST_PANELS(w, a, tokens, row_begin, row_end, y, y_stride);
    }
}
#endif

/* Exit status that ctest counts as skipped. */
enum { SKIPPED = 77 };

int main(void) {
#if !defined(TERN_TEST_PANELS)
    puts("skipped: the compiler does not know the instructions");
    return SKIPPED;
#else
    if (TERN_TEST_NEEDS >= 0 && tern_tier_obstacle(TERN_TEST_NEEDS) != NULL) {
        printf("skipped: %s\n", tern_tier_obstacle(TERN_TEST_NEEDS));
        return SKIPPED;
    }
    const tern_kernels *scalar = tern_kernels_of(TERN_TIER_SCALAR);
    tern_kernels tested = *scalar;
    tested.ternary_matmul = matmul;
    seed_random(1);
    check_ternary_matmul(scalar, &tested);
    check_far_offsets(scalar, &tested);
    printf("%d failures\n", failures());
    return failures() == 0 ? 0 : 1;
#endif
}
