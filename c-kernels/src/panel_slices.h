/*
 * panel_slices.h: products of panels with many tokens, a slice of columns at a time: what is the same for AMX
 * and AVX-VNNI. Plain C that the compiler turns into a tier's vectors.
 *
 * A slice of a panel is unpacked once, into an unsigned byte a code, and meets all tokens of the call before the next
 * one is. 32 rows of 1,280 columns become 40 KiB that stay in L2 beside the activations; longer rows take several
 * slices, and the int32 sums of those before wait in y, where the result will be: no memory is needed that grows with
 * the tokens.
 *
 * The products are made with codes (T + 1: 0, 1, 2): sum(T * a) = sum(code * a) - sum(a), and the second sum comes with
 * the activations. All sums are taken modulo 2^32; the last one is in range.
 */
#ifndef TERN_PANEL_SLICES_H
#define TERN_PANEL_SLICES_H

#include "tern_kernels.h"

#include <string.h>

#define TERN_SLICE_INLINE static inline __attribute__((always_inline))

enum {
    SLICE_COLUMNS = 1280, /* a multiple of 64, of 16 and of 20, so that a slice begins with a group and with a tile */
    SLICE_QUADS = SLICE_COLUMNS / 4,
    HALF_ROWS = 16
};

/* Codes by half of the panel (rows 0 to 15, 16 to 31), then by four columns (a quad), then by row: 64 bytes lie
 * together as four columns of 16 rows, which is a row of a tile of AMX, and two registers of AVX. */
typedef struct panel_slice {
    _Alignas(64) uint8_t codes[2][SLICE_QUADS][4 * HALF_ROWS];
} panel_slice;

/* Columns of the slice that begins with column `first`, up to whole 64. */
TERN_SLICE_INLINE int64_t slice_columns(const tern_ternary_matrix *w, int64_t first) {
    const int64_t left = (w->cols - first + 63) / 64 * 64;
    return left < SLICE_COLUMNS ? left : SLICE_COLUMNS;
}

/* One register of AVX-512, or two of AVX2, or whatever the compiler makes of it. */
typedef uint8_t bytes_64 __attribute__((vector_size(64)));

/* Half a group (64 bytes) into `count` quads that lie one after the other. Of five trits: 3 v = 256 digit + next v, so
 * the digit is the number of times that 3 v passes 256, at v = 86 and at v = 171. */
TERN_SLICE_INLINE void unpack_half(int five, const uint8_t *group, int64_t count, uint8_t *quads) {
    bytes_64 v;
    memcpy(&v, group, sizeof v);
    for (int64_t k = 0; k < count; k++) {
        const bytes_64 codes = five ? -(bytes_64)((v >= 86) + (v >= 171)) : v & 3;
        v = five ? v + v + v : v >> 2;
        memcpy(quads + 64 * k, &codes, sizeof codes);
    }
}

/* Quads that the panel has no group for get code 0; like the columns that pad the matrix they meet activations of 0. */
TERN_SLICE_INLINE void unpack_panel(int five, const tern_ternary_matrix *w, const uint8_t *codes, int64_t first,
                                    panel_slice *out) {
    const int64_t of_group = five ? 5 : 4; /* quads */
    const int64_t quads = slice_columns(w, first) / 4;
    const int64_t groups = (w->cols + 4 * of_group - 1) / (4 * of_group) - first / 4 / of_group; /* from `first` on */
    const uint8_t *group = codes + first / 4 / of_group * 4 * TERN_PANEL_ROWS;
    const int64_t whole = quads / of_group < groups ? quads / of_group : groups;
    for (int64_t g = 0; g < whole; g++) {
        for (int half = 0; half < 2; half++) {
            unpack_half(five, group + g * 128 + half * 64, of_group, out->codes[half][of_group * g]);
        }
    }
    const int64_t left = quads - of_group * whole;
    for (int half = 0; half < 2 && left > 0; half++) {
        uint8_t *to = out->codes[half][of_group * whole];
        memset(to, 0, (size_t)(64 * left));
        if (whole < groups) {
            unpack_half(five, group + whole * 128 + half * 64, left, to);
        }
    }
}

TERN_SLICE_INLINE void unpack_slice(const tern_ternary_matrix *w, int64_t panel, int64_t first, panel_slice *out) {
    const uint8_t *codes = w->codes + panel * w->stride;
    if (w->layout == TERN_PANELS_5TRIT) {
        unpack_panel(1, w, codes, first, out);
    } else {
        unpack_panel(0, w, codes, first, out);
    }
}

/* Which rows of a panel are wanted, and whether this is the first slice of their columns, the last. */
typedef struct slice_step {
    int64_t begin;
    int64_t end;
    int first;
    int last;
} slice_step;

/* One token's sums over a slice are added to those of the slices before, which wait in y; with the last slice come the
 * results. y points at the panel's row 0. */
TERN_SLICE_INLINE void finish_token(slice_step step, const int32_t *dots, int32_t sum, float scale, float *y) {
    for (int64_t r = step.begin; r < step.end; r++) {
        uint32_t dot = (uint32_t)dots[r];
        if (!step.first) {
            uint32_t before;
            memcpy(&before, y + r, sizeof before);
            dot += before;
        }
        if (step.last) {
            y[r] = (float)(int32_t)(dot - (uint32_t)sum) * scale;
        } else {
            memcpy(y + r, &dot, sizeof dot);
        }
    }
}

/* Most tokens that are multiplied at once. */
enum { SLICE_TOKENS = 32 };

/* Sums of codes and activations, by token and row. */
typedef struct slice_dots {
    _Alignas(64) int32_t of[SLICE_TOKENS][TERN_PANEL_ROWS];
} slice_dots;

/* What a tier does: the first `quads` (a multiple of 16) of a slice with `tokens` of activations, the first of which is
 * at `a`. `state` is the tier's own. */
typedef void slice_product(const panel_slice *slice, int64_t quads, const int8_t *a, int64_t a_stride, int64_t tokens,
                           slice_dots *dots, void *state);

/* Rows of one panel, one slice, tokens [begin, end), `together` at a time. */
TERN_SLICE_INLINE void multiply_slice(const tern_ternary_matrix *w, const panel_slice *slice, int64_t column,
                                      const tern_activations *a, int64_t begin, int64_t end, int64_t together,
                                      slice_step step, float *y, int64_t y_stride, slice_product *product,
                                      void *state) {
    slice_dots dots;
    for (int64_t t = begin; t < end; t += together) {
        const int64_t count = end - t < together ? end - t : together;
        product(slice, slice_columns(w, column) / 4, a->values + t * a->stride + column, a->stride, count, &dots,
                state);
        for (int64_t i = 0; i < count; i++) {
            finish_token(step, dots.of[i], a->sums[t + i], w->scale / a->scales[t + i], y + (t + i) * y_stride);
        }
    }
}

/* ternary_matmul for a matrix in panels. Activations of 512 tokens and a slice's columns (1.3 MB) stay in L2 while the
 * panels pass by. */
TERN_SLICE_INLINE void multiply_in_slices(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                                          int64_t row_begin, int64_t row_end, float *y, int64_t y_stride,
                                          int64_t together, slice_product *product, void *state) {
    const int64_t block = 512 / together * together;
    panel_slice slice;
    for (int64_t begin = 0; begin < tokens; begin += block) {
        const int64_t end = tokens - begin < block ? tokens : begin + block;
        for (int64_t column = 0; column < w->cols; column += SLICE_COLUMNS) {
            for (int64_t row = row_begin / TERN_PANEL_ROWS * TERN_PANEL_ROWS; row < row_end; row += TERN_PANEL_ROWS) {
                const slice_step step = {.begin = row < row_begin ? row_begin - row : 0,
                                         .end = row_end - row < TERN_PANEL_ROWS ? row_end - row : TERN_PANEL_ROWS,
                                         .first = column == 0,
                                         .last = column + SLICE_COLUMNS >= w->cols};
                unpack_slice(w, row / TERN_PANEL_ROWS, column, &slice);
                multiply_slice(w, &slice, column, a, begin, end, together, step, y + row, y_stride, product, state);
            }
        }
    }
}

#endif /* TERN_PANEL_SLICES_H */
