/*
 * path_avx2.c: the generated kernels with AVX2.
 */
#include "paths_of_library.h"

#include "bitnet-lut-kernels.h"

const tern_lut_kernels tern_lut_avx2_kernels = LUT_KERNELS(TERN_LUT_AVX2);
