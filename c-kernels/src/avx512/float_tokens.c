/*
 * float_tokens.c, AVX-512: a float matrix times 2 to 8 tokens: what checks a draft of speculation, and the step that
 * longer batches are made of.
 *
 * 32 columns of a row are widened into two registers and multiplied by all tokens while they are there, so that
 * widening costs what it costs for one token, and two registers of sums a token are all that is kept: 16 for eight
 * tokens.
 *
 * The activations must come from L1, and 2560 columns of eight tokens are 80 KiB. So rows are taken a chunk at a time
 * over a stretch of columns, whose activations (at most 20 KiB) were copied into the order they are used in; the sums
 * of the chunk's rows wait in memory between two stretches. Where one stretch is the whole row, as for two tokens of
 * 2560 columns, the matrix is read as one stream. Where it is not, a row is read in pieces, which no hardware
 * prefetcher follows: then each piece asks for the same columns of the row a chunk later.
 */
#include "float_tokens.h"

#include "avx2/one_token.h"
#include "float_columns.h"

enum { CHUNK = 32, ACTIVATIONS = 5120, TOKENS = TERN_AVX512_TOKENS };

/* Asks for a piece of a row `ahead` bytes from here. */
TERN_INLINE void prefetch_piece(const uint8_t *at, int64_t bytes, int64_t ahead) {
    for (int64_t line = 0; line < bytes; line += 64) {
        _mm_prefetch((const char *)((uintptr_t)at + (uintptr_t)(ahead + line)), _MM_HINT_T0);
    }
}

/* Adds the products of 32 columns with those of each token: token t's stand at x + 32 t. */
TERN_INLINE void add_columns(int tokens, lanes512 weights, const float *x, lanes512 sums[TOKENS]) {
    for (int t = 0; t < tokens; t++) {
        sums[t].part[0] = _mm512_fmadd_ps(weights.part[0], _mm512_load_ps(x + 32 * t), sums[t].part[0]);
        sums[t].part[1] = _mm512_fmadd_ps(weights.part[1], _mm512_load_ps(x + 32 * t + 16), sums[t].part[1]);
    }
}

TERN_INLINE void add_q6_k_half(int tokens, const uint8_t *block, int half, const float steps[8], const float *x,
                               lanes512 sums[TOKENS]) {
    __m256i codes[4];
    q6_k_codes(block, half, codes);
    add_columns(tokens, q6_k_columns(codes[0], steps), x, sums);
    add_columns(tokens, q6_k_columns(codes[1], steps + 2), x + 32 * tokens, sums);
    add_columns(tokens, q6_k_columns(codes[2], steps + 4), x + 64 * tokens, sums);
    add_columns(tokens, q6_k_columns(codes[3], steps + 6), x + 96 * tokens, sums);
}

/* Adds the products of `count` columns of a row from element `at` of the matrix on. x: groups of 32 columns, in each
 * the tokens one after the other, zeros past the row's end. */
TERN_INLINE void add_stretch(int tokens, const void *values, int32_t type, int64_t at, int64_t count, const float *x,
                             int64_t ahead, lanes512 *sums) {
    lanes512 local[TOKENS];
    for (int t = 0; t < tokens; t++) {
        local[t] = sums[t];
    }
    if (type == TERN_Q6_K) {
        const uint8_t *block = q6_k_block(values, at);
        float steps[2][16] __attribute__((aligned(64))); /* of this block and the next, which is in time that way */
        _mm512_store_ps(steps[0], q6_k_steps_512(block));
        int now = 0;
        for (int64_t c = 0; c < count; c += Q6_K_COLUMNS, block += Q6_K_BYTES, now ^= 1) {
            prefetch_piece(block, Q6_K_BYTES, ahead);
            const uint8_t *next = c + Q6_K_COLUMNS < count ? block + Q6_K_BYTES : block;
            _mm512_store_ps(steps[now ^ 1], q6_k_steps_512(next));
            add_q6_k_half(tokens, block, 0, steps[now], x + c * tokens, local);
            add_q6_k_half(tokens, block, 1, steps[now] + 8, x + (c + 128) * tokens, local);
        }
    } else if (type == TERN_Q8_0) {
        const uint8_t *block = q8_0_block(values, at);
        for (int64_t c = 0; c < count; c += Q8_0_COLUMNS, block += Q8_0_BYTES) {
            prefetch_piece(block, Q8_0_BYTES, ahead);
            add_columns(tokens, q8_0_columns(block), x + c * tokens, local);
        }
    } else {
        const int64_t size = type == TERN_F32 ? 4 : 2;
        for (int64_t c = 0; c < count; c += 32) {
            prefetch_piece((const uint8_t *)values + (at + c) * size, 32 * size, ahead);
            const lanes512 weights = {{load_first_of_16(values, type, at + c, count - c),
                                       load_first_of_16(values, type, at + c + 16, count - c - 16)}};
            add_columns(tokens, weights, x + c * tokens, local);
        }
    }
    for (int t = 0; t < tokens; t++) {
        sums[t] = local[t];
    }
}

/* `count` columns of all tokens into the order of add_stretch. */
TERN_INLINE void gather_activations(int tokens, const float *x, int64_t x_stride, int64_t count, float *to) {
    for (int64_t c = 0; c < count; c += 32) {
        for (int t = 0; t < tokens; t++, to += 32) {
            _mm512_store_ps(to, load_first_of_16(x + t * x_stride, TERN_F32, c, count - c));
            _mm512_store_ps(to + 16, load_first_of_16(x + t * x_stride, TERN_F32, c + 16, count - c - 16));
        }
    }
}

/* Rows whose activations are one stretch. Here a prefetch pays on any CPU: the products of a line fill the window out
 * of which the core would see the next lines (Q6_K, two tokens, Zen 4 EPYC: 3.35 ns for 32 weights without, 2.9 with).
 */
TERN_INLINE void whole_rows(int tokens, const tern_float_matrix *w, int32_t type, const float *activations,
                            int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    for (int64_t row = row_begin; row < row_end; row++) {
        lanes512 sums[TOKENS];
        for (int t = 0; t < tokens; t++) {
            sums[t] = lanes512_zero();
        }
        add_stretch(tokens, w->values, type, row * w->stride, w->cols, activations, 4096, sums);
        for (int t = 0; t < tokens; t++) {
            y[t * y_stride + row] = lanes512_fold(sums[t]);
        }
    }
}

TERN_INLINE void some_tokens(int tokens, const tern_float_matrix *w, int32_t type, const float *x, int64_t x_stride,
                             int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    float activations[ACTIVATIONS] __attribute__((aligned(64)));
    const int64_t most = ACTIVATIONS / tokens / Q6_K_COLUMNS * Q6_K_COLUMNS; /* columns of a stretch, whole blocks */
    if (w->cols <= most) {
        gather_activations(tokens, x, x_stride, w->cols, activations);
        whole_rows(tokens, w, type, activations, row_begin, row_end, y, y_stride);
        return;
    }
    const int64_t chunk_ahead = CHUNK * stored_bytes(w->type, w->stride);
    lanes512 sums[CHUNK * TOKENS];
    for (int64_t first = row_begin; first < row_end; first += CHUNK) {
        const int64_t rows = first + CHUNK < row_end ? CHUNK : row_end - first;
        for (int64_t i = 0; i < rows * tokens; i++) {
            sums[i] = lanes512_zero();
        }
        for (int64_t c = 0; c < w->cols; c += most) {
            const int64_t count = c + most < w->cols ? most : w->cols - c;
            gather_activations(tokens, x + c, x_stride, count, activations);
            for (int64_t r = 0; r < rows; r++) {
                add_stretch(tokens, w->values, type, (first + r) * w->stride + c, count, activations, chunk_ahead,
                            sums + r * tokens);
            }
        }
        for (int64_t r = 0; r < rows; r++) {
            for (int t = 0; t < tokens; t++) {
                y[t * y_stride + first + r] = lanes512_fold(sums[r * tokens + t]);
            }
        }
    }
}

TERN_INLINE void tokens_of_blocks(const tern_float_matrix *w, int32_t type, const float *x, int64_t x_stride,
                                  int64_t tokens, int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    switch (tokens) {
    case 2: some_tokens(2, w, type, x, x_stride, row_begin, row_end, y, y_stride); break;
    case 3: some_tokens(3, w, type, x, x_stride, row_begin, row_end, y, y_stride); break;
    case 4: some_tokens(4, w, type, x, x_stride, row_begin, row_end, y, y_stride); break;
    case 5: some_tokens(5, w, type, x, x_stride, row_begin, row_end, y, y_stride); break;
    case 6: some_tokens(6, w, type, x, x_stride, row_begin, row_end, y, y_stride); break;
    case 7: some_tokens(7, w, type, x, x_stride, row_begin, row_end, y, y_stride); break;
    default: some_tokens(TOKENS, w, type, x, x_stride, row_begin, row_end, y, y_stride); break;
    }
}

void tern_avx512_blocks_tokens(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                               int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    if (w->type == TERN_Q8_0) {
        tokens_of_blocks(w, TERN_Q8_0, x, x_stride, tokens, row_begin, row_end, y, y_stride);
    } else {
        tokens_of_blocks(w, TERN_Q6_K, x, x_stride, tokens, row_begin, row_end, y, y_stride);
    }
}

void tern_avx512_floats_8_tokens(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t row_begin,
                                 int64_t row_end, float *y, int64_t y_stride) {
    switch (w->type) {
    case TERN_F16: some_tokens(TOKENS, w, TERN_F16, x, x_stride, row_begin, row_end, y, y_stride); break;
    case TERN_BF16: some_tokens(TOKENS, w, TERN_BF16, x, x_stride, row_begin, row_end, y, y_stride); break;
    default: some_tokens(TOKENS, w, TERN_F32, x, x_stride, row_begin, row_end, y, y_stride); break;
    }
}
