/*
 * encoded_case.h: ternary matrices in the encodings of files, written value by value as tern_kernels.h describes them.
 */
#ifndef TERN_ENCODED_CASE_H
#define TERN_ENCODED_CASE_H

#include "tern_kernels.h"

#include <stdint.h>

enum { ENCODINGS = TERN_ENCODED_F32 + 1 };

/* Columns and bytes of a block. */
int64_t encoded_columns(int32_t encoding);
int64_t encoded_bytes(int32_t encoding);

/*
 * One row. `d` is the scale in fp16. With `foreign` a block may be one that another program would write, and in which
 * the weights are the same: other steps, other factors, any d where all weights are zero.
 */
void encode_row(int32_t encoding, const int8_t *t, int64_t cols, uint16_t d, int foreign, uint8_t *out);

#endif /* TERN_ENCODED_CASE_H */
