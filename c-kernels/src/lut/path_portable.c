/*
 * path_portable.c: the generated kernels in plain C.
 */
#define TERN_LUT_PORTABLE_ONLY
#include "paths_of_library.h"

#include "bitnet-lut-kernels.h"

const tern_lut_kernels tern_lut_portable_kernels = LUT_KERNELS(TERN_LUT_PORTABLE);
