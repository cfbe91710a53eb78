/*
 * float_matmul.c, NEON: float matrices, that is the embedding and the head.
 *
 * One token: one row after the other, so that the matrix is read in one stream; the eight registers of a sum are as
 * many as hide the latency of an fma. Several tokens: four rows are widened over a stretch of columns into a buffer
 * that stays in L1, and all tokens of a batch pass by before the next stretch is. A tile of 4 rows x 4 tokens takes one
 * of the eight parts of its sums after the other, so that sixteen sums live in registers.
 */
#include "float_blocks_32.h"
#include "lanes.h"
#include "listed_rows.h"
#include "tiers.h"

/* BATCH, in tokens, is a multiple of TILE_TOKENS; STRETCH, in columns, one of every block. */
enum { TILE_ROWS = 4, TILE_TOKENS = 4, STRETCH = 512, BATCH = 48 };

TERN_INLINE float row_times_token(const tern_float_matrix *w, int32_t type, int64_t row, const float *x,
                                  const lanes32 *x_tail) {
    lanes32 sum = lanes_zero();
    const int64_t at = row * w->stride;
    int64_t c = 0;
    for (; c + 32 <= w->cols; c += 32) {
        sum = lanes_add_products(sum, load_32(w->values, type, at + c), load_32(x, TERN_F32, c));
    }
    if (c < w->cols) {
        sum = lanes_add_products(sum, load_partial_32(w->values, type, at + c, w->cols - c), *x_tail);
    }
    return lanes_fold(sum);
}

TERN_INLINE void one_token(const tern_float_matrix *w, int32_t type, const float *x, int64_t row_begin, int64_t row_end,
                           float *y) {
    const int64_t whole = w->cols / 32 * 32;
    const lanes32 x_tail = load_partial_32(x, TERN_F32, whole, w->cols - whole);
    for (int64_t row = row_begin; row < row_end; row++) {
        y[row] = row_times_token(w, type, row, x, &x_tail);
    }
}

static float q8_0_times_token(const tern_float_matrix *w, int64_t row, const float *x) {
    const uint8_t *block = q8_0_block(w->values, row * w->stride);
    lanes32 sum = lanes_zero();
    for (int64_t c = 0; c < w->cols; c += Q8_0_COLUMNS, block += Q8_0_BYTES) {
        sum = lanes_add_products(sum, q8_0_lanes(block), load_32(x, TERN_F32, c));
    }
    return lanes_fold(sum);
}

static float q6_k_times_token(const tern_float_matrix *w, int64_t row, const float *x) {
    const uint8_t *block = q6_k_block(w->values, row * w->stride);
    lanes32 sum = lanes_zero();
    for (int64_t c = 0; c < w->cols; c += Q6_K_COLUMNS, block += Q6_K_BYTES) {
        float steps[16];
        q6_k_steps(block, steps);
        for (int half = 0; half < 2; half++) { /* written out: the shifts of a part must be constants */
            const float *from = x + c + 128 * half;
            sum = lanes_add_products(sum, q6_k_lanes(block, steps, half, 0), load_32(from, TERN_F32, 0));
            sum = lanes_add_products(sum, q6_k_lanes(block, steps, half, 1), load_32(from, TERN_F32, 32));
            sum = lanes_add_products(sum, q6_k_lanes(block, steps, half, 2), load_32(from, TERN_F32, 64));
            sum = lanes_add_products(sum, q6_k_lanes(block, steps, half, 3), load_32(from, TERN_F32, 96));
        }
    }
    return lanes_fold(sum);
}

static void one_token_of_type(const tern_float_matrix *w, const float *x, int64_t row_begin, int64_t row_end,
                              float *y) {
    switch (w->type) {
    case TERN_F16: one_token(w, TERN_F16, x, row_begin, row_end, y); break;
    case TERN_BF16: one_token(w, TERN_BF16, x, row_begin, row_end, y); break;
    case TERN_Q8_0:
        for (int64_t row = row_begin; row < row_end; row++) {
            y[row] = q8_0_times_token(w, row, x);
        }
        break;
    case TERN_Q6_K:
        for (int64_t row = row_begin; row < row_end; row++) {
            y[row] = q6_k_times_token(w, row, x);
        }
        break;
    default: one_token(w, TERN_F32, x, row_begin, row_end, y); break;
    }
}

TERN_INLINE void widen_plain(const void *values, int32_t type, int64_t at, int64_t count, float *y) {
    int64_t c = 0;
    for (; c + 4 <= count; c += 4) {
        vst1q_f32(y + c, load_4(values, type, at + c));
    }
    if (c < count) {
        store_partial_4(y + c, load_partial_32(values, type, at + c, count - c).part[0], count - c);
    }
}

/* Elements [at, at + count) of a matrix, whole blocks, into y. */
static void widen(const tern_float_matrix *m, int64_t at, int64_t count, float *y) {
    switch (m->type) {
    case TERN_F16: widen_plain(m->values, TERN_F16, at, count, y); break;
    case TERN_BF16: widen_plain(m->values, TERN_BF16, at, count, y); break;
    case TERN_Q8_0:
    case TERN_Q6_K: widen_blocks(m->values, m->type, at, count, y); break;
    default: memcpy(y, (const float *)m->values + at, (size_t)count * sizeof(float)); break;
    }
}

/* Adds `count` columns, a whole number of 32s, to the sums of a tile. Row r's weights begin at weights + r * STRETCH,
 * token t's activations at x + t * x_stride. */
TERN_INLINE void add_stretch(int rows, int tokens, const float *weights, const float *x, int64_t x_stride,
                             int64_t count, lanes32 sums[TILE_ROWS][TILE_TOKENS]) {
    for (int j = 0; j < 8; j++) {
        float32x4_t part[TILE_ROWS][TILE_TOKENS];
        for (int r = 0; r < rows; r++) {
            for (int t = 0; t < tokens; t++) {
                part[r][t] = sums[r][t].part[j];
            }
        }
        for (int64_t c = 4 * j; c < count; c += 32) {
            float32x4_t v[TILE_TOKENS];
            for (int t = 0; t < tokens; t++) {
                v[t] = vld1q_f32(x + t * x_stride + c);
            }
            for (int r = 0; r < rows; r++) {
                const float32x4_t weight = vld1q_f32(weights + r * STRETCH + c);
                for (int t = 0; t < tokens; t++) {
                    part[r][t] = vfmaq_f32(part[r][t], weight, v[t]);
                }
            }
        }
        for (int r = 0; r < rows; r++) {
            for (int t = 0; t < tokens; t++) {
                sums[r][t].part[j] = part[r][t];
            }
        }
    }
}

/* `rows` (1 or 4) rows from `row` on, times up to BATCH tokens. */
TERN_INLINE void rows_times_tokens(int rows, const tern_float_matrix *w, int64_t row, const float *x, int64_t x_stride,
                                   int64_t tokens, float *y, int64_t y_stride) {
    float wide[TILE_ROWS * STRETCH];
    lanes32 sums[BATCH / TILE_TOKENS][TILE_ROWS][TILE_TOKENS];
    for (int64_t t = 0; t < tokens; t++) {
        for (int r = 0; r < rows; r++) {
            sums[t / TILE_TOKENS][r][t % TILE_TOKENS] = lanes_zero();
        }
    }
    const int64_t block =
        w->type == TERN_Q6_K ? Q6_K_COLUMNS : 32; /* what is left of a row after whole ones is partial */
    const int64_t whole = w->cols / block * block;
    for (int64_t c = 0; c < whole; c += STRETCH) {
        const int64_t count = c + STRETCH < whole ? STRETCH : whole - c;
        for (int r = 0; r < rows; r++) {
            widen(w, (row + r) * w->stride + c, count, wide + r * STRETCH);
        }
        for (int64_t t = 0; t < tokens; t += TILE_TOKENS) {
            const float *from = x + t * x_stride + c;
            lanes32(*tile)[TILE_TOKENS] = sums[t / TILE_TOKENS];
            switch (tokens - t) {
            case 1: add_stretch(rows, 1, wide, from, x_stride, count, tile); break;
            case 2: add_stretch(rows, 2, wide, from, x_stride, count, tile); break;
            case 3: add_stretch(rows, 3, wide, from, x_stride, count, tile); break;
            default: add_stretch(rows, TILE_TOKENS, wide, from, x_stride, count, tile); break;
            }
        }
    }
    if (whole < w->cols) {
        memset(wide, 0, sizeof wide);
        for (int r = 0; r < rows; r++) {
            widen(w, (row + r) * w->stride + whole, w->cols - whole, wide + r * STRETCH);
        }
    }
    for (int64_t t = 0; t < tokens; t++) {
        const lanes32 tail = load_partial_32(x + t * x_stride, TERN_F32, whole, w->cols - whole);
        for (int r = 0; r < rows; r++) {
            lanes32 sum = sums[t / TILE_TOKENS][r][t % TILE_TOKENS];
            if (whole < w->cols) {
                sum = lanes_add_products(sum, load_32(wide + r * STRETCH, TERN_F32, 0), tail);
            }
            y[t * y_stride + row + r] = lanes_fold(sum);
        }
    }
}

void tern_neon_float_matmul(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                            int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (tokens == 1) {
        one_token_of_type(w, x, row_begin, row_end, y);
        return;
    }
    for (int64_t t = 0; t < tokens; t += BATCH) {
        const int64_t batch = t + BATCH < tokens ? BATCH : tokens - t;
        int64_t row = row_begin;
        for (; row + TILE_ROWS <= row_end; row += TILE_ROWS) {
            rows_times_tokens(TILE_ROWS, w, row, x + t * x_stride, x_stride, batch, y + t * y_stride, y_stride);
        }
        for (; row < row_end; row++) {
            rows_times_tokens(1, w, row, x + t * x_stride, x_stride, batch, y + t * y_stride, y_stride);
        }
    }
}

/* One row after the other: what is shared by the tokens of a row is shared there. */
void tern_neon_float_matmul_rows(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                                 const int32_t *rows, const uint32_t *masks, int64_t count, float *y,
                                 int64_t y_stride) {
    (void)tokens;
    for (int64_t i = 0; i < count; i++) {
        listed_row(tern_neon_float_matmul, w, x, x_stride, rows[i], masks[i], y, y_stride);
    }
}

void tern_neon_float_row(const tern_float_matrix *m, int64_t row, float *y) {
    widen(m, row * m->stride, m->cols, y);
}
