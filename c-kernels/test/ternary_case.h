/*
 * ternary_case.h: one comparison of ternary_matmul.
 */
#ifndef TERN_TERNARY_CASE_H
#define TERN_TERNARY_CASE_H

#include "check.h"

typedef enum ternary_fill {
    TERNARY_RANDOM,
    TERNARY_PLUS_127,  /* all weights +1 (code 2), all activations 127: the largest sum of codes */
    TERNARY_PLUS_128,  /* all weights +1, all activations -128: the smallest */
    TERNARY_MINUS_128, /* all weights -1, all activations -128 */
    TERNARY_ZERO,      /* all weights 0 */
    TERNARY_EXTREME,   /* random weights, activations -128 or 127 */
    TERNARY_FILL_COUNT
} ternary_fill;

typedef struct ternary_shape {
    int64_t rows;
    int64_t cols;
    int64_t tokens;
    int64_t row_begin;
    int64_t row_end;
} ternary_shape;

int64_t padded_columns(int64_t cols);
uint8_t random_valid_byte(void);

/* Packs row-major T into the run-time layout, padding with code 1. */
void pack_row(const int8_t *t, int64_t cols, uint8_t *codes);

/* The same matrix in a layout of panels, byte by byte as the header describes it, in memory that the caller frees. */
guarded panels_of(const tern_ternary_matrix *w, int32_t layout, tern_ternary_matrix *out, edge side);

/* Compares a tier with the scalar definition on one product, in every layout. */
void ternary_case(const tern_kernels *scalar, const tern_kernels *tier, ternary_shape shape, ternary_fill kind,
                  edge side);

#endif /* TERN_TERNARY_CASE_H */
