/*
 * lut_test.c: every generated kernel of this library against the ternary product, which the tiers' tests hold to its
 * definition.
 *
 *   tern_lut_test [portable|avx2|neon] [all|small]
 *
 * Every shape; batches of 1, 2, 7, 8, 32, 33 and 512 tokens; random, largest, all-zero and single-spike activations;
 * every kind of row range; packed weights, tables, codes and results between guard pages. All rows where the path has
 * vector code for the format; the first and last rows where it is plain C. `small` passes over the matrices of more
 * than 2^22 weights and tests first and last rows: for sanitizers and emulated processors, to which more rows are only
 * more of the same blocks.
 */
#include "check.h"
#include "lut_packing.h"
#include "ternary_case.h"

#include <stdlib.h>
#include <string.h>

static const int64_t batches[] = {1, 2, 7, 8, 32, 33, 512};

/* One matrix, packed both ways. */
typedef struct matrix {
    tern_lut_matrix lut;
    tern_ternary_matrix plain;
    guarded packed;
    guarded codes;
} matrix;

/* Random rows cost more than all else here, so 61 of them take turns, each rotated by its number. */
static matrix make_matrix(const tern_lut_kernels *kernels, int64_t kernel, int fixed) {
    const tern_lut_shape *shape = &kernels->shapes[kernel];
    const int64_t k = shape->cols;
    const int64_t row_bytes = padded_columns(k) / 4;
    matrix w;
    w.packed = guarded_new((size_t)lut_packed_bytes(shape), AT_END);
    w.codes = guarded_new((size_t)(shape->rows * row_bytes), AT_END);
    memset(w.packed.data, 0, w.packed.bytes);
    enum { VARIETY = 61 };
    int8_t *pool = malloc((size_t)(2 * VARIETY * k));
    for (int64_t i = 0; i < VARIETY * 2 * k; i++) {
        pool[i] = (int8_t)(fixed == 2 ? random_below(3) - 1 : fixed);
    }
    for (int64_t row = 0; row < shape->rows; row++) {
        const int8_t *t = pool + row % VARIETY * 2 * k + row / VARIETY % k;
        lut_pack_row(shape, t, row, w.packed.data);
        pack_row(t, k, (uint8_t *)w.codes.data + row * row_bytes);
    }
    free(pool);
    const float scale = random_uniform();
    w.lut = (tern_lut_matrix){w.packed.data, *shape, scale, kernel};
    w.plain = (tern_ternary_matrix){w.codes.data, shape->rows, k, row_bytes, scale, TERN_ROWS};
    return w;
}

static void free_matrix(matrix *w) {
    guarded_free(&w->packed);
    guarded_free(&w->codes);
}

/* Activations of a batch and their tables. */
typedef struct batch {
    tern_activations a;
    tern_lut_tables tables;
    guarded values;
    guarded table_values;
    float *scales;
    int32_t *sums;
    int64_t tokens;
} batch;

typedef enum activation_fill { RANDOM, ALL_127, ALL_MINUS_128, ALL_ZERO, SPIKE, FILLS } activation_fill;

static int8_t activation(activation_fill kind, int64_t column, int64_t spike) {
    switch (kind) {
    case ALL_127: return 127;
    case ALL_MINUS_128: return -128;
    case ALL_ZERO: return 0;
    case SPIKE: return column == spike ? 127 : 0;
    default: return (int8_t)random_below(256);
    }
}

static batch make_batch(const tern_lut_kernels *kernels, const tern_lut_shape *shape, int64_t tokens,
                        activation_fill kind) {
    const int64_t k = shape->cols;
    const int64_t stride = padded_columns(k);
    const int64_t table_stride = TERN_LUT_TABLE_BYTES(shape->format, k) + 32 * random_below(2);
    batch b;
    b.tokens = tokens;
    b.values = guarded_new((size_t)(tokens * stride), AT_END);
    b.table_values =
        guarded_new((size_t)((tokens - 1) * table_stride + TERN_LUT_TABLE_BYTES(shape->format, k)), AT_END);
    b.scales = malloc((size_t)tokens * sizeof(float));
    b.sums = malloc((size_t)tokens * sizeof(int32_t));
    for (int64_t t = 0; t < tokens; t++) {
        int8_t *a = (int8_t *)b.values.data + t * stride;
        const int64_t spike = random_below(k);
        b.sums[t] = 0;
        for (int64_t c = 0; c < stride; c++) {
            a[c] = c < k ? activation(kind, c, spike) : 0;
            b.sums[t] += a[c];
        }
        b.scales[t] = 1.0f + 100.0f * (random_uniform() + 1.0f);
    }
    b.a = (tern_activations){b.values.data, b.scales, b.sums, stride};
    b.tables = (tern_lut_tables){b.table_values.data, table_stride};
    /* In two calls, as threads do. */
    const int64_t middle = tokens / 2;
    CHECK(kernels->build_tables(shape->format, &b.a, k, 0, middle, &b.tables) == TERN_LUT_OK &&
              kernels->build_tables(shape->format, &b.a, k, middle, tokens, &b.tables) == TERN_LUT_OK,
          "build_tables refuses %lld columns", (long long)k);
    return b;
}

static void free_batch(batch *b) {
    guarded_free(&b->values);
    guarded_free(&b->table_values);
    free(b->scales);
    free(b->sums);
}

static void compare_matmul(const tern_lut_kernels *kernels, const tern_kernels *best, const matrix *w, const batch *b,
                           int64_t begin, int64_t end) {
    const int64_t rows = w->plain.rows;
    const int64_t y_stride = rows + random_below(4);
    guarded y[2];
    for (int i = 0; i < 2; i++) {
        y[i] = guarded_new((size_t)((b->tokens - 1) * y_stride + rows) * sizeof(float), AT_END);
    }
    best->ternary_matmul(&w->plain, &b->a, b->tokens, begin, end, y[0].data, y_stride);
    const int32_t status = kernels->matmul(&w->lut, &b->a, &b->tables, b->tokens, begin, end, y[1].data, y_stride);
    CHECK(status == TERN_LUT_OK && guarded_slack_intact(&y[1]) && memcmp(y[0].data, y[1].data, y[0].bytes) == 0,
          "format %d, %d x %d, tile %d/%d/%d, %lld tokens, rows [%lld, %lld): status %d, element %lld",
          w->lut.shape.format, w->lut.shape.rows, w->lut.shape.cols, w->lut.shape.bm, w->lut.shape.bk, w->lut.shape.bmm,
          (long long)b->tokens, (long long)begin, (long long)end, status,
          (long long)first_difference(y[0].data, y[1].data, (int64_t)(y[0].bytes / sizeof(float))));
    guarded_free(&y[0]);
    guarded_free(&y[1]);
}

static void compare_unpack(const tern_lut_kernels *kernels, const matrix *w, int64_t begin, int64_t end) {
    const int64_t row_bytes = w->plain.stride;
    const int64_t stride = row_bytes + random_below(3) * 32;
    guarded codes = guarded_new((size_t)((end - begin - 1) * stride + row_bytes), AT_END);
    CHECK(kernels->unpack(&w->lut, begin, end, codes.data, stride) == TERN_LUT_OK, "unpack refuses");
    for (int64_t row = begin; row < end; row++) {
        CHECK(memcmp((uint8_t *)codes.data + (row - begin) * stride, w->plain.codes + row * row_bytes,
                     (size_t)row_bytes) == 0,
              "unpack: format %d, %d x %d, tile %d/%d/%d: row %lld", w->lut.shape.format, w->lut.shape.rows,
              w->lut.shape.cols, w->lut.shape.bm, w->lut.shape.bk, w->lut.shape.bmm, (long long)row);
    }
    CHECK(guarded_slack_intact(&codes), "unpack wrote outside");
    guarded_free(&codes);
}

static void check_refusals(const tern_lut_kernels *kernels, const matrix *w, const batch *b) {
    guarded y = guarded_new((size_t)(b->tokens * w->plain.rows) * sizeof(float), AT_END);
    tern_lut_matrix other = w->lut;
    other.shape.bk += 24;
    CHECK(kernels->matmul(&other, &b->a, &b->tables, b->tokens, 0, 32, y.data, w->plain.rows) == TERN_LUT_UNKNOWN_SHAPE,
          "a tile that the kernel was not made for is computed with");
    other = w->lut;
    other.kernel = kernels->shape_count;
    CHECK(kernels->matmul(&other, &b->a, &b->tables, b->tokens, 0, 32, y.data, w->plain.rows) ==
                  TERN_LUT_UNKNOWN_SHAPE &&
              kernels->unpack(&other, 0, 32, y.data, 0) == TERN_LUT_UNKNOWN_SHAPE,
          "a kernel that does not exist is called");
    static const int64_t ragged[][2] = {{1, 32}, {0, 31}, {-32, 32}, {32, 0}, {0, INT64_C(1) << 40}};
    for (size_t i = 0; i < sizeof ragged / sizeof ragged[0]; i++) {
        CHECK(kernels->matmul(&w->lut, &b->a, &b->tables, b->tokens, ragged[i][0], ragged[i][1], y.data,
                              w->plain.rows) == TERN_LUT_RAGGED_ROWS &&
                  kernels->unpack(&w->lut, ragged[i][0], ragged[i][1], y.data, 0) == TERN_LUT_RAGGED_ROWS,
              "rows [%lld, %lld) are computed", (long long)ragged[i][0], (long long)ragged[i][1]);
    }
    CHECK(kernels->build_tables(3, &b->a, w->plain.cols, 0, 1, &b->tables) == TERN_LUT_UNKNOWN_SHAPE &&
              kernels->build_tables(TERN_LUT_TL2, &b->a, 12, 0, 1, &b->tables) == TERN_LUT_UNKNOWN_SHAPE,
          "tables of a format or width that does not exist are built");
    CHECK(guarded_is_pattern(y.data, y.bytes, &y), "a refused call wrote its result");
    guarded_free(&y);
}

/* All rows of small matrices, the first and last of large ones. */
static void check_rows(const tern_lut_kernels *kernels, const tern_kernels *best, const matrix *w, const batch *b,
                       bool all) {
    const int64_t rows = w->plain.rows;
    if (all || rows <= 512) {
        compare_matmul(kernels, best, w, b, 0, rows);
    } else {
        compare_matmul(kernels, best, w, b, 0, 96);
        compare_matmul(kernels, best, w, b, rows - 160, rows);
    }
}

static void check_kernel(const tern_lut_kernels *kernels, const tern_kernels *best, int64_t kernel, bool all) {
    const tern_lut_shape *shape = &kernels->shapes[kernel];
    const int64_t rows = shape->rows;
    matrix w = make_matrix(kernels, kernel, 2);
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        if (!all && batches[i] > 33 && rows * shape->cols > INT64_C(1) << 20) {
            continue;
        }
        batch b = make_batch(kernels, shape, batches[i], RANDOM);
        check_rows(kernels, best, &w, &b, all);
        if (batches[i] == 7) {
            for (int range = 0; range < 6; range++) {
                const int64_t begin = random_below(rows / 32) * 32;
                const int64_t end = begin + random_below((rows - begin) / 32 + 1) * 32;
                compare_matmul(kernels, best, &w, &b, begin, all ? end : end - begin > 96 ? begin + 96 : end);
            }
            check_refusals(kernels, &w, &b);
        }
        free_batch(&b);
    }
    const int64_t middle = rows / 64 * 32;
    compare_unpack(kernels, &w, 0, all || rows <= 512 ? rows : 64);
    compare_unpack(kernels, &w, middle, middle + 32);
    for (activation_fill kind = ALL_127; kind < FILLS; kind++) {
        batch b = make_batch(kernels, shape, 5, kind);
        check_rows(kernels, best, &w, &b, all);
        free_batch(&b);
    }
    free_matrix(&w);
    for (int fixed = -1; fixed <= 1; fixed += 2) { /* every sum as large as it gets */
        matrix extreme = make_matrix(kernels, kernel, fixed);
        for (activation_fill kind = ALL_127; kind <= ALL_MINUS_128; kind++) {
            batch b = make_batch(kernels, shape, 5, kind);
            check_rows(kernels, best, &extreme, &b, false);
            free_batch(&b);
        }
        free_matrix(&extreme);
    }
}

int main(int argc, char **argv) {
    static const char *const names[] = {"portable", "avx2", "neon"};
    const char *name = argc > 1 ? argv[1] : "portable";
    const bool all = argc > 2 && strcmp(argv[2], "all") == 0;
    int32_t path = 0;
    while (path < 3 && strcmp(name, names[path]) != 0) {
        path++;
    }
    const tern_lut_kernels *kernels = tern_lut_kernels_of(path);
    if (kernels == NULL) {
        printf("SKIPPED: %s is not to be had here\n", name);
        return 77;
    }
    CHECK(kernels->path == path && strlen(kernels->plan) == 64 && kernels->shape_count > 0, "the table of %s", name);
    CHECK(tern_lut_kernels_of(-1) == NULL && tern_lut_kernels_of(3) == NULL, "a path that does not exist");
    const tern_kernels *best = tern_kernels_of(tern_best_tier());
    int64_t tested = 0;
    for (int64_t kernel = 0; kernel < kernels->shape_count; kernel++) {
        seed_random((uint64_t)kernel + 1);
        const tern_lut_shape *shape = &kernels->shapes[kernel];
        const bool small = (int64_t)shape->rows * shape->cols <= INT64_C(1) << 22;
        const bool vectors = (path == TERN_LUT_AVX2 && shape->format == TERN_LUT_TL2) ||
                             (path == TERN_LUT_NEON && shape->format == TERN_LUT_TL1);
        if (small || all) {
            check_kernel(kernels, best, kernel, all && vectors);
            tested++;
        }
    }
    printf("%s: %lld of %lld kernels, %d failures\n", name, (long long)tested, (long long)kernels->shape_count,
           failures());
    return failures() > 0;
}
