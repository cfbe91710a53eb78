/*
 * attention_rows.h: how the tiers of x86 cut attention into blocks, and what attention_blocks.h wants of a tier.
 *
 * The items of a call that read the same key head are gathered into rows, up to TERN_ATTENTION_ROWS of them, of one
 * token or of several: they share every key and value while it lies in the first caches. Rows ascend by token, and so
 * by length. The order of a row's sums does not depend on its neighbours: a score is a dot product of its own, and an
 * output element takes its positions in ascending order whatever they are cut into.
 */
#ifndef TERN_ATTENTION_ROWS_H
#define TERN_ATTENTION_ROWS_H

#include "tern_kernels.h"

#include <stdbool.h>

/* The kernel with and without software prefetch, between which the tiers choose by tern_prefetch_pays(). */
typedef void attention_way(const tern_kv_layer *kv, const float *q, int64_t q_stride, int64_t heads, int64_t position,
                           int64_t item_begin, int64_t item_end, float scale, float *scores, float *out,
                           int64_t out_stride, bool prefetch);
attention_way tern_avx2_attention_as;
attention_way tern_avx512_attention_as;

enum {
    TILE_ROWS = 4,                              /* rows of a register tile */
    SCORE_POSITIONS = 16,                       /* keys whose scores are computed together */
    BLOCK_POSITIONS = 32,                       /* keys or values that are widened together: 16 KiB of 128 floats */
    BLOCK_FLOATS = BLOCK_POSITIONS * 256,       /* fewer positions where a head is larger */
    MOST_DIMS = BLOCK_FLOATS / SCORE_POSITIONS, /* of a head; the scalar kernel serves larger ones */
    QUERY_FLOATS = TERN_ATTENTION_ROWS * 128    /* fewer rows where a head is larger */
};

/* One item. */
typedef struct attention_row {
    const float *q;
    float *scores; /* then the weights; room for the longest row's positions, rounded up to SCORE_POSITIONS */
    float *out;
    int64_t length;
} attention_row;

/* Keys or values of a head: position i begins at element at + i * stride. */
typedef struct attention_source {
    const void *values;
    int64_t at;
    int64_t stride;
} attention_source;

/*
 * attention_blocks.h is included after these functions of a tier, which are inlined for 1 ... TILE_ROWS rows and
 * constant types. `dims` is the head's; `padded` is that rounded up to whole groups of 32, with zeros.
 *
 * pack_queries(rows, row, dims, padded, packed): the queries of a tile as score_rows wants them, `padded` floats a row.
 *
 * score_rows(rows, row, packed, source, type, padded, p, scale): the scores of the source's first SCORE_POSITIONS keys,
 * at scores + p of each row.
 *
 * mix_rows(rows, row, source, type, dims, begin, end): adds the weighted values of positions [begin, end), the first of
 * which is the source's first, to each row's `out`; from zero on where `begin` is 0.
 *
 * widen(source, type, dims, padded, block): the source's first key or value as floats.
 *
 * softmax_row(scores, length): the tier's softmax.
 */

#endif /* TERN_ATTENTION_ROWS_H */
