/*
 * panels.c, AMX: panels times many tokens.
 *
 * The unpacked codes of 16 rows and 64 columns are a tile as they lie (panel_slices.h), and so are the activations of
 * 16 tokens and 64 columns: the first is the unsigned operand of TDPBSUD, the second the signed one. A step multiplies
 * two tiles of each, 32 tokens with a panel's 32 rows, and keeps the sums in the other four: four products for four
 * loads.
 *
 * Activations are zero up to a multiple of 128 columns, so whole tiles never reach past a token's padding.
 */
#include "panels.h"
#include "panel_slices.h"
#include "tiles.h"

enum {
    TILE_ROWS = 16,
    TILE_BYTES = 64,
    STEP_TOKENS = 2 * TILE_ROWS,
    BLOCK_TOKENS = 512 /* whose activations of a slice (1.3 MB) stay in L2 while the panels pass by */
};

/* Sums of 32 tokens and 32 rows. */
typedef struct step_sums {
    _Alignas(64) int32_t of[STEP_TOKENS][TERN_PANEL_ROWS];
} step_sums;

/* Tiles 0 to 3: the sums of tokens 0 to 15 with rows 0 to 15 and 16 to 31, then of tokens 16 to 31. 4 and 5:
 * activations. 6 and 7: codes. The last tokens of a batch are fewer, and their tiles have as many rows; no tile may
 * have none. */
static void configure(int64_t tokens) {
    const uint8_t low = (uint8_t)(tokens < TILE_ROWS ? tokens : TILE_ROWS);
    const uint8_t high = (uint8_t)(tokens <= TILE_ROWS ? TILE_ROWS : tokens - TILE_ROWS);
    tile_config config = {.palette = 1, .rows = {low, low, high, high, low, high, TILE_ROWS, TILE_ROWS}};
    for (int i = 0; i < 8; i++) {
        config.row_bytes[i] = TILE_BYTES;
    }
    TILE_CONFIGURE(&config);
}

/* `a` is the first token's column at which the slice begins. */
TERN_SLICE_INLINE void multiply(const panel_slice *slice, int64_t quads, const int8_t *a, int64_t a_stride, int both,
                                step_sums *sums) {
    TILE_ZERO(0);
    TILE_ZERO(1);
    TILE_ZERO(2);
    TILE_ZERO(3);
    for (int64_t q = 0; q < quads; q += TILE_ROWS) {
        TILE_LOAD(6, slice->codes[0][q], TILE_BYTES);
        TILE_LOAD(4, a + 4 * q, a_stride);
        TILE_DOT(0, 4, 6);
        TILE_LOAD(7, slice->codes[1][q], TILE_BYTES);
        TILE_DOT(1, 4, 7);
        if (both) {
            TILE_LOAD(5, a + TILE_ROWS * a_stride + 4 * q, a_stride);
            TILE_DOT(2, 5, 6);
            TILE_DOT(3, 5, 7);
        }
    }
    const int64_t stride = TERN_PANEL_ROWS * (int64_t)sizeof(int32_t);
    TILE_STORE(0, &sums->of[0][0], stride);
    TILE_STORE(1, &sums->of[0][TILE_ROWS], stride);
    if (both) {
        TILE_STORE(2, &sums->of[TILE_ROWS][0], stride);
        TILE_STORE(3, &sums->of[TILE_ROWS][TILE_ROWS], stride);
    }
}

/* One slice of one panel for tokens [begin, end), of which the tiles are configured for `configured`. */
static int64_t multiply_slice(const tern_ternary_matrix *w, const panel_slice *slice, int64_t first,
                              const tern_activations *a, int64_t begin, int64_t end, int64_t configured,
                              slice_step step, float *y, int64_t y_stride) {
    const int64_t quads = slice_columns(w, first) / 4;
    step_sums sums;
    for (int64_t t = begin; t < end; t += STEP_TOKENS) {
        const int64_t count = end - t < STEP_TOKENS ? end - t : STEP_TOKENS;
        if (count != configured) {
            configure(count);
            configured = count;
        }
        const int8_t *values = a->values + t * a->stride + first;
        if (count > TILE_ROWS) {
            multiply(slice, quads, values, a->stride, 1, &sums);
        } else {
            multiply(slice, quads, values, a->stride, 0, &sums);
        }
        for (int64_t i = 0; i < count; i++) {
            finish_token(step, sums.of[i], a->sums[t + i], w->scale / a->scales[t + i], y + (t + i) * y_stride);
        }
    }
    return configured;
}

void tern_amx_panels(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                     int64_t row_end, float *y, int64_t y_stride) {
    panel_slice slice;
    int64_t configured = 0;
    for (int64_t begin = 0; begin < tokens; begin += BLOCK_TOKENS) {
        const int64_t end = tokens - begin < BLOCK_TOKENS ? tokens : begin + BLOCK_TOKENS;
        for (int64_t first = 0; first < w->cols; first += SLICE_COLUMNS) {
            for (int64_t row = row_begin / TERN_PANEL_ROWS * TERN_PANEL_ROWS; row < row_end; row += TERN_PANEL_ROWS) {
                const slice_step step = {.begin = row < row_begin ? row_begin - row : 0,
                                         .end = row_end - row < TERN_PANEL_ROWS ? row_end - row : TERN_PANEL_ROWS,
                                         .first = first == 0,
                                         .last = first + SLICE_COLUMNS >= w->cols};
                unpack_slice(w, row / TERN_PANEL_ROWS, first, &slice);
                configured = multiply_slice(w, &slice, first, a, begin, end, configured, step, y + row, y_stride);
            }
        }
    }
    TILE_RELEASE();
}
