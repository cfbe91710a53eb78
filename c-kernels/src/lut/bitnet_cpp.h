/*
 * bitnet_cpp.h: what the ggml of bitnet.cpp finds here whatever the format: the list of its matrices, and the function
 * that enters one.
 */
#define GGML_BITNET_MAX_NODES 8192

static bool initialized = false;
static bitnet_tensor_extra *bitnet_tensor_extras = nullptr;
static size_t bitnet_tensor_extras_index = 0;

/* The format's own, below. */
static bool is_type_supported(enum ggml_type type);
static int64_t lut_scale_at(int64_t m, int64_t k);

/* No function here can report a failure, and a wrong result would pass for a right one. */
__attribute__((noreturn, format(printf, 1, 2))) static void lut_die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("bitnet-lut-kernels.h: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    abort();
}

static const lut_kernel *lut_kernel_of(int64_t m, int64_t k) {
    for (int i = 0; i < LUT_KERNEL_COUNT; i++) {
        if (lut_kernels[i].rows == m && lut_kernels[i].cols == k) {
            return &lut_kernels[i];
        }
    }
    fputs("bitnet-lut-kernels.h: kernels for", stderr);
    for (int i = 0; i < LUT_KERNEL_COUNT; i++) {
        fprintf(stderr, " %lldx%lld", (long long)lut_kernels[i].rows, (long long)lut_kernels[i].cols);
    }
    fputc('\n', stderr);
    lut_die("no kernel for a matrix of %lld rows and %lld columns; generate this header for the model's dimensions and "
            "build again",
            (long long)m, (long long)k);
}

/* ggml calls `backend` deprecated, and goes by it all the same. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* Called for every tensor of a model, and again before each product. */
void ggml_bitnet_transform_tensor(struct ggml_tensor *tensor) {
    if (!is_type_supported(tensor->type) || tensor->backend != GGML_BACKEND_TYPE_CPU || tensor->extra != nullptr) {
        return;
    }
    const int64_t m = tensor->ne[1];
    const int64_t k = tensor->ne[0];
    const lut_kernel *kernel = lut_kernel_of(m, k);
    if (bitnet_tensor_extras == nullptr) {
        lut_die("a tensor before ggml_bitnet_init");
    }
    if (bitnet_tensor_extras_index == GGML_BITNET_MAX_NODES) {
        lut_die("more than %d matrices since ggml_bitnet_init", GGML_BITNET_MAX_NODES);
    }
    uint8_t *weights = (uint8_t *)tensor->data;
    bitnet_tensor_extra *extra = &bitnet_tensor_extras[bitnet_tensor_extras_index++];
    extra->lut_scales_size = 1;
    extra->BK = (int)kernel->bk;
    extra->n_tile_num = (int)(m / kernel->bm);
    extra->qweights = weights;
    extra->scales = (bitnet_float_type *)(void *)(weights + lut_scale_at(m, k)); /* where lut_tile_call starts from */
    tensor->extra = extra;
}

#pragma GCC diagnostic pop

/*
 * What all calls have in common: the rows of the tile that begins at A, of weights that begin lut_scale_at before their
 * scale. A tile has tile_bytes from A on.
 */
static lut_call lut_tile_call(const lut_kernel *kernel, void *A, int64_t tile_bytes, void *Scales, void *C) {
    lut_call call;
    memset(&call, 0, sizeof call);
    call.packed = (const uint8_t *)Scales - lut_scale_at(kernel->rows, kernel->cols);
    const int64_t offset = (const uint8_t *)A - call.packed;
    const int64_t tile = offset / tile_bytes;
    if (offset != tile * tile_bytes || tile < 0 || tile >= kernel->rows / kernel->bm) {
        lut_die("weights that begin in no tile of %lld rows; another ggml than this header was written for?",
                (long long)kernel->bm);
    }
    call.tokens = 1;
    call.row_begin = tile * kernel->bm;
    call.row_end = call.row_begin + kernel->bm;
    call.scale = *(const float *)Scales;
    call.y = (float *)C - call.row_begin;
    call.y_stride = kernel->rows;
    return call;
}
