/*
 * matmul.h: the rows of a packed matrix times any number of tokens, block by block in the order in which they lie.
 */

/* What a call is about, apart from shape and tile. */
typedef struct lut_call {
    const uint8_t *packed;
    const uint8_t *triples; /* the first token's table of the triple at column 0 (TL2) */
    int64_t triple_stride;  /* bytes from one token to the next */
    const uint8_t *pairs;   /* the first token's table of the pair at column three_k (TL2) or 0 (TL1) */
    int64_t pair_stride;
    int64_t tokens;
    int64_t row_begin; /* multiples of 32 */
    int64_t row_end;
    float scale;         /* of the weights: s */
    const float *scales; /* [tokens], of the activations: r */
    float *y;            /* [tokens][y_stride] */
    int64_t y_stride;
} lut_call;

/* Rows whose sums are kept at once. A taller tile is read in strips: long runs, but no longer one stream. */
enum { LUT_STRIP = 512 };

LUT_INLINE void lut_clear(int32_t sums[LUT_TOKENS][LUT_STRIP], int64_t tokens, int64_t rows) {
    for (int64_t t = 0; t < tokens; t++) {
        memset(sums[t], 0, (size_t)rows * sizeof sums[t][0]);
    }
}

/* y = sum * (s / r), two roundings, for `rows` rows from `row` on of tokens [first, first + tokens). */
LUT_INLINE void lut_store(const lut_call *call, int64_t first, int64_t tokens, int64_t row, int64_t rows,
                          int32_t sums[LUT_TOKENS][LUT_STRIP]) {
    for (int64_t t = 0; t < tokens; t++) {
        const float factor = call->scale / call->scales[first + t];
        float *y = call->y + (first + t) * call->y_stride + row;
        for (int64_t r = 0; r < rows; r++) {
            y[r] = (float)sums[t][r] * factor;
        }
    }
}

LUT_INLINE int64_t lut_min(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Rows [row, end) of one tile row, for tokens [t, t + tokens). */
LUT_INLINE void lut_tl2_strip(const lut_call *call, int64_t m, int64_t k, int64_t bm, int64_t bk, int64_t row,
                              int64_t end, int64_t t, int64_t tokens) {
    const int64_t three_k = lut_three_k(k, bk);
    const int64_t blocks = three_k / bk;
    const int64_t two_blocks = (k - three_k) / LUT_PAIR_BLOCK;
    const int64_t index_bytes = bk / 6 * LUT_ROWS;
    const int64_t sign_bytes = bk / LUT_SIGN_GROUP * LUT_ROWS;
    const uint8_t *signs = call->packed + m * three_k / 6;
    const uint8_t *twos = call->packed + 5 * m * three_k / 24;
    int32_t sums[LUT_TOKENS][LUT_STRIP];
    lut_clear(sums, tokens, end - row);
    for (int64_t kb = 0; kb < blocks; kb++) {
        const uint8_t *tables = call->triples + t * call->triple_stride + kb * (bk / 3) * LUT_TRIPLE_TABLE;
        for (int64_t r = row; r < end; r += LUT_ROWS) {
            const int64_t block = lut_tl2_block(r, bm, kb, blocks);
            lut_threes(call->packed + block * index_bytes, signs + block * sign_bytes, tables, call->triple_stride,
                       bk / LUT_SIGN_GROUP, tokens, sums[0] + (r - row), LUT_STRIP);
        }
    }
    for (int64_t kb = 0; kb < two_blocks; kb++) {
        const uint8_t *tables = call->pairs + t * call->pair_stride + kb * (LUT_PAIR_BLOCK / 2) * LUT_PAIR_TABLE;
        for (int64_t r = row; r < end; r += LUT_ROWS) {
            lut_twos(twos + lut_tl2_block(r, bm, kb, two_blocks) * 256, tables, call->pair_stride, tokens,
                     sums[0] + (r - row), LUT_STRIP);
        }
    }
    lut_store(call, t, tokens, row, end - row, sums);
}

/* Rows [row, end) of one tile row, for tokens [t, t + tokens). */
LUT_INLINE void lut_tl1_strip(const lut_call *call, int64_t k, int64_t bm, int64_t bk, int64_t bmm, int64_t row,
                              int64_t end, int64_t t, int64_t tokens) {
    int32_t sums[LUT_TOKENS][LUT_STRIP];
    lut_clear(sums, tokens, end - row);
    for (int64_t kb = 0; kb < k / bk; kb++) {
        const uint8_t *tables = call->pairs + t * call->pair_stride + kb * (bk / 2) * LUT_PAIR_TABLE;
        for (int64_t r = row; r < end;) { /* a range may begin or end within a block of 64 rows */
            const int64_t next = lut_min(end, r / bmm * bmm + bmm);
            const int64_t first = r % bmm / 16;
            lut_tl1(call->packed + lut_tl1_step(r, k, bm, bk, bmm, kb, 0), tables, call->pair_stride, bk * bmm / 256,
                    bmm, first, first + (next - r) / 16, tokens, sums[0] + (r - row), LUT_STRIP);
            r = next;
        }
    }
    lut_store(call, t, tokens, row, end - row, sums);
}

/* A strip's weights are read from memory for the first tokens and from a cache for all others. */
#define LUT_FOR_STRIPS(call, bm, strip_of)                                                                             \
    for (int64_t row = (call)->row_begin, end; row < (call)->row_end; row = end) {                                     \
        end = lut_min(lut_min((call)->row_end, row / (bm) * (bm) + (bm)), row + LUT_STRIP);                            \
        for (int64_t t = 0, n; t < (call)->tokens; t += n) {                                                           \
            n = (call)->tokens - t >= LUT_TOKENS ? LUT_TOKENS : 1;                                                     \
            strip_of;                                                                                                  \
        }                                                                                                              \
    }

LUT_INLINE void lut_tl2_rows(const lut_call *call, int64_t m, int64_t k, int64_t bm, int64_t bk) {
    LUT_FOR_STRIPS(call, bm, lut_tl2_strip(call, m, k, bm, bk, row, end, t, n));
}

LUT_INLINE void lut_tl1_rows(const lut_call *call, int64_t k, int64_t bm, int64_t bk, int64_t bmm) {
    LUT_FOR_STRIPS(call, bm, lut_tl1_strip(call, k, bm, bk, bmm, row, end, t, n));
}
