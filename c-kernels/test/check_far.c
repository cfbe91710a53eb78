/*
 * check_far.c: rows, panels, tokens and cache heads more than 2 GiB apart. An offset computed in 32 bits would go
 * astray.
 *
 * Each kernel runs on two rows (panels, tokens, heads) in a sparse mapping, and must give what the scalar kernel gives
 * on the same data laid out side by side.
 */
#include "check.h"
#include "ternary_case.h"

#include <string.h>

enum { COLS = 200, PADDED = 256, ROW_BYTES = 64 };

static const int64_t far_apart = INT64_C(0x90000000); /* 2.25 GiB in bytes, a multiple of 128 */
static const int64_t far_floats = INT64_C(0x24000000);

static void far_ternary(const tern_kernels *scalar, const tern_kernels *tier) {
    uint8_t codes[2 * ROW_BYTES];
    int8_t values[2 * PADDED];
    int8_t t[COLS];
    float scales[2] = {3, 5};
    int32_t sums[2] = {0, 0};
    memset(values, 0, sizeof values);
    for (int row = 0; row < 2; row++) {
        for (int c = 0; c < COLS; c++) {
            t[c] = (int8_t)(random_below(3) - 1);
            values[row * PADDED + c] = (int8_t)random_below(256);
            sums[row] += values[row * PADDED + c];
        }
        pack_row(t, COLS, codes + row * ROW_BYTES);
    }
    float near_y[4];
    const tern_ternary_matrix near_w = {codes, 2, COLS, ROW_BYTES, 0.5f, TERN_ROWS};
    const tern_activations near_a = {values, scales, sums, PADDED};
    scalar->ternary_matmul(&near_w, &near_a, 2, 0, 2, near_y, 2);

    uint8_t *far_codes = sparse_new((size_t)far_apart + 4096);
    int8_t *far_values = sparse_new((size_t)far_apart + 4096);
    float *far_y = sparse_new((size_t)far_apart + 4096);
    for (int row = 0; row < 2; row++) {
        memcpy(far_codes + row * far_apart, codes + row * ROW_BYTES, ROW_BYTES);
        memcpy(far_values + row * far_apart, values + row * PADDED, PADDED);
    }
    const tern_ternary_matrix far_w = {far_codes, 2, COLS, far_apart, 0.5f, TERN_ROWS};
    const tern_activations far_a = {far_values, scales, sums, far_apart};
    tier->ternary_matmul(&far_w, &far_a, 2, 0, 2, far_y, far_floats);
    CHECK(same_float(far_y[0], near_y[0]) && same_float(far_y[1], near_y[1]) &&
              same_float(far_y[far_floats], near_y[2]) && same_float(far_y[far_floats + 1], near_y[3]),
          "ternary_matmul: far rows, several tokens");
    for (int token = 0; token < 2; token++) {
        const tern_activations one = {far_values + token * far_apart, scales + token, sums + token, far_apart};
        tier->ternary_matmul(&far_w, &one, 1, 0, 2, far_y, 2);
        CHECK(same_float(far_y[0], near_y[2 * token]) && same_float(far_y[1], near_y[2 * token + 1]),
              "ternary_matmul: far rows, one token");
    }
    sparse_free(far_codes, (size_t)far_apart + 4096);
    sparse_free(far_values, (size_t)far_apart + 4096);
    sparse_free(far_y, (size_t)far_apart + 4096);
}

/* Two panels, the second with 8 rows. Tokens lie `apart` bytes from each other, and so do their results. */
static void far_panels_case(const tern_kernels *scalar, const tern_kernels *tier, int32_t layout, int64_t tokens,
                            int64_t apart) {
    enum { ROWS = 40, MOST_TOKENS = 20 };
    uint8_t codes[ROWS * ROW_BYTES];
    int8_t values[MOST_TOKENS * PADDED];
    float scales[MOST_TOKENS];
    int32_t sums[MOST_TOKENS];
    float near_y[MOST_TOKENS * ROWS];
    int8_t t[COLS];
    memset(values, 0, sizeof values);
    for (int row = 0; row < ROWS; row++) {
        for (int c = 0; c < COLS; c++) {
            t[c] = (int8_t)(random_below(3) - 1);
        }
        pack_row(t, COLS, codes + row * ROW_BYTES);
    }
    for (int64_t token = 0; token < tokens; token++) {
        scales[token] = (float)(3 + token);
        sums[token] = 0;
        for (int c = 0; c < COLS; c++) {
            values[token * PADDED + c] = (int8_t)random_below(256);
            sums[token] += values[token * PADDED + c];
        }
    }
    const tern_ternary_matrix near_w = {codes, ROWS, COLS, ROW_BYTES, 0.5f, TERN_ROWS};
    const tern_activations near_a = {values, scales, sums, PADDED};
    scalar->ternary_matmul(&near_w, &near_a, tokens, 0, ROWS, near_y, ROWS);

    const size_t code_bytes = (size_t)far_apart + 4096;
    const size_t token_bytes = (size_t)((tokens - 1) * apart) + 4096;
    tern_ternary_matrix w;
    guarded panels = panels_of(&near_w, layout, &w, AT_END);
    uint8_t *far_codes = sparse_new(code_bytes);
    int8_t *far_values = sparse_new(token_bytes);
    float *far_y = sparse_new(token_bytes);
    for (int panel = 0; panel < 2; panel++) {
        memcpy(far_codes + panel * far_apart, (const uint8_t *)panels.data + panel * w.stride, (size_t)w.stride);
    }
    for (int64_t token = 0; token < tokens; token++) {
        memcpy(far_values + token * apart, values + token * PADDED, PADDED);
    }
    w.codes = far_codes;
    w.stride = far_apart;
    const tern_activations far_a = {far_values, scales, sums, apart};
    const int64_t y_stride = apart / (int64_t)sizeof(float);
    tier->ternary_matmul(&w, &far_a, tokens, 0, ROWS, far_y, y_stride);
    for (int64_t token = 0; token < tokens; token++) {
        CHECK(first_difference(near_y + token * ROWS, far_y + token * y_stride, ROWS) < 0,
              "ternary_matmul: far panels, layout %d, token %lld of %lld", layout, (long long)token, (long long)tokens);
    }
    guarded_free(&panels);
    sparse_free(far_codes, code_bytes);
    sparse_free(far_values, token_bytes);
    sparse_free(far_y, token_bytes);
}

static void far_panels(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int32_t layout = TERN_PANELS_2BIT; layout <= TERN_PANELS_5TRIT; layout++) {
        far_panels_case(scalar, tier, layout, 1, far_apart);
        far_panels_case(scalar, tier, layout, 2, far_apart);
        far_panels_case(scalar, tier, layout, 20, far_apart / 16); /* a batch, the last tokens beyond 2 GiB */
    }
}

static void far_floats_case(const tern_kernels *scalar, const tern_kernels *tier) {
    float near_x[2 * COLS];
    float near_w[2 * COLS];
    float near_y[2 * COLS];
    fill_floats(near_x, 2 * COLS, FILL_UNIFORM);
    fill_floats(near_w, 2 * COLS, FILL_UNIFORM);
    float *x = sparse_new((size_t)far_apart + 4096);
    float *w = sparse_new((size_t)far_apart + 4096);
    float *y = sparse_new((size_t)far_apart + 4096);
    for (int i = 0; i < 2; i++) {
        memcpy(x + i * far_floats, near_x + i * COLS, COLS * sizeof(float));
        memcpy(w + i * far_floats, near_w + i * COLS, COLS * sizeof(float));
    }
    const tern_float_matrix near_matrix = {near_w, 2, COLS, COLS, TERN_F32};
    const tern_float_matrix far_matrix = {w, 2, COLS, far_floats, TERN_F32};
    scalar->float_matmul(&near_matrix, near_x, COLS, 2, 0, 2, near_y, 2);
    tier->float_matmul(&far_matrix, x, far_floats, 2, 0, 2, y, far_floats);
    CHECK(same_float(y[0], near_y[0]) && same_float(y[1], near_y[1]) && same_float(y[far_floats], near_y[2]) &&
              same_float(y[far_floats + 1], near_y[3]),
          "float_matmul: far rows");
    tier->float_matmul(&far_matrix, x + far_floats, far_floats, 1, 0, 2, y, 2);
    CHECK(same_float(y[0], near_y[2]) && same_float(y[1], near_y[3]), "float_matmul: far rows, one token");
    memset(y, 0, 2 * sizeof(float));
    tier->float_matmul_rows(&far_matrix, x, far_floats, 2, (const int32_t[]){1, 0}, (const uint32_t[]){3, 2}, 2, y,
                            far_floats);
    CHECK(y[0] == 0 && same_float(y[1], near_y[1]) && same_float(y[far_floats], near_y[2]) &&
              same_float(y[far_floats + 1], near_y[3]),
          "float_matmul_rows: far rows");
    tier->float_row(&far_matrix, 1, y);
    CHECK(first_difference(y, near_w + COLS, COLS) < 0, "float_row: far row");

    scalar->rms_norm(near_x, COLS, near_w, 1e-5f, COLS, 0, 2, near_y, COLS);
    tier->rms_norm(x, far_floats, near_w, 1e-5f, COLS, 0, 2, y, far_floats);
    CHECK(first_difference(y, near_y, COLS) < 0 && first_difference(y + far_floats, near_y + COLS, COLS) < 0,
          "rms_norm: far tokens");

    int8_t near_values[2 * PADDED];
    float scales[4];
    int32_t sums[4];
    int8_t *values = sparse_new((size_t)far_apart + 4096);
    const tern_activations near_a = {near_values, scales, sums, PADDED};
    const tern_activations far_a = {values, scales + 2, sums + 2, far_apart};
    scalar->quantize(near_x, COLS, COLS, 0, 2, &near_a);
    tier->quantize(x, far_floats, COLS, 0, 2, &far_a);
    CHECK(memcmp(values + far_apart, near_values + PADDED, PADDED) == 0 && sums[1] == sums[3] && scales[1] == scales[3],
          "quantize: far tokens");
    sparse_free(values, (size_t)far_apart + 4096);

    const tern_rope rope = {near_w, near_w + COLS, 64, TERN_ROPE_HALVES};
    scalar->rope(near_x, COLS, 2, 64, &rope, 0, 0, 2);
    tier->rope(x, far_floats, 2, 64, &rope, 0, 0, 2);
    CHECK(first_difference(x + far_floats, near_x + COLS, COLS) < 0, "rope: far tokens");

    sparse_free(x, (size_t)far_apart + 4096);
    sparse_free(w, (size_t)far_apart + 4096);
    sparse_free(y, (size_t)far_apart + 4096);
}

/* Rows of blocks, which are not reached by the way of plain floats. */
static void far_blocks(const tern_kernels *scalar, const tern_kernels *tier) {
    enum { BLOCK = 256 };
    const size_t bytes = bytes_of_elements(TERN_Q6_K, BLOCK);
    const int64_t stride = far_apart / (int64_t)bytes * BLOCK;
    uint8_t near_w[2 * 210];
    float x[2 * BLOCK];
    float near_y[4];
    float y[4];
    fill_typed(near_w, TERN_Q6_K, 2 * BLOCK, FILL_UNIFORM);
    fill_floats(x, 2 * BLOCK, FILL_UNIFORM);
    uint8_t *far_w = sparse_new((size_t)far_apart + 4096);
    memcpy(far_w, near_w, bytes);
    memcpy(far_w + bytes_of_elements(TERN_Q6_K, stride), near_w + bytes, bytes);
    const tern_float_matrix near_matrix = {near_w, 2, BLOCK, BLOCK, TERN_Q6_K};
    const tern_float_matrix far_matrix = {far_w, 2, BLOCK, stride, TERN_Q6_K};
    scalar->float_matmul(&near_matrix, x, BLOCK, 2, 0, 2, near_y, 2);
    tier->float_matmul_rows(&far_matrix, x, BLOCK, 2, (const int32_t[]){0, 1}, (const uint32_t[]){3, 3}, 2, y, 2);
    CHECK(first_difference(y, near_y, 4) < 0, "float_matmul_rows: far rows of blocks");
    sparse_free(far_w, (size_t)far_apart + 4096);
}

/* Two heads of the cache, the second beyond 2 GiB because the capacity is large. */
static void far_cache(const tern_kernels *scalar, const tern_kernels *tier) {
    enum { DIM = 64, TOKENS = 3 };
    float k[TOKENS * 2 * DIM];
    float v[TOKENS * 2 * DIM];
    float near_out[TOKENS * 2 * DIM];
    float far_out[TOKENS * 2 * DIM];
    float scores[TERN_ATTENTION_SCORES(2 * TOKENS, TOKENS)];
    fill_floats(k, TOKENS * 2 * DIM, FILL_UNIFORM);
    fill_floats(v, TOKENS * 2 * DIM, FILL_UNIFORM);
    static const int32_t types[] = {TERN_F32, TERN_F16, TERN_Q8_0};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const int32_t type = types[i];
        float near_keys[2 * TOKENS * DIM];
        float near_values[2 * TOKENS * DIM];
        const int64_t capacity = far_apart / (int64_t)bytes_of_elements(type, DIM);
        const size_t bytes = (size_t)far_apart + 4096;
        const tern_kv_layer near_kv = {near_keys, near_values, 2, TOKENS, DIM, type};
        const tern_kv_layer far_kv = {sparse_new(bytes), sparse_new(bytes), 2, capacity, DIM, type};
        scalar->store_kv(&near_kv, k, v, 2 * DIM, 0, 0, TOKENS);
        tier->store_kv(&far_kv, k, v, 2 * DIM, 0, 0, TOKENS);
        scalar->attention(&near_kv, k, 2 * DIM, 2, 0, 0, 2 * TOKENS, 0.125f, scores, near_out, 2 * DIM);
        tier->attention(&far_kv, k, 2 * DIM, 2, 0, 0, 2 * TOKENS, 0.125f, scores, far_out, 2 * DIM);
        CHECK(first_difference(near_out, far_out, TOKENS * 2 * DIM) < 0, "attention: far heads, type %d", type);
        sparse_free(far_kv.keys, bytes);
        sparse_free(far_kv.values, bytes);
    }
}

void check_far_offsets(const tern_kernels *scalar, const tern_kernels *tier) {
    far_ternary(scalar, tier);
    far_panels(scalar, tier);
    far_floats_case(scalar, tier);
    far_blocks(scalar, tier);
    far_cache(scalar, tier);
}
