/*
 * listed_prefetch.h: asking for rows of a float matrix that no hardware prefetcher expects, into L2.
 *
 * Inlined always: a function of nothing but prefetches is one without effects to a compiler, which may leave it out.
 */
#ifndef TERN_AVX2_LISTED_PREFETCH_H
#define TERN_AVX2_LISTED_PREFETCH_H

#include "float_blocks.h"
#include "tern_kernels.h"

#include <immintrin.h>

#define TERN_PREFETCH_INLINE static inline __attribute__((always_inline))

TERN_PREFETCH_INLINE uintptr_t row_address(const tern_float_matrix *w, int64_t row) {
    return (uintptr_t)w->values + (uintptr_t)stored_bytes(w->type, row * w->stride);
}

/* All lines of a row. */
TERN_PREFETCH_INLINE void ask_for_row(const tern_float_matrix *w, int64_t row) {
    const int64_t bytes = stored_bytes(w->type, w->cols);
    const uintptr_t at = row_address(w, row);
    for (int64_t line = 0; line < bytes; line += 64) {
        _mm_prefetch((const char *)(at + (uintptr_t)line), _MM_HINT_T1);
    }
}

/* The two ends of a row, so that the page tables have been walked when the rest is asked for. */
TERN_PREFETCH_INLINE void ask_for_ends(const tern_float_matrix *w, int64_t row) {
    const uintptr_t at = row_address(w, row);
    _mm_prefetch((const char *)at, _MM_HINT_T1);
    _mm_prefetch((const char *)(at + (uintptr_t)stored_bytes(w->type, w->cols) - 1), _MM_HINT_T1);
}

#endif /* TERN_AVX2_LISTED_PREFETCH_H */
