/*
 * lut_packing.h: packs weights as TL1 and TL2 do, one by one, from the published index formulas; shares nothing with
 * the kernels' layout.h.
 */
#ifndef TERN_LUT_PACKING_H
#define TERN_LUT_PACKING_H

#include "tern_kernels.h"

/* Bytes of a packed matrix. */
int64_t lut_packed_bytes(const tern_lut_shape *shape);

/* Sets the bits of one row of T in `packed`, which was zero at first. */
void lut_pack_row(const tern_lut_shape *shape, const int8_t *t, int64_t row, uint8_t *packed);

#endif /* TERN_LUT_PACKING_H */
