/*
 * check_decode.c: ternary_decode against matrices encoded value by value, and on damaged ones against scalar.
 */
#include "check.h"
#include "encoded_case.h"
#include "ternary_case.h"

#include <stdlib.h>
#include <string.h>

typedef struct encoded {
    int32_t encoding;
    int64_t rows;
    int64_t cols;
    float scale;
    guarded in;
    guarded expected; /* rows without space between them */
} encoded;

/* fp16 bits of a scale that BF16 holds as well. */
static uint16_t random_scale(int32_t encoding) {
    static const uint16_t scales[] = {0x3c00, 0x2a40, 0x0280, 0x7bc0, 0x0008, 0x3570, 0x5e00, 0};
    uint16_t d = scales[random_below(8)];
    if (encoding <= TERN_ENCODED_TQ2_0 && random_below(3) == 0) {
        d ^= 0x8000; /* a negative one, where codes are stored */
    }
    return d;
}

static encoded encoded_new(int32_t encoding, int64_t rows, int64_t cols, int foreign, edge side) {
    const uint16_t d = random_scale(encoding);
    const int64_t bytes = cols / encoded_columns(encoding) * encoded_bytes(encoding);
    const int64_t row_bytes = padded_columns(cols) / 4;
    encoded e = {encoding,
                 rows,
                 cols,
                 (float)double_of_f16(d),
                 guarded_new((size_t)(rows * bytes), side),
                 guarded_new((size_t)(rows * row_bytes), side)};
    int8_t *t = malloc((size_t)cols);
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t c = 0; c < cols; c++) {
            const int zeros = (d == 0 && encoding > TERN_ENCODED_TQ2_0) || (foreign && (c / 32 + row) % 5 == 0);
            t[c] = (int8_t)(zeros ? 0 : random_below(3) - 1);
        }
        if (foreign && cols >= 256 && row % 3 == 1) {
            memset(t, 0, 256); /* a whole block of zeros */
        }
        encode_row(encoding, t, cols, d, foreign, (uint8_t *)e.in.data + row * bytes);
        pack_row(t, cols, (uint8_t *)e.expected.data + row * row_bytes);
    }
    free(t);
    return e;
}

static void encoded_free(encoded *e) {
    guarded_free(&e->in);
    guarded_free(&e->expected);
}

/* Decodes with both; the same result, and the rows before it as they are expected. Returns the result. */
static int64_t decode_both(const tern_kernels *scalar, const tern_kernels *tier, const encoded *e, edge side) {
    const int64_t row_bytes = padded_columns(e->cols) / 4;
    const int64_t stride = row_bytes + random_below(40);
    int64_t wrong[2];
    guarded codes[2];
    for (int i = 0; i < 2; i++) {
        codes[i] = guarded_new((size_t)((e->rows - 1) * stride + row_bytes), side);
        wrong[i] = (i == 0 ? scalar : tier)
                       ->ternary_decode(e->encoding, e->in.data, e->rows, e->cols, e->scale, codes[i].data, stride);
        CHECK(guarded_slack_intact(&codes[i]), "ternary_decode wrote outside of its codes, encoding %d", e->encoding);
    }
    CHECK(wrong[0] == wrong[1], "ternary_decode: encoding %d, %lld columns: row %lld is refused, expected %lld",
          e->encoding, (long long)e->cols, (long long)wrong[1], (long long)wrong[0]);
    for (int64_t row = 0; row < (wrong[0] < 0 ? e->rows : wrong[0]); row++) {
        const uint8_t *out = (uint8_t *)codes[1].data + row * stride;
        CHECK(memcmp(out, (uint8_t *)codes[0].data + row * stride, (size_t)row_bytes) == 0,
              "ternary_decode: encoding %d, %lld columns: row %lld is not scalar's", e->encoding, (long long)e->cols,
              (long long)row);
        CHECK(row + 1 == e->rows || guarded_is_pattern(out + row_bytes, (size_t)(stride - row_bytes), &codes[1]),
              "ternary_decode wrote between rows, encoding %d", e->encoding);
    }
    if (wrong[1] < 0) {
        for (int64_t row = 0; row < e->rows; row++) {
            CHECK(memcmp((uint8_t *)codes[1].data + row * stride, (uint8_t *)e->expected.data + row * row_bytes,
                         (size_t)row_bytes) == 0,
                  "ternary_decode: encoding %d, %lld columns, scale %g: row %lld is wrong", e->encoding,
                  (long long)e->cols, (double)e->scale, (long long)row);
        }
    }
    guarded_free(&codes[0]);
    guarded_free(&codes[1]);
    return wrong[1];
}

static void decodes(const tern_kernels *scalar, const tern_kernels *tier, int32_t encoding) {
    for (int64_t blocks = 1; blocks <= (encoded_columns(encoding) == 1 ? 300 : 40); blocks++) {
        for (int foreign = 0; foreign < 2; foreign++) {
            const edge side = (edge)(blocks & 1);
            encoded e = encoded_new(encoding, 1 + random_below(5), blocks * encoded_columns(encoding), foreign, side);
            CHECK(decode_both(scalar, tier, &e, side) == -1,
                  "ternary_decode refuses a matrix, encoding %d, %lld columns, scale %g, foreign %d", encoding,
                  (long long)e.cols, (double)e.scale, foreign);
            encoded_free(&e);
        }
    }
}

/* Every value of every byte of a block in the second of three rows. What is still read is compared with nothing. */
static void damages(const tern_kernels *scalar, const tern_kernels *tier, int32_t encoding) {
    const int64_t columns = encoded_columns(encoding) == 1 ? 8 : encoded_columns(encoding);
    const int64_t bytes = columns / encoded_columns(encoding) * encoded_bytes(encoding);
    int refused = 0;
    encoded e = encoded_new(encoding, 3, 2 * columns, 0, AT_END);
    const int64_t row_bytes = padded_columns(e.cols) / 4;
    guarded codes[2] = {guarded_new((size_t)(3 * row_bytes), AT_END), guarded_new((size_t)(3 * row_bytes), AT_END)};
    for (int64_t at = 3 * bytes; at < 4 * bytes; at++) {
        uint8_t *byte = (uint8_t *)e.in.data + at;
        const uint8_t before = *byte;
        for (int value = 0; value < 256; value++) {
            int64_t wrong[2];
            *byte = (uint8_t)value;
            for (int i = 0; i < 2; i++) {
                wrong[i] = (i == 0 ? scalar : tier)
                               ->ternary_decode(encoding, e.in.data, 3, e.cols, e.scale, codes[i].data, row_bytes);
            }
            CHECK(wrong[0] == wrong[1] && (wrong[0] == 1 || wrong[0] == -1),
                  "ternary_decode: encoding %d, byte %lld is %d: row %lld is refused, by scalar %lld", encoding,
                  (long long)at, value, (long long)wrong[1], (long long)wrong[0]);
            CHECK(wrong[0] == 1 || memcmp(codes[0].data, codes[1].data, codes[0].bytes) == 0,
                  "ternary_decode: encoding %d, byte %lld is %d: codes are not scalar's", encoding, (long long)at,
                  value);
            CHECK(value != before || wrong[1] == -1, "ternary_decode refuses what is not damaged");
            refused += wrong[1] == 1;
        }
        *byte = before;
    }
    CHECK(refused > 0, "ternary_decode refuses no damage of encoding %d", encoding);
    encoded_free(&e);
    guarded_free(&codes[0]);
    guarded_free(&codes[1]);
}

/* Bytes that no encoder wrote: only the same answer counts. */
static void noise(const tern_kernels *scalar, const tern_kernels *tier, int32_t encoding) {
    const int64_t columns = encoded_columns(encoding) == 1 ? 130 : 2 * encoded_columns(encoding);
    const int64_t bytes = columns / encoded_columns(encoding) * encoded_bytes(encoding);
    static const float scales[] = {0, 1, -1, 0.5f, 3e-8f, 65504, 1e30f, -0.375f, 1e-40f};
    guarded in = guarded_new((size_t)bytes, AT_END);
    uint8_t codes[2][3 * 64 * 4];
    for (int i = 0; i < 3000; i++) {
        const uint64_t mask = i % 3 == 0 ? 0xff : i % 3 == 1 ? 0x01 : 0x80;
        for (int64_t b = 0; b < bytes; b++) {
            ((uint8_t *)in.data)[b] = (uint8_t)(random_bits() >> 20 & mask);
        }
        const float scale = scales[random_below(9)];
        const int64_t a = scalar->ternary_decode(encoding, in.data, 1, columns, scale, codes[0], 64);
        const int64_t b = tier->ternary_decode(encoding, in.data, 1, columns, scale, codes[1], 64);
        CHECK(a == b && (a == 0 || memcmp(codes[0], codes[1], (size_t)padded_columns(columns) / 4) == 0),
              "ternary_decode: noise in encoding %d, scale %g", encoding, (double)scale);
    }
    guarded_free(&in);
}

/* Weights that are no number, scales that a type does not hold, the largest step. Each row is refused or read. */
static void special(const tern_kernels *tier) {
    static const struct {
        int32_t encoding;
        float scale;
        uint8_t row[34];
        int64_t cols;
        int64_t expected;
    } rows[] = {
        {TERN_ENCODED_Q8_0, 128, {0x00, 0x3c, 0x80}, 32, -1},            /* 1 * -128 */
        {TERN_ENCODED_Q8_0, 128, {0x00, 0x3c, 0x80, 0x7f}, 32, 0},       /* 1 * 127 */
        {TERN_ENCODED_Q8_0, 1, {0x00, 0x7c}, 32, 0},                     /* infinity * 0 */
        {TERN_ENCODED_Q8_0, 1, {0x01, 0x7e}, 32, 0},                     /* NaN * 0 */
        {TERN_ENCODED_Q8_0, 0, {0x00, 0x3c}, 32, -1},                    /* 1 * 0 */
        {TERN_ENCODED_Q8_0, 0, {0x00, 0x3c, 1}, 32, 0},                  /* 1 * 1 */
        {TERN_ENCODED_Q8_0, -2, {0x00, 0x3c, 2, 0xfe}, 32, -1},          /* 1 * 2 is -T */
        {TERN_ENCODED_F16, 1, {0x00, 0x3c, 0x00, 0xbc, 0, 0x80}, 3, -1}, /* 1, -1, -0 */
        {TERN_ENCODED_F16, 1, {0x00, 0x7c}, 1, 0},                       /* infinity */
        {TERN_ENCODED_F16, 0.1f, {0x66, 0x2e}, 1, 0},                    /* 0.1 rounded to fp16 */
        {TERN_ENCODED_F16, 1e-30f, {0x01, 0x00}, 1, 0},                  /* the least fp16 */
        {TERN_ENCODED_BF16, 0x1.01p0f, {0x80, 0x3f}, 1, 0},              /* 1, of which the scale has one bit more */
        {TERN_ENCODED_F32, 1, {0x00, 0x00, 0xc0, 0x7f}, 1, 0},           /* NaN */
        {TERN_ENCODED_F32, 1e-40f, {0xc2, 0x16, 0x01, 0x80}, 1, -1},     /* -1e-40, a subnormal number */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t codes[32];
        const int64_t wrong =
            tier->ternary_decode(rows[i].encoding, rows[i].row, 1, rows[i].cols, rows[i].scale, codes, 32);
        CHECK(wrong == rows[i].expected, "ternary_decode: special row %zu gives %lld", i, (long long)wrong);
    }
}

void check_ternary_decode(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int32_t encoding = 0; encoding < ENCODINGS; encoding++) {
        decodes(scalar, tier, encoding);
        damages(scalar, tier, encoding);
        noise(scalar, tier, encoding);
    }
    special(tier);
}
