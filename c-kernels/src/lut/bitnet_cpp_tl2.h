/*
 * bitnet_cpp_tl2.h: TL2 as the ggml of bitnet.cpp calls it.
 *
 * One thread has the tables of all tokens built. Then each thread multiplies its tiles, 512, 256, 128, 32, 8 or 1
 * tokens at a time, by two calls: one for the columns in threes, which passes the signs, and one without for those in
 * twos.
 *
 * Here the first call does both parts and the second nothing. So the sums are int32 until they are complete, and where
 * the tables of pairs lie is not taken from ggml, which reckons wrongly for the last tokens of a batch of more than
 * 256. Instead each token's first table of a triple tells it, in the two entries that stand for no triple.
 */

static bool is_type_supported(enum ggml_type type) {
    return type == GGML_TYPE_TL2;
}

/* The scale stands where the weights would end if 256 columns were in twos, in C's divisions. */
static int64_t lut_scale_at(int64_t m, int64_t k) {
    return ((k - 256) * m / 3 * 5 / 8 + 256 * m / 2 * 4 / 8 + 31) / 32 * 32;
}

/* Entries 14 and 15 of a table of a triple: an index is at most 13. */
LUT_INLINE void lut_put_distance(uint8_t *table, int64_t distance) {
    if (distance < 0 || distance > INT64_C(0xffffffff)) {
        lut_die("tables of a batch that take more than 4 GiB; choose a smaller one (-ub)");
    }
    lut_put_entry(table, LUT_TRIPLE_HIGH, 14, (int)(distance & 0xffff));
    lut_put_entry(table, LUT_TRIPLE_HIGH, 15, (int)(distance >> 16));
}

LUT_INLINE int64_t lut_distance(const uint8_t *table) {
    const int64_t low = lut_entry(table, LUT_TRIPLE_HIGH, 14) & 0xffff;
    const int64_t high = lut_entry(table, LUT_TRIPLE_HIGH, 15) & 0xffff;
    return high << 16 | low;
}

void ggml_preprocessor(int bs, int m, int three_k, int two_k, void *B, void *LUT_Scales, void *Three_QLUT,
                       void *Two_QLUT) {
    (void)m;
    const float *x = (const float *)B;
    float *scales = (float *)LUT_Scales;
    uint8_t *triples = (uint8_t *)Three_QLUT;
    uint8_t *pairs = (uint8_t *)Two_QLUT;
    for (int t = 0; t < bs; t++) {
        scales[t] = lut_activation_scale(x, three_k + two_k);
        lut_triples_of(x, three_k, scales[t], triples);
        lut_pairs_of(x + three_k, two_k, scales[t], pairs);
        lut_put_distance(triples, pairs - triples);
        x += three_k + two_k;
        triples += three_k / 3 * LUT_TRIPLE_TABLE;
        pairs += two_k / 2 * LUT_PAIR_TABLE;
    }
}

void ggml_qgemm_lut(int bs, int m, int k, int BK, void *A, void *sign, void *LUT, void *Scales, void *LUT_Scales,
                    void *C) {
    if (sign == nullptr) {
        return;
    }
    const lut_kernel *kernel = lut_kernel_of(m, k);
    const int64_t three_k = lut_three_k(k, kernel->bk);
    if (BK != three_k) {
        lut_die("a product of %d columns in threes, of %lld; another ggml than this header was written for?", BK,
                (long long)three_k);
    }
    lut_call call = lut_tile_call(kernel, A, three_k * kernel->bm / 6, Scales, C);
    call.tokens = bs;
    call.triples = (const uint8_t *)LUT;
    call.triple_stride = three_k / 3 * LUT_TRIPLE_TABLE;
    call.pairs = call.triples + lut_distance(call.triples);
    call.pair_stride = (k - three_k) / 2 * LUT_PAIR_TABLE;
    call.scales = (const float *)LUT_Scales;
    kernel->run(&call);
}
