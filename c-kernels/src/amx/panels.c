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

enum { STEP_TOKENS = 2 * TILE_ROWS };

_Static_assert((int)STEP_TOKENS <= (int)SLICE_TOKENS, "there is room for the sums of a step");

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

/* `both`: are there more than 16 tokens? */
TERN_SLICE_INLINE void multiply(const panel_slice *slice, int64_t quads, const int8_t *a, int64_t a_stride, int both,
                                slice_dots *dots) {
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
    const int64_t stride = sizeof dots->of[0];
    TILE_STORE(0, &dots->of[0][0], stride);
    TILE_STORE(1, &dots->of[0][HALF_ROWS], stride);
    if (both) {
        TILE_STORE(2, &dots->of[TILE_ROWS][0], stride);
        TILE_STORE(3, &dots->of[TILE_ROWS][HALF_ROWS], stride);
    }
}

/* A slice_product of up to 32 tokens. *state is for how many tokens (int64_t) the tiles are configured. */
static void multiply_tokens(const panel_slice *slice, int64_t quads, const int8_t *a, int64_t a_stride, int64_t tokens,
                            slice_dots *dots, void *state) {
    int64_t *configured = state;
    if (tokens != *configured) {
        configure(tokens);
        *configured = tokens;
    }
    if (tokens > TILE_ROWS) {
        multiply(slice, quads, a, a_stride, 1, dots);
    } else {
        multiply(slice, quads, a, a_stride, 0, dots);
    }
}

void tern_amx_panels(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                     int64_t row_end, float *y, int64_t y_stride) {
    int64_t configured = 0;
    multiply_in_slices(w, a, tokens, row_begin, row_end, y, y_stride, STEP_TOKENS, multiply_tokens, &configured);
    TILE_RELEASE();
}
