/*
 * tiers.h: the kernels of every tier by their internal names, made from the table of tern_kernels.h.
 *
 * A kernel `rope` of the tier `avx2` is the function tern_avx2_rope. None of these names leaves the library.
 */
#ifndef TERN_TIERS_H
#define TERN_TIERS_H

#include "tern_kernels.h"

#define TERN_DECLARE_SCALAR(name, result, parameters) result tern_scalar_##name parameters;
TERN_KERNEL_TABLE(TERN_DECLARE_SCALAR)
#undef TERN_DECLARE_SCALAR

#if TERN_HAS_AVX2
#define TERN_DECLARE_AVX2(name, result, parameters) result tern_avx2_##name parameters;
TERN_KERNEL_TABLE(TERN_DECLARE_AVX2)
#undef TERN_DECLARE_AVX2
#endif

#endif /* TERN_TIERS_H */
