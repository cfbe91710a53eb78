/*
 * bitnet_cpp_test.cpp: the header that is generated for bitnet.cpp, driven as the ggml of bitnet.cpp drives it, against
 * the plain product, to the bit.
 *
 * The shapes and tiles are those of BitnetCppHeaderTest. Weights, activations, the work buffer and the result have
 * exactly ggml's sizes, between guard pages; batches are cut as ggml cuts them, and the address that it reckons wrongly
 * is wrong here too.
 */
#include "bitnet_cpp/ggml-bitnet.h"

extern "C" {
#include "check.h"
#include "lut_packing.h"
}

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#if defined(GGML_BITNET_X86_TL2)
static const enum ggml_type type = GGML_TYPE_TL2;
static const tern_lut_shape shapes[] = {
    {TERN_LUT_TL2, 96, 192, 32, 96, 32}, {TERN_LUT_TL2, 64, 640, 32, 192, 32},   {TERN_LUT_TL2, 64, 224, 64, 192, 32},
    {TERN_LUT_TL2, 32, 128, 32, 96, 32}, {TERN_LUT_TL2, 576, 120, 576, 120, 32},
};
static const int batches[] = {1, 2, 7, 8, 9, 33, 257, 300, 513, 1100};
#else
static const enum ggml_type type = GGML_TYPE_TL1;
static const tern_lut_shape shapes[] = {
    {TERN_LUT_TL1, 64, 128, 64, 64, 32},  {TERN_LUT_TL1, 128, 256, 64, 64, 64}, {TERN_LUT_TL1, 96, 104, 32, 104, 32},
    {TERN_LUT_TL1, 64, 100, 64, 100, 64}, {TERN_LUT_TL1, 576, 32, 576, 32, 32},
};
static const int batches[] = {1}; /* ggml takes larger ones elsewhere */
#endif

/* A packed matrix with its scale, and the same weights one by one. */
struct matrix {
    tern_lut_shape shape;
    float scale;
    std::vector<int8_t> t;
    guarded packed;
    ggml_tensor tensor;
};

static void set_tensor(ggml_tensor &tensor, const tern_lut_shape &shape, void *data) {
    memset(&tensor, 0, sizeof tensor);
    tensor.type = type;
    tensor.ne[0] = shape.cols;
    tensor.ne[1] = shape.rows;
    tensor.ne[2] = tensor.ne[3] = 1;
    tensor.data = data;
}

/* Bytes of a tensor before the 32 that hold the scale. */
static int64_t bytes_before_scale(const tern_lut_shape &shape) {
    const int64_t m = shape.rows;
    const int64_t k = shape.cols;
    if (shape.format == TERN_LUT_TL1) {
        return m * k / 4;
    }
    const int64_t bytes = (k - 256) * m / 3 * 5 / 8 + 256 * m / 2 * 4 / 8;
    return (bytes + 31) & ~INT64_C(31);
}

/* Random weights, or the same one everywhere. */
static void make_matrix(matrix &w, const tern_lut_shape &shape, bool random, int weight) {
    w.shape = shape;
    w.scale = 0.037f;
    w.t.resize((size_t)shape.rows * (size_t)shape.cols);
    for (int8_t &t : w.t) {
        t = (int8_t)(random ? random_below(3) - 1 : weight);
    }
    const int64_t before_scale = bytes_before_scale(shape);
    w.packed = guarded_new((size_t)before_scale + 32, AT_END);
    uint8_t *packed = (uint8_t *)w.packed.data;
    memset(packed, 0, w.packed.bytes);
    for (int64_t row = 0; row < shape.rows; row++) {
        lut_pack_row(&shape, &w.t[(size_t)(row * shape.cols)], row, packed);
    }
    memcpy(packed + before_scale, &w.scale, sizeof w.scale);
    set_tensor(w.tensor, shape, packed);
    ggml_bitnet_transform_tensor(&w.tensor);
    void *extra = w.tensor.extra;
    ggml_bitnet_transform_tensor(&w.tensor);
    CHECK(extra != nullptr && w.tensor.extra == extra, "a tensor is entered once, not %p and %p", extra,
          w.tensor.extra);
}

/* (1 / max(max |x|, 1e-5)) * 127, round half to even, and the sums of integers times s / r. */
static std::vector<float> plain_product(const matrix &w, const float *x, int tokens) {
    const size_t m = (size_t)w.shape.rows;
    const size_t k = (size_t)w.shape.cols;
    std::vector<float> y((size_t)tokens * m);
    std::vector<int> a(k);
    for (size_t t = 0; t < (size_t)tokens; t++) {
        float largest = 1e-5f;
        for (size_t c = 0; c < k; c++) {
            largest = std::max(largest, std::fabs(x[t * k + c]));
        }
        const float inverse = 1.0f / largest;
        const float r = inverse * 127.0f;
        for (size_t c = 0; c < k; c++) {
            a[c] = (int)std::nearbyint(x[t * k + c] * r);
        }
        const float factor = w.scale / r;
        for (size_t row = 0; row < m; row++) {
            int sum = 0;
            for (size_t c = 0; c < k; c++) {
                sum += w.t[row * k + c] * a[c];
            }
            y[t * m + row] = (float)sum * factor;
        }
    }
    return y;
}

/* ggml's size of the work buffer. */
static size_t work_bytes(size_t k, size_t tokens) {
#if defined(GGML_BITNET_X86_TL2)
    return ((k * tokens * 11 + 2 * tokens * 2 * sizeof(float) - 1) / 64 + 1) * 64;
#else
    return ((k * tokens * 15 + tokens * 2 * sizeof(float) - 1) / 64 + 1) * 64;
#endif
}

/* Calls each(first, end) for the tiles of each of some threads: one after another, which gives the same results. */
template <typename F> static void for_threads(int tiles, int threads, F each) {
    const int share = (tiles + threads - 1) / threads;
    for (int thread = 0; thread < threads; thread++) {
        each(thread * share, std::min((thread + 1) * share, tiles));
    }
}

#if defined(GGML_BITNET_X86_TL2)

static void drive(const matrix &w, float *x, int tokens, int threads, uint8_t *work, float *y) {
    const bitnet_tensor_extra *extra = (const bitnet_tensor_extra *)w.tensor.extra;
    const int m = w.shape.rows;
    const int k = w.shape.cols;
    const int three_k = k / extra->BK * extra->BK;
    const int two_k = k - three_k;
    const int tiles = extra->n_tile_num;
    uint8_t *three_qlut = work;
    float *lut_scales = (float *)(void *)(three_qlut + (ptrdiff_t)(three_k / 3 * 32) * tokens);
    uint8_t *two_qlut = (uint8_t *)(lut_scales + tokens);
    ggml_preprocessor(tokens, m, three_k, two_k, x, lut_scales, three_qlut, two_qlut);

    uint8_t *sign = extra->qweights + m * three_k / 6;
    uint8_t *twos = sign + m * three_k / 24;
    for_threads(tiles, threads, [&](int begin, int end) {
        int first = 0;
        int wrong_two_qlut = 0; /* what ggml reckons for the tokens before, for the smaller sizes */
        for (int size : {512, 256, 128, 32, 8, 1}) {
            while (tokens - first >= size) {
                for (int tile = begin; tile < end; tile++) {
                    ggml_qgemm_lut(size, m, k, three_k, extra->qweights + tile * (m * three_k / 6 / tiles),
                                   sign + tile * (m * three_k / 24 / tiles), three_qlut + first * (three_k / 3 * 32),
                                   extra->scales, lut_scales + first, y + first * m + tile * (m / tiles));
                }
                const int offset = size >= 128 ? first * (two_k / 2 * 32) : wrong_two_qlut;
                for (int tile = begin; tile < end; tile++) {
                    ggml_qgemm_lut(size, m, k, two_k, twos + tile * (m * two_k / 4 / tiles), nullptr, two_qlut + offset,
                                   extra->scales, lut_scales + first, y + first * m + tile * (m / tiles));
                }
                first += size;
                wrong_two_qlut += size >= 256 ? size * two_k / 3 * 32 : size * two_k / 2 * 32;
            }
        }
    });
}

#else

static void drive(const matrix &w, float *x, int tokens, int threads, uint8_t *work, float *y) {
    const bitnet_tensor_extra *extra = (const bitnet_tensor_extra *)w.tensor.extra;
    const int m = w.shape.rows;
    const int k = w.shape.cols;
    const int tiles = extra->n_tile_num;
    void *lut_scales = work + k * tokens * 16; /* outside */
    ggml_preprocessor(m, k, x, lut_scales, work);
    for_threads(tiles, threads, [&](int begin, int end) {
        for (int tile = begin; tile < end; tile++) {
            ggml_qgemm_lut(m, k, extra->qweights + tile * (m * k / 4 / tiles), work, extra->scales, lut_scales,
                           y + tile * (m / tiles));
        }
    });
}

#endif

enum activations { RANDOM, ALL_127, ALL_MINUS_127, ALL_ZERO, SPIKE, HALVES, SMALL, WITH_ZERO_ROWS, KINDS };

static float activation(int kind, int64_t token, int64_t column, int64_t spike) {
    switch (kind) {
    case ALL_127: return 127.0f;
    case ALL_MINUS_127: return -127.0f;
    case ALL_ZERO: return 0.0f;
    case SPIKE: return column == spike ? -3.5f : 0.0f;
    case HALVES: return column == spike ? 127.0f : (float)random_below(254) - 126.5f; /* r is 1: ties */
    case SMALL: return random_uniform() * 1e-6f;                                      /* below the least maximum */
    case WITH_ZERO_ROWS: return token % 3 == 1 ? 0.0f : random_uniform();
    default: return random_uniform();
    }
}

static void check_product(const matrix &w, int tokens, int kind, int threads, edge side) {
    const int64_t m = w.shape.rows;
    const int64_t k = w.shape.cols;
    guarded x = guarded_new((size_t)(tokens * k) * sizeof(float), side);
    guarded y = guarded_new((size_t)(tokens * m) * sizeof(float), side);
    guarded work = guarded_new(work_bytes((size_t)k, (size_t)tokens), side);
    float *values = (float *)x.data;
    for (int64_t t = 0; t < tokens; t++) {
        const int64_t spike = random_below(k);
        for (int64_t c = 0; c < k; c++) {
            values[t * k + c] = activation(kind, t, c, spike);
        }
    }
    drive(w, values, tokens, threads, (uint8_t *)work.data, (float *)y.data);
    const std::vector<float> expected = plain_product(w, values, tokens);
    const int64_t at = first_difference(&expected[0], (const float *)y.data, tokens * m);
    CHECK(at < 0, "%d x %d, tile %d/%d/%d, %d tokens of kind %d, %d threads: token %lld, row %lld is %g, expected %g",
          w.shape.rows, w.shape.cols, w.shape.bm, w.shape.bk, w.shape.bmm, tokens, kind, threads, (long long)(at / m),
          (long long)(at % m), (double)((const float *)y.data)[at], (double)expected[(size_t)at]);
    CHECK(guarded_slack_intact(&y) && guarded_slack_intact(&work), "%d tokens: written outside", tokens);
    guarded_free(&x);
    guarded_free(&y);
    guarded_free(&work);
}

static void check_shape(const tern_lut_shape &shape) {
    matrix w;
    make_matrix(w, shape, true, 0);
    for (int tokens : batches) {
        for (int threads : {1, 2, 5}) {
            check_product(w, tokens, RANDOM, threads, threads == 2 ? AT_BEGIN : AT_END);
        }
    }
    for (int kind = RANDOM + 1; kind < KINDS; kind++) {
        check_product(w, std::min(9, batches[sizeof batches / sizeof batches[0] - 1]), kind, 1, AT_END);
    }
    guarded_free(&w.packed);
    for (int weight = -1; weight <= 1; weight++) { /* every sum as large as it gets */
        make_matrix(w, shape, false, weight);
        for (int kind = ALL_127; kind <= ALL_MINUS_127; kind++) {
            check_product(w, 1, kind, 1, AT_END);
        }
        guarded_free(&w.packed);
    }
}

/* What a child prints to stderr before it aborts; empty when it does not abort. */
template <typename F> static std::string last_words(F call) {
    int ends[2];
    if (pipe(ends) != 0) {
        return "";
    }
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        call();
        _exit(0);
    }
    close(ends[1]);
    std::string words;
    char buffer[256];
    for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) {
        words.append(buffer, (size_t)n);
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? words : "";
}

template <typename F> static void check_refused(const char *reason, F call) {
    const std::string words = last_words(call);
    CHECK(words.find(reason) != std::string::npos, "expected an end with '%s', found '%s'", reason, words.c_str());
}

static void check_refusals() {
    CHECK(test_is_type_supported(type) && !test_is_type_supported(GGML_TYPE_Q4_0) &&
              !test_is_type_supported(GGML_TYPE_F32),
          "types");
    static float plain[4];
    ggml_tensor other;
    set_tensor(other, shapes[0], plain);
    other.type = GGML_TYPE_F32;
    ggml_bitnet_transform_tensor(&other);
    CHECK(other.extra == nullptr, "a tensor of floats is taken");

    const tern_lut_shape unknown = {shapes[0].format, 160, 96, 32, 96, 32};
    check_refused("no kernel for a matrix of 160 rows and 96 columns", [&] {
        ggml_tensor tensor;
        set_tensor(tensor, unknown, plain);
        ggml_bitnet_transform_tensor(&tensor);
    });
    matrix w;
    make_matrix(w, shapes[0], true, 0);
    check_refused("more than 8192 matrices", [&] {
        for (int i = 0; i < 8193; i++) {
            w.tensor.extra = nullptr;
            ggml_bitnet_transform_tensor(&w.tensor);
        }
    });
    check_refused("weights that begin in no tile of", [&] {
        bitnet_tensor_extra *extra = (bitnet_tensor_extra *)w.tensor.extra;
        extra->qweights++;
        std::vector<float> x((size_t)w.shape.cols), y((size_t)w.shape.rows);
        std::vector<uint8_t> work(work_bytes(x.size(), 1));
        drive(w, &x[0], 1, 1, &work[0], &y[0]);
    });
#if defined(GGML_BITNET_X86_TL2)
    check_refused("a product of 96 columns in threes, of 192", [&] {
        ((bitnet_tensor_extra *)w.tensor.extra)->BK = 192;
        uint8_t signs[1] = {0};
        ggml_qgemm_lut(1, w.shape.rows, w.shape.cols, 96, w.packed.data, signs, plain, plain, plain, plain);
    });
#endif
    guarded_free(&w.packed);
    ggml_bitnet_free();
    check_refused("a tensor before ggml_bitnet_init", [&] {
        ggml_tensor tensor;
        set_tensor(tensor, shapes[0], plain);
        ggml_bitnet_transform_tensor(&tensor);
    });
}

int main() {
#if defined(TERN_TEST_NEEDS_AVX2)
    if (!__builtin_cpu_supports("avx2")) {
        printf("SKIPPED: the CPU has no AVX2\n");
        return 77;
    }
#endif
    seed_random(1);
    ggml_bitnet_init();
    for (const tern_lut_shape &shape : shapes) {
        check_shape(shape);
    }
    check_refusals();
    printf("%d failures\n", failures());
    return failures() > 0;
}
