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

#define tern_avxvnni_quantize tern_avx2_quantize
#define tern_avxvnni_ternary_pack tern_avx2_ternary_pack
#define tern_avxvnni_ternary_unpack tern_avx2_ternary_unpack
#define tern_avxvnni_ternary_decode tern_avx2_ternary_decode
#define tern_avxvnni_float_matmul tern_avx2_float_matmul
#define tern_avxvnni_float_row tern_avx2_float_row
#define tern_avxvnni_rms_norm tern_avx2_rms_norm
#define tern_avxvnni_rope tern_avx2_rope
#define tern_avxvnni_store_kv tern_avx2_store_kv
#define tern_avxvnni_attention tern_avx2_attention
#define tern_avxvnni_softmax tern_avx2_softmax
#define tern_avxvnni_relu_squared_gate tern_avx2_relu_squared_gate
#define tern_avxvnni_silu_gate tern_avx2_silu_gate
#define tern_avxvnni_add tern_avx2_add
#define tern_avxvnni_find_invalid_code tern_avx2_find_invalid_code
#define tern_avxvnni_screen_pack tern_avx2_screen_pack
#define tern_avxvnni_screen_scores tern_avx2_screen_scores
#define tern_avxvnni_screen_select tern_avx2_screen_select
#define tern_avxvnni_float_matmul_rows tern_avx2_float_matmul_rows
#define tern_avxvnni_memory_read tern_avx2_memory_read

#define tern_avx512_quantize tern_avx2_quantize
#define tern_avx512_ternary_pack tern_avx2_ternary_pack
#define tern_avx512_ternary_unpack tern_avx2_ternary_unpack
#define tern_avx512_ternary_decode tern_avx2_ternary_decode
#define tern_avx512_float_row tern_avx2_float_row
#define tern_avx512_rms_norm tern_avx2_rms_norm
#define tern_avx512_rope tern_avx2_rope
#define tern_avx512_store_kv tern_avx2_store_kv
#define tern_avx512_relu_squared_gate tern_avx2_relu_squared_gate
#define tern_avx512_silu_gate tern_avx2_silu_gate
#define tern_avx512_add tern_avx2_add
#define tern_avx512_find_invalid_code tern_avx2_find_invalid_code
#define tern_avx512_screen_pack tern_avx2_screen_pack

#define tern_amx_quantize tern_avx512_quantize
#define tern_amx_ternary_pack tern_avx512_ternary_pack
#define tern_amx_ternary_unpack tern_avx512_ternary_unpack
#define tern_amx_ternary_decode tern_avx512_ternary_decode
#define tern_amx_float_matmul tern_avx512_float_matmul
#define tern_amx_float_row tern_avx512_float_row
#define tern_amx_rms_norm tern_avx512_rms_norm
#define tern_amx_rope tern_avx512_rope
#define tern_amx_store_kv tern_avx512_store_kv
#define tern_amx_attention tern_avx512_attention
#define tern_amx_softmax tern_avx512_softmax
#define tern_amx_relu_squared_gate tern_avx512_relu_squared_gate
#define tern_amx_silu_gate tern_avx512_silu_gate
#define tern_amx_add tern_avx512_add
#define tern_amx_find_invalid_code tern_avx512_find_invalid_code
#define tern_amx_screen_pack tern_avx512_screen_pack
#define tern_amx_screen_scores tern_avx512_screen_scores
#define tern_amx_screen_select tern_avx512_screen_select
#define tern_amx_float_matmul_rows tern_avx512_float_matmul_rows
#define tern_amx_memory_read tern_avx512_memory_read

#define tern_neon_ternary_pack tern_scalar_ternary_pack
#define tern_neon_ternary_unpack tern_scalar_ternary_unpack
#define tern_neon_screen_pack tern_scalar_screen_pack
#define tern_neon_screen_scores tern_scalar_screen_scores
#define tern_neon_screen_select tern_scalar_screen_select

#define tern_neondot_quantize tern_neon_quantize
#define tern_neondot_ternary_pack tern_neon_ternary_pack
#define tern_neondot_ternary_unpack tern_neon_ternary_unpack
#define tern_neondot_ternary_decode tern_neon_ternary_decode
#define tern_neondot_float_matmul tern_neon_float_matmul
#define tern_neondot_float_row tern_neon_float_row
#define tern_neondot_rms_norm tern_neon_rms_norm
#define tern_neondot_rope tern_neon_rope
#define tern_neondot_store_kv tern_neon_store_kv
#define tern_neondot_attention tern_neon_attention
#define tern_neondot_softmax tern_neon_softmax
#define tern_neondot_relu_squared_gate tern_neon_relu_squared_gate
#define tern_neondot_silu_gate tern_neon_silu_gate
#define tern_neondot_add tern_neon_add
#define tern_neondot_find_invalid_code tern_neon_find_invalid_code
#define tern_neondot_screen_pack tern_neon_screen_pack
#define tern_neondot_screen_scores tern_neon_screen_scores
#define tern_neondot_screen_select tern_neon_screen_select
#define tern_neondot_float_matmul_rows tern_neon_float_matmul_rows
#define tern_neondot_memory_read tern_neon_memory_read

#if TERN_HAS_AVX2
#define TERN_DECLARE_AVX2(name, result, parameters) result tern_avx2_##name parameters;
TERN_KERNEL_TABLE(TERN_DECLARE_AVX2)
#undef TERN_DECLARE_AVX2

#define TERN_DECLARE_AVX512(name, result, parameters) result tern_avx512_##name parameters;
TERN_KERNEL_TABLE(TERN_DECLARE_AVX512)
#undef TERN_DECLARE_AVX512
#endif

#if TERN_HAS_AVXVNNI
#define TERN_DECLARE_AVXVNNI(name, result, parameters) result tern_avxvnni_##name parameters;
TERN_KERNEL_TABLE(TERN_DECLARE_AVXVNNI)
#undef TERN_DECLARE_AVXVNNI
#endif

#if TERN_HAS_AMX
#define TERN_DECLARE_AMX(name, result, parameters) result tern_amx_##name parameters;
TERN_KERNEL_TABLE(TERN_DECLARE_AMX)
#undef TERN_DECLARE_AMX
#endif

#if TERN_HAS_NEON
#define TERN_DECLARE_NEON(name, result, parameters) result tern_neon_##name parameters;
TERN_KERNEL_TABLE(TERN_DECLARE_NEON)
#undef TERN_DECLARE_NEON

#define TERN_DECLARE_NEONDOT(name, result, parameters) result tern_neondot_##name parameters;
TERN_KERNEL_TABLE(TERN_DECLARE_NEONDOT)
#undef TERN_DECLARE_NEONDOT
#endif

#endif /* TERN_TIERS_H */
