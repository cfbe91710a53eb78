/*
 * avxvnni_evex.c: the products of the tier avxvnni with the dot product of AVX-512, for CPUs that have no other.
 * Decoding in registers, with prefetch and without, and unpacking take turns, whatever the number of tokens.
 */
#define TERN_AVXVNNI_EVEX
#include "../src/avxvnni/decoded.c"
#include "../src/avxvnni/unpacked.c"

#define tern_avxvnni_dot_peak tern_avxvnni_dot_peak_evex
#include "../src/avxvnni/limits.c"

#include "panels_test.h"

void tested_panels(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                   int64_t row_end, float *y, int64_t y_stride) {
    static unsigned turn;
    turn++;
    if (turn % 3 == 0) {
        tern_avxvnni_unpacked(w, a, tokens, row_begin, row_end, y, y_stride);
    } else {
        tern_avxvnni_decoded(w, a, tokens, row_begin, row_end, y, y_stride, turn % 3 == 1);
    }
}

void tested_dot_peak(const uint8_t *codes, const int8_t *values, int64_t n, int32_t *sums) {
    tern_avxvnni_dot_peak(codes, values, n, sums);
}

const char *tested_panels_obstacle(void) {
    return tern_tier_obstacle(TERN_TIER_AVX512VNNI);
}
