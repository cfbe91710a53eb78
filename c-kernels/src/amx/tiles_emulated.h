/*
 * tiles_emulated.h: AMX's tile instructions in C, after Intel's manual (volume 2, operations of LDTILECFG, TILELOADD,
 * TDPBSUD, TILESTORED). What the CPU answers with an exception ends the program.
 */
#ifndef TERN_AMX_TILES_EMULATED_H
#define TERN_AMX_TILES_EMULATED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EMULATED_TILES = 8, EMULATED_ROWS = 16, EMULATED_ROW_BYTES = 64 };

/* Of this thread, as the registers are. */
static _Thread_local struct {
    tile_config config; /* palette 0 in the initial state */
    uint8_t bytes[EMULATED_TILES][EMULATED_ROWS][EMULATED_ROW_BYTES];
} emulated_tiles;

static inline void emulated_require(int condition, const char *rule) {
    if (!condition) {
        fprintf(stderr, "AMX: %s\n", rule);
        abort();
    }
}

static inline void emulated_configure(const tile_config *config) {
    emulated_require(config->palette == 1, "LDTILECFG: palette 1 is the only one with tiles (#GP)");
    emulated_require(config->start_row == 0, "LDTILECFG: a start row that is not 0 (not emulated)");
    for (int i = 0; i < 14; i++) {
        emulated_require(config->reserved[i] == 0, "LDTILECFG: a reserved byte that is not 0 (#GP)");
    }
    for (int i = 0; i < 16; i++) {
        const int rows = config->rows[i];
        const int row_bytes = config->row_bytes[i];
        emulated_require(rows <= EMULATED_ROWS && row_bytes <= EMULATED_ROW_BYTES, "LDTILECFG: a tile too large (#GP)");
        emulated_require((rows == 0) == (row_bytes == 0), "LDTILECFG: rows without bytes, or bytes without rows (#GP)");
        emulated_require(i < EMULATED_TILES || rows == 0, "LDTILECFG: a ninth tile (#GP)");
    }
    emulated_tiles.config = *config;
    memset(emulated_tiles.bytes, 0, sizeof emulated_tiles.bytes);
}

static inline void emulated_release(void) {
    memset(&emulated_tiles, 0, sizeof emulated_tiles);
}

static inline int emulated_rows(int tile) {
    emulated_require(emulated_tiles.config.palette == 1 && emulated_tiles.config.rows[tile] > 0,
                     "a tile is used that is not configured (#UD)");
    return emulated_tiles.config.rows[tile];
}

static inline size_t emulated_row_bytes(int tile) {
    return emulated_tiles.config.row_bytes[tile];
}

static inline void emulated_zero(int tile) {
    emulated_rows(tile);
    memset(emulated_tiles.bytes[tile], 0, sizeof emulated_tiles.bytes[tile]);
}

static inline void emulated_load(int tile, const void *address, int64_t stride) {
    const int rows = emulated_rows(tile);
    memset(emulated_tiles.bytes[tile], 0, sizeof emulated_tiles.bytes[tile]);
    for (int i = 0; i < rows; i++) {
        memcpy(emulated_tiles.bytes[tile][i], (const uint8_t *)address + i * stride, emulated_row_bytes(tile));
    }
}

static inline void emulated_store(int tile, void *address, int64_t stride) {
    const int rows = emulated_rows(tile);
    for (int i = 0; i < rows; i++) {
        memcpy((uint8_t *)address + i * stride, emulated_tiles.bytes[tile][i], emulated_row_bytes(tile));
    }
}

static inline void emulated_dot(int sums, int a, int b) {
    emulated_require(sums != a && sums != b && a != b, "TDPBSUD: a tile is named twice (#UD)");
    const int rows = emulated_rows(sums);
    const int quads = (int)emulated_row_bytes(a) / 4;
    const int columns = (int)emulated_row_bytes(sums) / 4;
    emulated_require(emulated_rows(a) == rows && emulated_rows(b) == quads &&
                         emulated_row_bytes(b) == emulated_row_bytes(sums),
                     "TDPBSUD: shapes that do not fit (#UD)");
    emulated_require(emulated_row_bytes(a) % 4 == 0 && emulated_row_bytes(b) % 4 == 0,
                     "TDPBSUD: rows that are no multiple of 4 bytes (#UD)");
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
            uint32_t sum;
            memcpy(&sum, &emulated_tiles.bytes[sums][i][4 * j], sizeof sum);
            for (int k = 0; k < quads; k++) {
                for (int l = 0; l < 4; l++) {
                    const int left = (int8_t)emulated_tiles.bytes[a][i][4 * k + l];
                    sum += (uint32_t)(left * emulated_tiles.bytes[b][k][4 * j + l]);
                }
            }
            memcpy(&emulated_tiles.bytes[sums][i][4 * j], &sum, sizeof sum);
        }
    }
}

#define TILE_CONFIGURE(config) emulated_configure(config)
#define TILE_RELEASE() emulated_release()
#define TILE_ZERO(tile) emulated_zero(tile)
#define TILE_LOAD(tile, address, stride) emulated_load(tile, address, stride)
#define TILE_STORE(tile, address, stride) emulated_store(tile, address, stride)
#define TILE_DOT(sums, a, b) emulated_dot(sums, a, b)

#endif /* TERN_AMX_TILES_EMULATED_H */
