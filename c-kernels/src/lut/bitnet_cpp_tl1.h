/*
 * bitnet_cpp_tl1.h: TL1 as the ggml of bitnet.cpp calls it, for one token at a time.
 *
 * ggml counts 16 bytes a column for the tables when it says where the activations' scale is to lie, but has made room
 * for 15 and 8 more: that place is outside. So the scale stands in front of the tables, which take 10 bytes a column.
 */

static bool is_type_supported(enum ggml_type type) {
    return type == GGML_TYPE_TL1;
}

/* The scale stands behind the weights. */
static int64_t lut_scale_at(int64_t m, int64_t k) {
    return m * k / 4;
}

/* Bytes in front of the tables, the first four of which are the scale. */
enum { LUT_BEFORE_TABLES = 16 };

void ggml_preprocessor(int m, int k, void *B, void *LUT_Scales, void *QLUT) {
    (void)m;
    (void)LUT_Scales;
    const float *x = (const float *)B;
    float *scale = (float *)QLUT;
    *scale = lut_activation_scale(x, k);
    lut_pairs_of(x, k, *scale, (uint8_t *)QLUT + LUT_BEFORE_TABLES);
}

void ggml_qgemm_lut(int m, int k, void *A, void *LUT, void *Scales, void *LUT_Scales, void *C) {
    (void)LUT_Scales;
    const lut_kernel *kernel = lut_kernel_of(m, k);
    lut_call call = lut_tile_call(kernel, A, kernel->bm * k / 4, Scales, C);
    call.pairs = (const uint8_t *)LUT + LUT_BEFORE_TABLES;
    call.scales = (const float *)LUT;
    kernel->run(&call);
}
