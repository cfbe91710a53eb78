/*
 * path_avx2.c: the generated kernels with AVX2.
 */
#include "paths_of_library.h"
#include "x86_features.h"

#define LUT_PREFETCH_PAYS tern_prefetch_pays()
#include "bitnet-lut-kernels.h"

const tern_lut_kernels tern_lut_avx2_kernels = LUT_KERNELS(TERN_LUT_AVX2);
