/*
 * limits.c, AMX: TDPBSUD on whole tiles.
 *
 * Each of a tile's 16 rows of activations is the four values 16 times, each of the 16 rows of codes the 64 codes. A
 * product of the two adds to every sum 16 times what one repetition does, in 16 rows that are added up at the end: 256
 * repetitions. Six tiles of sums hide its latency (52 cycles, one product in 16).
 */
#include "tiers.h"
#include "tiles.h"

#include <string.h>

enum { REPETITIONS = TILE_ROWS * TILE_ROWS, SETS = 6 };

_Static_assert(TERN_PEAK_UNIT % (SETS * REPETITIONS) == 0, "a unit is whole rounds");

void tern_amx_dot_peak(const uint8_t *codes, const int8_t *values, int64_t n, int32_t *sums) {
    uint8_t code_rows[TILE_ROWS][TILE_BYTES];
    int8_t value_rows[TILE_ROWS][TILE_BYTES];
    for (int row = 0; row < TILE_ROWS; row++) {
        memcpy(code_rows[row], codes, TILE_BYTES);
        for (int quad = 0; quad < TILE_BYTES / 4; quad++) {
            memcpy(&value_rows[row][4 * quad], values, 4);
        }
    }
    tile_config config = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        config.rows[i] = TILE_ROWS;
        config.row_bytes[i] = TILE_BYTES;
    }
    TILE_CONFIGURE(&config); /* which makes all tiles zero */
    TILE_LOAD(6, value_rows, TILE_BYTES);
    TILE_LOAD(7, code_rows, TILE_BYTES);
    for (int64_t round = 0; round < n; round += SETS * REPETITIONS) {
        TILE_DOT(0, 6, 7);
        TILE_DOT(1, 6, 7);
        TILE_DOT(2, 6, 7);
        TILE_DOT(3, 6, 7);
        TILE_DOT(4, 6, 7);
        TILE_DOT(5, 6, 7);
    }
    int32_t dots[SETS][TILE_ROWS][16];
    TILE_STORE(0, dots[0], TILE_BYTES);
    TILE_STORE(1, dots[1], TILE_BYTES);
    TILE_STORE(2, dots[2], TILE_BYTES);
    TILE_STORE(3, dots[3], TILE_BYTES);
    TILE_STORE(4, dots[4], TILE_BYTES);
    TILE_STORE(5, dots[5], TILE_BYTES);
    TILE_RELEASE();
    for (int i = 0; i < 16; i++) {
        uint32_t sum = 0;
        for (int set = 0; set < SETS; set++) {
            for (int row = 0; row < TILE_ROWS; row++) {
                sum += (uint32_t)dots[set][row][i];
            }
        }
        sums[i] = (int32_t)sum;
    }
}
