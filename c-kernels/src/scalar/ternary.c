/*
 * ternary.c, scalar: quantized activations times packed ternary weights.
 */
#include "floats.h"
#include "mixed_panels.h"
#include "tiers.h"

void tern_scalar_quantize(const float *x, int64_t x_stride, int64_t cols, int64_t token_begin, int64_t token_end,
                          const tern_activations *out) {
    const int64_t padded = (cols + TERN_GROUP - 1) / TERN_GROUP * TERN_GROUP;
    for (int64_t t = token_begin; t < token_end; t++) {
        const float *token = x + t * x_stride;
        int8_t *values = out->values + t * out->stride;
        float m = 1e-5f;
        for (int64_t i = 0; i < cols; i++) {
            const float magnitude = fabsf(token[i]);
            m = magnitude > m ? magnitude : m; /* false for a NaN */
        }
        const float r = 1.0f / m * 127.0f;
        int32_t sum = 0;
        for (int64_t i = 0; i < cols; i++) {
            const float rounded = rintf(token[i] * r);
            int8_t a = -128; /* what a NaN becomes */
            if (rounded >= 127.0f) {
                a = 127;
            } else if (rounded > -128.0f) {
                a = (int8_t)rounded;
            }
            values[i] = a;
            sum += a;
        }
        for (int64_t i = cols; i < padded; i++) {
            values[i] = 0;
        }
        out->scales[t] = r;
        out->sums[t] = sum;
    }
}

/* The digit k, from the highest on, of a byte of five trits: 3 v = 256 digit + next v. */
static int trit_of(uint8_t byte, int k) {
    uint32_t v = byte;
    for (int i = 0; i < k; i++) {
        v = 3 * v & 255;
    }
    return (int)(3 * v >> 8);
}

/* The code of a row's column c in TERN_PANELS_MIXED. */
static int mixed_code(const tern_ternary_matrix *w, int64_t row, int64_t c) {
    const uint8_t *group = w->codes + mixed_group_at(w->rows, w->cols, c / MIXED_COLUMNS, row / TERN_PANEL_ROWS);
    const int64_t r = row % TERN_PANEL_ROWS;
    const int64_t i = c % MIXED_COLUMNS;
    if (i < MIXED_BITS) {
        return group[4 * r + i % 4] >> 2 * (i / 4) & 3;
    }
    uint16_t word;
    memcpy(&word, group + mixed_word_at(r), sizeof word);
    int number = word >> 5 * ((i - MIXED_BITS) / 3) & 31;
    for (int64_t digit = (i - MIXED_BITS) % 3; digit > 0; digit--) {
        number /= 3;
    }
    return number % 3;
}

/* The code of a row's column c. */
static int code_at(const tern_ternary_matrix *w, int64_t row, int64_t c) {
    if (w->layout == TERN_ROWS) {
        const int quarter = (int)(c % TERN_GROUP / 32); /* 0 in bits 7:6 … 3 in bits 1:0 */
        return w->codes[row * w->stride + c / TERN_GROUP * 32 + c % 32] >> (6 - 2 * quarter) & 3;
    }
    if (w->layout == TERN_PANELS_MIXED) {
        return mixed_code(w, row, c);
    }
    const int64_t columns = w->layout == TERN_PANELS_2BIT ? 16 : 20; /* of a group */
    const uint8_t byte = w->codes[row / TERN_PANEL_ROWS * w->stride + c / columns * 4 * TERN_PANEL_ROWS +
                                  row % TERN_PANEL_ROWS * 4 + c % 4];
    const int k = (int)(c % columns / 4);
    return w->layout == TERN_PANELS_2BIT ? byte >> 2 * k & 3 : trit_of(byte, k);
}

void tern_scalar_ternary_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    for (int64_t t = 0; t < tokens; t++) {
        const int8_t *values = a->values + t * a->stride;
        const float scale = w->scale / a->scales[t];
        for (int64_t row = row_begin; row < row_end; row++) {
            int32_t sum = 0;
            for (int64_t c = 0; c < w->cols; c++) {
                sum += (code_at(w, row, c) - 1) * values[c];
            }
            y[t * y_stride + row] = (float)sum * scale;
        }
    }
}

/* The code of column c in a row of TERN_ROWS, 1 where there is none. A 3 becomes 2. */
static unsigned code_of_row(const uint8_t *row, int64_t cols, int64_t c) {
    if (row == NULL || c >= cols) {
        return 1;
    }
    const unsigned code = (unsigned)row[c / TERN_GROUP * 32 + c % 32] >> (6 - 2 * (c % TERN_GROUP / 32)) & 3u;
    return code < 2 ? code : 2;
}

/* A row's codes of a group of TERN_PANELS_MIXED, as r of its panel. */
static void mixed_group(const uint8_t *row, int64_t cols, int64_t g, int64_t r, uint8_t *group) {
    for (int64_t j = 0; j < 4; j++) {
        unsigned byte = 0;
        for (int64_t k = 0; k < 4; k++) {
            byte |= code_of_row(row, cols, MIXED_COLUMNS * g + 4 * k + j) << 2 * k;
        }
        group[4 * r + j] = (uint8_t)byte;
    }
    unsigned word = 0;
    for (int64_t k = 0; k < 3; k++) {
        const int64_t c = MIXED_COLUMNS * g + MIXED_BITS + 3 * k;
        const unsigned high = 3 * code_of_row(row, cols, c + 1) + 9 * code_of_row(row, cols, c + 2);
        word |= (code_of_row(row, cols, c) + high) << 5 * k;
    }
    const uint16_t packed = (uint16_t)word;
    memcpy(group + mixed_word_at(r), &packed, sizeof packed);
}

static void mixed_pack(const uint8_t *codes, int64_t stride, int64_t row_begin, int64_t row_end,
                       const tern_ternary_matrix *w) {
    const int64_t groups = mixed_groups(w->cols);
    for (int64_t first = row_begin; first < row_end; first += TERN_PANEL_ROWS) {
        for (int64_t g = 0; g < groups; g++) {
            uint8_t *out =
                (uint8_t *)(uintptr_t)w->codes + mixed_group_at(w->rows, w->cols, g, first / TERN_PANEL_ROWS);
            for (int64_t r = 0; r < TERN_PANEL_ROWS; r++) {
                const uint8_t *row = first + r < row_end ? codes + (first + r - row_begin) * stride : NULL;
                mixed_group(row, w->cols, g, r, out);
            }
        }
    }
}

void tern_scalar_ternary_pack(const uint8_t *codes, int64_t stride, int64_t row_begin, int64_t row_end,
                              const tern_ternary_matrix *w) {
    if (w->layout == TERN_PANELS_MIXED) {
        mixed_pack(codes, stride, row_begin, row_end, w);
        return;
    }
    const int64_t columns = w->layout == TERN_PANELS_2BIT ? 16 : 20;
    const int64_t groups = (w->cols + columns - 1) / columns;
    for (int64_t first = row_begin; first < row_end; first += TERN_PANEL_ROWS) {
        uint8_t *out = (uint8_t *)(uintptr_t)w->codes + first / TERN_PANEL_ROWS * w->stride;
        for (int64_t g = 0; g < groups; g++) {
            for (int64_t r = 0; r < TERN_PANEL_ROWS; r++) {
                const uint8_t *row = first + r < row_end ? codes + (first + r - row_begin) * stride : NULL;
                for (int64_t j = 0; j < 4; j++) {
                    unsigned byte = 0;
                    for (int64_t k = 0; k < columns / 4; k++) {
                        const unsigned code = code_of_row(row, w->cols, columns * g + 4 * k + j);
                        byte = w->layout == TERN_PANELS_2BIT ? byte | code << 2 * k : 3 * byte + code;
                    }
                    *out++ = (uint8_t)(w->layout == TERN_PANELS_2BIT ? byte : (256 * byte + 242) / 243);
                }
            }
        }
    }
}

void tern_scalar_ternary_unpack(const tern_ternary_matrix *w, int64_t row_begin, int64_t row_end, uint8_t *codes,
                                int64_t stride) {
    const int64_t padded = (w->cols + TERN_GROUP - 1) / TERN_GROUP * TERN_GROUP;
    for (int64_t row = row_begin; row < row_end; row++) {
        uint8_t *out = codes + (row - row_begin) * stride;
        for (int64_t c = 0; c < padded; c++) {
            const int code = c < w->cols ? code_at(w, row, c) : 1;
            const int quarter = (int)(c % TERN_GROUP / 32);
            uint8_t *byte = out + c / TERN_GROUP * 32 + c % 32;
            *byte = (uint8_t)((quarter == 0 ? 0 : *byte) | code << (6 - 2 * quarter));
        }
    }
}

int64_t tern_scalar_find_invalid_code(const uint8_t *codes, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (codes[i] & codes[i] >> 1 & 0x55) { /* a pair of bits that are both set is a 3 */
            return i;
        }
    }
    return -1;
}
