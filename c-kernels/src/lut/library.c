/*
 * library.c: which paths a library of generated kernels has and which of them this machine can run.
 */
#include "paths_of_library.h"
#include "x86_features.h"

#include <stddef.h>

const char *tern_lut_abi_hash(void) {
    return TERN_ABI_HASH;
}

const tern_lut_kernels *tern_lut_kernels_of(int32_t path) {
    switch (path) {
    case TERN_LUT_PORTABLE: return &tern_lut_portable_kernels;
#if TERN_HAS_AVX2
    case TERN_LUT_AVX2: return tern_avx2_obstacle(tern_read_x86_features()) == NULL ? &tern_lut_avx2_kernels : NULL;
#endif
#if TERN_HAS_NEON
    case TERN_LUT_NEON: return &tern_lut_neon_kernels;
#endif
    default: return NULL;
    }
}
