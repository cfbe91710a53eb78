/*
 * paths.h: the fastest code for each step that this file is compiled for.
 */
#if LUT_AVX2
#define lut_threes lut_avx2_threes
#define lut_twos lut_avx2_twos
#define lut_build_triples lut_avx2_triples
#else
#define lut_threes lut_portable_threes
#define lut_twos lut_portable_twos
#define lut_build_triples lut_portable_triples
#endif
#define lut_build_pairs lut_portable_pairs
#if LUT_NEON
#define lut_tl1 lut_neon_tl1
#else
#define lut_tl1 lut_portable_tl1
#endif
