/*
 * tiles.h: the instructions of AMX that Tern uses; with TERN_AMX_EMULATED a program that does exactly what they do, so
 * that the source around them runs on every machine.
 *
 * A tile has up to 16 rows of up to 64 bytes; a configuration says how many of each. Its number is a constant from 0
 * to 7.
 *
 * The instructions are written out because the intrinsics of gcc 12 do not tell the compiler which memory they read: a
 * store into what a tile is loaded from could come after the load.
 */
#ifndef TERN_AMX_TILES_H
#define TERN_AMX_TILES_H

#include <stdint.h>

/* Operand of LDTILECFG. */
typedef struct tile_config {
    uint8_t palette; /* 1: eight tiles of 1 KiB */
    uint8_t start_row;
    uint8_t reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_config;

/* Of a whole tile. */
enum { TILE_ROWS = 16, TILE_BYTES = 64 };

_Static_assert(sizeof(tile_config) == 64, "the operand of LDTILECFG has 64 bytes");

#ifdef TERN_AMX_EMULATED
#include "tiles_emulated.h"
#else

/* All tiles become zero. */
#define TILE_CONFIGURE(config) __asm__ volatile("ldtilecfg %0" ::"m"(*(config)))

/* Back to the initial state, in which a switch of threads saves no tiles. */
#define TILE_RELEASE() __asm__ volatile("tilerelease")

#define TILE_ZERO(tile) __asm__ volatile("tilezero %%tmm" #tile ::)

/* Row i of the tile from address + i * stride. */
#define TILE_LOAD(tile, address, stride)                                                                               \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile ::"r"((const void *)(address)), "r"((int64_t)(stride))         \
                     : "memory")

#define TILE_STORE(tile, address, stride)                                                                              \
    __asm__ volatile("tilestored %%tmm" #tile ", (%0,%1,1)" ::"r"((void *)(address)), "r"((int64_t)(stride))           \
                     : "memory")

/* int32 sums[i][j] += signed a[i][4 k + l] * unsigned b[k][4 j + l], over all k and l, modulo 2^32. */
#define TILE_DOT(sums, a, b) __asm__ volatile("tdpbsud %%tmm" #b ", %%tmm" #a ", %%tmm" #sums ::)

#endif

#endif /* TERN_AMX_TILES_H */
