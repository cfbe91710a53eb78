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

/* A tier takes over from one below it what it does not do better: such a kernel is a name for that one's. */
#define tern_avx2_ternary_pack tern_scalar_ternary_pack
#define tern_avx2_ternary_unpack tern_scalar_ternary_unpack

#define tern_avx512_quantize tern_avx2_quantize
#define tern_avx512_ternary_matmul tern_avx2_ternary_matmul
#define tern_avx512_ternary_pack tern_avx2_ternary_pack
#define tern_avx512_ternary_unpack tern_avx2_ternary_unpack
#define tern_avx512_float_matmul tern_avx2_float_matmul
#define tern_avx512_float_row tern_avx2_float_row
#define tern_avx512_rms_norm tern_avx2_rms_norm
#define tern_avx512_rope tern_avx2_rope
#define tern_avx512_store_kv tern_avx2_store_kv
#define tern_avx512_attention tern_avx2_attention
#define tern_avx512_softmax tern_avx2_softmax
#define tern_avx512_relu_squared_gate tern_avx2_relu_squared_gate
#define tern_avx512_silu_gate tern_avx2_silu_gate
#define tern_avx512_add tern_avx2_add
#define tern_avx512_find_invalid_code tern_avx2_find_invalid_code
#define tern_avx512_screen_pack tern_avx2_screen_pack

#if TERN_HAS_AVX2
#define TERN_DECLARE_AVX2(name, result, parameters) result tern_avx2_##name parameters;
TERN_KERNEL_TABLE(TERN_DECLARE_AVX2)
#undef TERN_DECLARE_AVX2

#define TERN_DECLARE_AVX512(name, result, parameters) result tern_avx512_##name parameters;
TERN_KERNEL_TABLE(TERN_DECLARE_AVX512)
#undef TERN_DECLARE_AVX512
#endif

#endif /* TERN_TIERS_H */
