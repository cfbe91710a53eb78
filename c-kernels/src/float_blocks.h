/*
 * float_blocks.h: where the parts of a block of TERN_Q8_0 and TERN_Q6_K lie, as tern_kernels.h says.
 */
#ifndef TERN_FLOAT_BLOCKS_H
#define TERN_FLOAT_BLOCKS_H

#include "tern_kernels.h"

#include <stdint.h>

enum { Q8_0_COLUMNS = 32, Q8_0_BYTES = 34, Q8_0_VALUES = 2 };

enum { Q6_K_COLUMNS = 256, Q6_K_BYTES = 210, Q6_K_HIGH = 128, Q6_K_SCALES = 192, Q6_K_D = 208 };

/* The block that holds element `index` of a matrix. */
static inline const uint8_t *q8_0_block(const void *values, int64_t index) {
    return (const uint8_t *)values + (int64_t)((uint64_t)index / Q8_0_COLUMNS) * Q8_0_BYTES; /* a shift */
}

static inline const uint8_t *q6_k_block(const void *values, int64_t index) {
    return (const uint8_t *)values + index / Q6_K_COLUMNS * Q6_K_BYTES;
}

/* Bytes of so many elements of a type, whole blocks of them. */
static inline int64_t stored_bytes(int32_t type, int64_t elements) {
    switch (type) {
    case TERN_Q6_K: return elements / Q6_K_COLUMNS * Q6_K_BYTES;
    case TERN_Q8_0: return elements / Q8_0_COLUMNS * Q8_0_BYTES;
    case TERN_F32: return elements * 4;
    default: return elements * 2;
    }
}

#endif /* TERN_FLOAT_BLOCKS_H */
