/*
 * prologue.h: how the code below is compiled.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* TERN_LUT_PORTABLE_ONLY asks for plain C wherever this is compiled. */
#if defined(__AVX2__) && !defined(TERN_LUT_PORTABLE_ONLY)
#define LUT_AVX2 1
#include <immintrin.h>
#define LUT_PREFETCH(address) _mm_prefetch((const char *)(address), _MM_HINT_T0)
#else
#define LUT_AVX2 0
#define LUT_PREFETCH(address) (void)(address)
#endif
#if defined(__ARM_NEON) && defined(__aarch64__) && !defined(TERN_LUT_PORTABLE_ONLY)
#define LUT_NEON 1
#include <arm_neon.h>
#else
#define LUT_NEON 0
#endif

/* Shapes and tiles are constants of the caller and are to be constants here. */
#define LUT_INLINE static inline __attribute__((always_inline))
/* The work on a block is one function for all shapes. Not every path calls each. */
#define LUT_BLOCK static __attribute__((noinline, unused))
#if defined(__clang__)
#define LUT_UNROLL _Pragma("clang loop unroll(full)")
#else
#define LUT_UNROLL _Pragma("GCC unroll 16")
#endif

/* Tokens that share the reading of indices and signs. */
enum { LUT_TOKENS = 4 };
