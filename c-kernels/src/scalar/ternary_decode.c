/*
 * ternary_decode.c, scalar: ternary matrices as files store them, into rows of packed codes.
 */
#include "encoded_rows.h"
#include "tiers.h"

int64_t tern_scalar_ternary_decode(int32_t encoding, const uint8_t *in, int64_t rows, int64_t cols, float scale,
                                   uint8_t *codes, int64_t stride) {
    return decode_rows(encoding, in, rows, cols, scale, codes, stride, decode_tq1_0, decode_small);
}
