/*
 * dispatch.h: tern_lut_kernels over the shapes above.
 */

/* Whether the shape that a matrix claims is the one its kernel was generated for. */
static bool lut_is_known(const tern_lut_matrix *w) {
    if (w->kernel < 0 || w->kernel >= LUT_SHAPE_COUNT) {
        return false;
    }
    const tern_lut_shape *a = &w->shape;
    const tern_lut_shape *b = &lut_shapes[w->kernel];
    return a->format == b->format && a->rows == b->rows && a->cols == b->cols && a->bm == b->bm && a->bk == b->bk &&
           a->bmm == b->bmm;
}

static bool lut_are_whole_blocks(const tern_lut_matrix *w, int64_t row_begin, int64_t row_end) {
    return row_begin >= 0 && row_begin <= row_end && row_end <= w->shape.rows && row_begin % LUT_ROWS == 0 &&
           row_end % LUT_ROWS == 0;
}

/* Column of the first pair that TL2 tabulates. */
LUT_INLINE int64_t lut_first_pair(int64_t cols) {
    return cols < 224 ? 0 : cols - 224;
}

static int32_t lut_build_tables(int32_t format, const tern_activations *a, int64_t cols, int64_t token_begin,
                                int64_t token_end, const tern_lut_tables *out) {
    if ((format != TERN_LUT_TL1 && format != TERN_LUT_TL2) || cols <= 0 ||
        cols % (format == TERN_LUT_TL2 ? 8 : 4) != 0) {
        return TERN_LUT_UNKNOWN_SHAPE;
    }
    for (int64_t t = token_begin; t < token_end; t++) {
        const int8_t *values = a->values + t * a->stride;
        uint8_t *tables = out->values + t * out->stride;
        if (format == TERN_LUT_TL2) {
            const int64_t triples = cols / 24 * 8;
            const int64_t first = lut_first_pair(cols);
            lut_build_triples(values, triples, tables);
            lut_build_pairs(values + first, (cols - first) / 2, tables + triples * LUT_TRIPLE_TABLE);
        } else {
            lut_build_pairs(values, cols / 2, tables);
        }
    }
    return TERN_LUT_OK;
}

static int32_t lut_matmul(const tern_lut_matrix *w, const tern_activations *a, const tern_lut_tables *tables,
                          int64_t tokens, int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (!lut_is_known(w)) {
        return TERN_LUT_UNKNOWN_SHAPE;
    }
    if (!lut_are_whole_blocks(w, row_begin, row_end)) {
        return TERN_LUT_RAGGED_ROWS;
    }
    const int64_t cols = w->shape.cols;
    const uint8_t *pairs = tables->values;
    if (w->shape.format == TERN_LUT_TL2) {
        const int64_t from = lut_three_k(cols, w->shape.bk) - lut_first_pair(cols);
        pairs += cols / 24 * 8 * LUT_TRIPLE_TABLE + from / 2 * LUT_PAIR_TABLE;
    }
    const lut_call call = {.packed = w->packed,
                           .triples = tables->values,
                           .triple_stride = tables->stride,
                           .pairs = pairs,
                           .pair_stride = tables->stride,
                           .tokens = tokens,
                           .row_begin = row_begin,
                           .row_end = row_end,
                           .scale = w->scale,
                           .scales = a->scales,
                           .y = y,
                           .y_stride = y_stride};
    lut_kernels[w->kernel].rows(&call);
    return TERN_LUT_OK;
}

static int32_t lut_unpack(const tern_lut_matrix *w, int64_t row_begin, int64_t row_end, uint8_t *codes,
                          int64_t stride) {
    if (!lut_is_known(w)) {
        return TERN_LUT_UNKNOWN_SHAPE;
    }
    if (!lut_are_whole_blocks(w, row_begin, row_end)) {
        return TERN_LUT_RAGGED_ROWS;
    }
    lut_kernels[w->kernel].unpack(w->packed, row_begin, row_end, codes, stride);
    return TERN_LUT_OK;
}

/* The kernels as this file was compiled. */
#define LUT_KERNELS(compiled_path)                                                                                     \
    {                                                                                                                  \
        .path = (compiled_path), .plan = LUT_PLAN, .shape_count = LUT_SHAPE_COUNT, .shapes = lut_shapes,               \
        .build_tables = lut_build_tables, .matmul = lut_matmul, .unpack = lut_unpack                                   \
    }
