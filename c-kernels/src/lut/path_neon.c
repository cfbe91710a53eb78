/*
 * path_neon.c: the generated kernels with NEON, which every 64-bit ARM processor has.
 */
#include "paths_of_library.h"

#include "bitnet-lut-kernels.h"

const tern_lut_kernels tern_lut_neon_kernels = LUT_KERNELS(TERN_LUT_NEON);
