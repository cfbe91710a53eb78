/*
 * mixed_pack.h: ternary_pack into TERN_PANELS_MIXED, which ternary_pack calls.
 */
#ifndef TERN_AVX2_MIXED_PACK_H
#define TERN_AVX2_MIXED_PACK_H

#include "tern_kernels.h"

void tern_avx2_mixed_pack(const uint8_t *codes, int64_t stride, int64_t row_begin, int64_t row_end,
                          const tern_ternary_matrix *w);

#endif /* TERN_AVX2_MIXED_PACK_H */
