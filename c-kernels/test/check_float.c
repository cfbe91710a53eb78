/*
 * check_float.c: float_matmul, float_row, rms_norm, rope, and the elementwise kernels.
 */
#if TERN_HAS_AVX2
#include "avx2/one_token.h"
#include "avx512/float_one_token.h"
#endif
#include "check.h"

#include <string.h>

#if TERN_HAS_AVX2
typedef void one_token_way(const tern_float_matrix *w, const float *x, int64_t row_begin, int64_t row_end, float *y,
                           bool prefetch);

/* One way of one tier, into memory of its own. */
static void check_one_token(one_token_way *way, const tern_float_matrix *w, const float *x, int64_t row_begin,
                            int64_t row_end, bool prefetch, const guarded *expected, edge side) {
    guarded y = guarded_new(expected->bytes, side);
    way(w, x, row_begin, row_end, y.data, prefetch);
    CHECK(first_difference(expected->data, y.data, (int64_t)(y.bytes / sizeof(float))) < 0 && guarded_slack_intact(&y),
          "float_matmul, one token: %s, type %d, %lld columns, prefetch %d",
          way == tern_avx512_float_one_token ? "AVX-512" : "AVX2", w->type, (long long)w->cols, prefetch);
    guarded_free(&y);
}
#endif

static void matmul_case(const tern_kernels *scalar, const tern_kernels *tier, int32_t type, int64_t rows, int64_t cols,
                        int64_t tokens, int64_t row_begin, int64_t row_end, fill kind, edge side) {
    const int64_t stride = cols + random_below(3) * block_of_type(type);
    const int64_t x_stride = cols + random_below(3);
    const int64_t y_stride = rows + random_below(3);
    guarded values = guarded_new(bytes_of_elements(type, (rows - 1) * stride + cols), side);
    guarded x = guarded_new((size_t)((tokens - 1) * x_stride + cols) * sizeof(float), side);
    fill_typed(values.data, type, (rows - 1) * stride + cols, kind);
    fill_floats(x.data, (tokens - 1) * x_stride + cols, kind);
    const tern_float_matrix w = {values.data, rows, cols, stride, type};
    guarded y[2];
    for (int i = 0; i < 2; i++) {
        y[i] = guarded_new((size_t)((tokens - 1) * y_stride + rows) * sizeof(float), side);
        (i == 0 ? scalar : tier)->float_matmul(&w, x.data, x_stride, tokens, row_begin, row_end, y[i].data, y_stride);
    }
    const int64_t n = (int64_t)(y[0].bytes / sizeof(float));
    CHECK(first_difference(y[0].data, y[1].data, n) < 0 && guarded_slack_intact(&y[1]),
          "float_matmul: type %d, %lld x %lld, %lld tokens, fill %d", type, (long long)rows, (long long)cols,
          (long long)tokens, kind);
    for (int64_t i = 0; i < n; i++) {
        if (i % y_stride < row_begin || i % y_stride >= row_end) {
            CHECK(guarded_is_pattern((float *)y[1].data + i, sizeof(float), &y[1]), "float_matmul wrote row %lld",
                  (long long)(i % y_stride));
        }
    }
#if TERN_HAS_AVX2
    if (tokens == 1) { /* the two ways that are chosen by CPU */
        for (int prefetch = 0; prefetch < 2 && tier->tier >= TERN_TIER_AVX2; prefetch++) {
            check_one_token(tern_avx2_float_one_token, &w, x.data, row_begin, row_end, prefetch == 1, &y[0], side);
        }
        for (int prefetch = 0; prefetch < 2 && tier->tier >= TERN_TIER_AVX512VNNI; prefetch++) {
            check_one_token(tern_avx512_float_one_token, &w, x.data, row_begin, row_end, prefetch == 1, &y[0], side);
        }
    }
#endif
    guarded_free(&values);
    guarded_free(&x);
    guarded_free(&y[0]);
    guarded_free(&y[1]);
}

/* Whole blocks of columns; all counts of rows and tokens around the tiles, and past a batch of tokens. */
static void check_blocks_matmul(const tern_kernels *scalar, const tern_kernels *tier, int32_t type) {
    const int64_t block = block_of_type(type);
    for (int64_t blocks = 1; blocks <= (type == TERN_Q8_0 ? 50 : 8); blocks++) {
        for (int kind = 0; kind < FILL_COUNT; kind++) {
            const int64_t rows = 1 + random_below(6);
            const int64_t begin = random_below(rows);
            const int64_t end = begin + random_below(rows - begin + 1);
            const edge side = (edge)(kind % 2);
            matmul_case(scalar, tier, type, rows, blocks * block, 1, begin, end, (fill)kind, side);
            matmul_case(scalar, tier, type, rows, blocks * block, 1 + random_below(7), begin, end, (fill)kind, side);
        }
    }
    for (int64_t tokens = 1; tokens <= 8; tokens++) {
        for (int64_t rows = 1; rows <= 9; rows++) {
            matmul_case(scalar, tier, type, rows, 256, tokens, 0, rows, FILL_UNIFORM, AT_END);
        }
    }
    for (int64_t tokens = 47; tokens <= 51; tokens++) {
        matmul_case(scalar, tier, type, 6, 768, tokens, 1, 6, FILL_SPECIAL, AT_END);
    }
    matmul_case(scalar, tier, type, 3, 2560, 97, 0, 3, FILL_UNIFORM, AT_END);
    /* Rows in one stretch of columns and in several, and in chunks. */
    for (int64_t tokens = 1; tokens <= 17; tokens++) {
        matmul_case(scalar, tier, type, 35, 512, tokens, 1, 35, FILL_UNIFORM, AT_END);
        matmul_case(scalar, tier, type, 34, 2560, tokens, 0, 34, FILL_UNIFORM, AT_BEGIN);
    }
    /* Around the longest row that is ordered. */
    matmul_case(scalar, tier, type, 2, 8192, 1, 0, 2, FILL_UNIFORM, AT_END);
    matmul_case(scalar, tier, type, 2, 8192 + 256, 1, 0, 2, FILL_UNIFORM, AT_END);
}

/* A block of equal elements d * q, with q 0 or 1. */
static void fill_block(uint8_t *block, int32_t type, uint16_t d, int q) {
    if (type == TERN_Q8_0) {
        memcpy(block, &d, sizeof d);
        memset(block + 2, q, 32);
    } else {
        memset(block, 17 * q, 128);    /* the low four bits of codes 32 and 33 */
        memset(block + 128, 0xaa, 64); /* their upper two */
        memset(block + 192, 1, 16);
        memcpy(block + 208, &d, sizeof d);
    }
}

/* Products that underflow to -0 in all lanes, then weights of zero, of either sign: only -0 leaves the sum -0. And a d
 * that is infinite: so is the sum. */
static void check_signs_of_zero(const tern_kernels *scalar, const tern_kernels *tier, int32_t type) {
    enum { ROWS = 3, COLS = 512 };
    static const uint16_t later_d[ROWS] = {0x8001, 0x0001, 0x7c00}; /* -2^-24, 2^-24, infinity */
    const int64_t block = block_of_type(type);
    uint8_t values[ROWS * COLS / 32 * 34];
    for (int64_t i = 0; i < ROWS * COLS / block; i++) {
        const int64_t row = i * block / COLS;
        const bool later = i * block % COLS >= COLS / 2;
        fill_block(values + bytes_of_elements(type, i * block), type, later ? later_d[row] : 0x8001,
                   !later || later_d[row] == 0x7c00);
    }
    float x[COLS];
    for (int64_t i = 0; i < COLS; i++) {
        x[i] = 0x1p-149f;
    }
    const tern_float_matrix w = {values, ROWS, COLS, COLS, type};
    float y[2][ROWS];
    scalar->float_matmul(&w, x, COLS, 1, 0, ROWS, y[0], ROWS);
    tier->float_matmul(&w, x, COLS, 1, 0, ROWS, y[1], ROWS);
    CHECK(same_float(y[0][0], -0.0f) && same_float(y[0][1], 0.0f) && y[0][2] > 1e38f, "float_matmul: signs of zero");
    CHECK(first_difference(y[0], y[1], ROWS) < 0, "float_matmul: signs of zero, type %d", type);
    for (int64_t i = 0; i < COLS; i++) {
        x[i] = 1;
    }
    scalar->float_matmul(&w, x, COLS, 1, 0, ROWS, y[0], ROWS);
    tier->float_matmul(&w, x, COLS, 1, 0, ROWS, y[1], ROWS);
    CHECK(y[0][2] > 1e38f && first_difference(y[0], y[1], ROWS) < 0, "float_matmul: an infinite d, type %d", type);
}

void check_float_matmul(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int32_t type = TERN_F32; type <= TERN_BF16; type++) {
        for (int64_t cols = 1; cols <= 300; cols++) {
            const int64_t rows = 1 + random_below(6);
            const int64_t begin = random_below(rows);
            const int64_t end = begin + random_below(rows - begin + 1);
            matmul_case(scalar, tier, type, rows, cols, 1, begin, end, (fill)(cols % FILL_COUNT), AT_END);
            matmul_case(scalar, tier, type, rows, cols, 1 + random_below(7), begin, end, (fill)(cols / 5 % FILL_COUNT),
                        (edge)(cols % 2));
        }
        for (int64_t tokens = 1; tokens <= 8; tokens++) {
            for (int64_t rows = 1; rows <= 9; rows++) {
                matmul_case(scalar, tier, type, rows, 64 + 9 * tokens, tokens, 0, rows, FILL_UNIFORM, AT_END);
            }
        }
        for (int kind = 0; kind < FILL_COUNT; kind++) { /* around the stretch of 512 columns, and beyond */
            matmul_case(scalar, tier, type, 5, 511 + kind, 4, 0, 5, (fill)kind, AT_END);
            matmul_case(scalar, tier, type, 5, 1024, 3, 0, 5, (fill)kind, AT_END);
            matmul_case(scalar, tier, type, 3, 2560, 5, 0, 3, (fill)kind, AT_END);
            matmul_case(scalar, tier, type, 3, 2577, 1, 0, 3, (fill)kind, AT_END);
        }
        matmul_case(scalar, tier, type, 133, 96, 7, 1, 132, FILL_UNIFORM, AT_END); /* more rows than a cache block */
    }
    check_blocks_matmul(scalar, tier, TERN_Q8_0);
    check_blocks_matmul(scalar, tier, TERN_Q6_K);
    check_signs_of_zero(scalar, tier, TERN_Q8_0);
    check_signs_of_zero(scalar, tier, TERN_Q6_K);
}

void check_float_row(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int32_t type = TERN_F32; type <= TERN_Q6_K; type++) {
        const int64_t block = block_of_type(type);
        for (int64_t cols = block; cols <= 300 + 10 * (block - 1); cols += block) {
            const int64_t stride = cols + random_below(3) * block;
            guarded values = guarded_new(bytes_of_elements(type, 2 * stride + cols), (edge)(cols / block % 2));
            fill_typed(values.data, type, 2 * stride + cols, (fill)(cols / block % FILL_COUNT));
            const tern_float_matrix m = {values.data, 3, cols, stride, type};
            guarded y[2];
            for (int i = 0; i < 2; i++) {
                y[i] = guarded_new((size_t)cols * sizeof(float), (edge)(cols / 2 % 2));
                (i == 0 ? scalar : tier)->float_row(&m, cols % 3, y[i].data);
            }
            CHECK(first_difference(y[0].data, y[1].data, cols) < 0 && guarded_slack_intact(&y[1]),
                  "float_row: type %d, cols %lld", type, (long long)cols);
            guarded_free(&values);
            guarded_free(&y[0]);
            guarded_free(&y[1]);
        }
    }
}

static void norm_case(const tern_kernels *scalar, const tern_kernels *tier, int64_t cols, bool in_place, fill kind,
                      edge side) {
    const int64_t tokens = 4;
    const int64_t begin = 1;
    const int64_t end = 3;
    const int64_t x_stride = cols + random_below(3);
    const int64_t y_stride = in_place ? x_stride : cols + random_below(3);
    guarded weight = guarded_new((size_t)cols * sizeof(float), side);
    fill_floats(weight.data, cols, FILL_UNIFORM);
    guarded x = guarded_new((size_t)((tokens - 1) * x_stride + cols) * sizeof(float), side);
    fill_floats(x.data, (tokens - 1) * x_stride + cols, kind);
    guarded y[2];
    for (int i = 0; i < 2; i++) {
        y[i] = guarded_new((size_t)((tokens - 1) * y_stride + cols) * sizeof(float), side);
        if (in_place) {
            memcpy(y[i].data, x.data, x.bytes);
        }
        (i == 0 ? scalar : tier)
            ->rms_norm(in_place ? y[i].data : x.data, x_stride, weight.data, 1e-5f, cols, begin, end, y[i].data,
                       y_stride);
    }
    const int64_t n = (int64_t)(y[0].bytes / sizeof(float));
    CHECK(first_difference(y[0].data, y[1].data, n) < 0 && guarded_slack_intact(&y[1]),
          "rms_norm: cols %lld, fill %d, in place %d", (long long)cols, kind, in_place);
    for (int64_t i = 0; i < n; i++) {
        if (i / y_stride < begin || i / y_stride >= end || i % y_stride >= cols) {
            const float *at = (const float *)y[1].data + i;
            CHECK(in_place ? same_float(*at, ((const float *)x.data)[i]) : guarded_is_pattern(at, sizeof *at, &y[1]),
                  "rms_norm wrote token %lld", (long long)(i / y_stride));
        }
    }
    guarded_free(&weight);
    guarded_free(&x);
    guarded_free(&y[0]);
    guarded_free(&y[1]);
}

void check_rms_norm(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int64_t cols = 1; cols <= 300; cols++) {
        norm_case(scalar, tier, cols, cols % 2 == 0, (fill)(cols % FILL_COUNT), AT_END);
        norm_case(scalar, tier, cols, cols % 3 == 0, (fill)(cols / 3 % FILL_COUNT), AT_BEGIN);
    }
    for (int kind = 0; kind < FILL_COUNT; kind++) {
        norm_case(scalar, tier, 2560, true, (fill)kind, AT_END);
        norm_case(scalar, tier, 6912, false, (fill)kind, AT_END);
    }
}

static void rope_case(const tern_kernels *scalar, const tern_kernels *tier, int64_t head_dim, int64_t dims, fill kind,
                      edge side) {
    const int64_t heads = 3;
    const int64_t tokens = 4;
    const int64_t position = 2;
    const int64_t stride = heads * head_dim + random_below(3);
    guarded cosines = guarded_new((size_t)((position + tokens) * (dims / 2)) * sizeof(float), side);
    guarded sines = guarded_new(cosines.bytes, side);
    fill_floats(cosines.data, (position + tokens) * (dims / 2), FILL_UNIFORM);
    fill_floats(sines.data, (position + tokens) * (dims / 2), FILL_UNIFORM);
    for (int32_t pairing = TERN_ROPE_HALVES; pairing <= TERN_ROPE_NEIGHBOURS; pairing++) {
        const tern_rope rope = {cosines.data, sines.data, dims, pairing};
        guarded x[3];
        for (int i = 0; i < 3; i++) {
            x[i] = guarded_new((size_t)((tokens - 1) * stride + heads * head_dim) * sizeof(float), side);
        }
        const int64_t n = (int64_t)(x[0].bytes / sizeof(float));
        fill_floats(x[0].data, n, kind);
        memcpy(x[1].data, x[0].data, x[0].bytes);
        memcpy(x[2].data, x[0].data, x[0].bytes);
        scalar->rope(x[0].data, stride, heads, head_dim, &rope, position, 1, 3);
        tier->rope(x[1].data, stride, heads, head_dim, &rope, position, 1, 3);
        CHECK(first_difference(x[0].data, x[1].data, n) < 0 && guarded_slack_intact(&x[1]),
              "rope: head %lld, dims %lld, pairing %d, fill %d", (long long)head_dim, (long long)dims, pairing, kind);
        for (int64_t i = 0; i < n; i++) {
            const int64_t t = i / stride;
            const bool rotated = t >= 1 && t < 3 && i % stride < heads * head_dim && i % stride % head_dim < dims;
            CHECK(rotated || same_float(((float *)x[1].data)[i], ((float *)x[2].data)[i]), "rope changed element %lld",
                  (long long)i);
        }
        for (int i = 0; i < 3; i++) {
            guarded_free(&x[i]);
        }
    }
    guarded_free(&cosines);
    guarded_free(&sines);
}

void check_rope(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int64_t dims = 2; dims <= 300; dims += 2) {
        rope_case(scalar, tier, dims, dims, (fill)(dims / 2 % FILL_COUNT), AT_END);
        rope_case(scalar, tier, dims + random_below(9), dims, FILL_UNIFORM, AT_BEGIN);
    }
}

/* out may be a separate buffer (0), the first input (1) or the second (2). */
static void gate_case(void (*expected)(const float *, const float *, float *, int64_t),
                      void (*tested)(const float *, const float *, float *, int64_t), const char *name, int64_t n,
                      int alias, fill kind, edge side) {
    guarded buffers[2][3];
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 3; j++) {
            buffers[i][j] = guarded_new((size_t)n * sizeof(float), side);
            if (i == 0) {
                fill_floats(buffers[0][j].data, n, kind);
            } else {
                memcpy(buffers[1][j].data, buffers[0][j].data, (size_t)n * sizeof(float));
            }
        }
    }
    for (int64_t i = 0; i < n && kind == FILL_UNIFORM; i++) { /* gates over the whole range of exp, and past it */
        const float gate = random_uniform() * 110.0f;
        ((float *)buffers[0][0].data)[i] = gate;
        ((float *)buffers[1][0].data)[i] = gate;
    }
    for (int i = 0; i < 2; i++) {
        float *out = buffers[i][(alias + 2) % 3].data;
        (i == 0 ? expected : tested)(buffers[i][0].data, buffers[i][1].data, out, n);
    }
    CHECK(first_difference(buffers[0][(alias + 2) % 3].data, buffers[1][(alias + 2) % 3].data, n) < 0 &&
              guarded_slack_intact(&buffers[1][(alias + 2) % 3]),
          "%s: n %lld, alias %d, fill %d", name, (long long)n, alias, kind);
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 3; j++) {
            guarded_free(&buffers[i][j]);
        }
    }
}

void check_relu_squared_gate(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int64_t n = 0; n <= 300; n++) {
        gate_case(scalar->relu_squared_gate, tier->relu_squared_gate, "relu_squared_gate", n, (int)(n % 3),
                  (fill)(n / 3 % FILL_COUNT), (edge)(n % 2));
    }
}

void check_silu_gate(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int64_t n = 0; n <= 300; n++) {
        gate_case(scalar->silu_gate, tier->silu_gate, "silu_gate", n, (int)(n % 3), (fill)(n / 3 % FILL_COUNT),
                  (edge)(n % 2));
        gate_case(scalar->silu_gate, tier->silu_gate, "silu_gate", n, 0, FILL_UNIFORM, AT_END);
    }
}

void check_add(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int64_t n = 0; n <= 300; n++) {
        const edge side = (edge)(n % 2);
        guarded y = guarded_new((size_t)n * sizeof(float), side);
        fill_floats(y.data, n, (fill)(n % FILL_COUNT));
        guarded x[2];
        for (int i = 0; i < 2; i++) {
            x[i] = guarded_new((size_t)n * sizeof(float), side);
            seed_random((uint64_t)n + 99);
            fill_floats(x[i].data, n, (fill)(n / 2 % FILL_COUNT));
            (i == 0 ? scalar : tier)->add(x[i].data, y.data, n);
        }
        CHECK(first_difference(x[0].data, x[1].data, n) < 0 && guarded_slack_intact(&x[1]), "add: n %lld",
              (long long)n);
        guarded_free(&y);
        guarded_free(&x[0]);
        guarded_free(&x[1]);
    }
}
