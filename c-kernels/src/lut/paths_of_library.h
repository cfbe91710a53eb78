/*
 * paths_of_library.h: what a library of generated kernels is compiled of. TERN_HAS_AVX2 and TERN_HAS_NEON say which
 * paths it has.
 */
#ifndef TERN_LUT_PATHS_OF_LIBRARY_H
#define TERN_LUT_PATHS_OF_LIBRARY_H

#include "tern_kernels.h"

extern const tern_lut_kernels tern_lut_portable_kernels;
extern const tern_lut_kernels tern_lut_avx2_kernels;
extern const tern_lut_kernels tern_lut_neon_kernels;

#endif /* TERN_LUT_PATHS_OF_LIBRARY_H */
