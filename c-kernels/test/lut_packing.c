/*
 * lut_packing.c: TL1 and TL2, weight by weight.
 */
#include "lut_packing.h"

#include <stdlib.h>
#include <string.h>

int64_t lut_packed_bytes(const tern_lut_shape *s) {
    const int64_t m = s->rows;
    const int64_t k = s->cols;
    if (s->format == TERN_LUT_TL1) {
        return m * k / 4;
    }
    const int64_t three_k = k / s->bk * s->bk;
    return m * three_k / 6 + m * three_k / 24 + m * (k - three_k) / 4;
}

/* The place of row r among 32 bytes: 8..15 and 16..23 change places. */
static int64_t p_of(int64_t r) {
    return r / 8 == 1 ? r + 8 : r / 8 == 2 ? r - 8 : r;
}

static void put_nibble(uint8_t *byte, int64_t odd, int value) {
    *byte |= (uint8_t)(odd ? value : value << 4);
}

static void pack_tl2_row(const tern_lut_shape *s, const int8_t *t, int64_t row, uint8_t *out) {
    const int64_t m = s->rows;
    const int64_t k = s->cols;
    const int64_t bm = s->bm;
    const int64_t bk = s->bk;
    const int64_t three_k = k / bk * bk;
    const int64_t two_k = k - three_k;
    const int64_t tile = row / bm;
    const int64_t mb = row % bm / 32;
    const int64_t r = row % 32;
    for (int64_t g = 0; g < three_k / 3; g++) {
        const int v = 9 * t[3 * g] + 3 * t[3 * g + 1] + t[3 * g + 2];
        const int64_t kb = g / (bk / 3);
        const int64_t gl = g % (bk / 3);
        const int64_t base = (tile * (three_k / bk) + kb) * (bm / 32) + mb;
        put_nibble(out + base * (bk / 6) * 32 + gl / 2 * 32 + p_of(r), gl % 2, v < 0 ? -v : v);
        if (v < 0) {
            const int64_t word = base * (bk / 24) * 16 + gl / 8 * 16 + r % 16;
            const int64_t bit = 15 - (2 * (gl % 8) + (r >= 16));
            out[m * three_k / 6 + 2 * word + bit / 8] |= (uint8_t)(1 << bit % 8);
        }
    }
    for (int64_t g = 0; g < two_k / 2; g++) {
        const int v = 3 * t[three_k + 2 * g] + t[three_k + 2 * g + 1] + 4;
        const int64_t block = (tile * (two_k / 32) + g / 16) * (bm / 32) + mb;
        put_nibble(out + 5 * m * three_k / 24 + block * 256 + g % 16 / 2 * 32 + p_of(r), g % 2, v);
    }
}

static void pack_tl1_row(const tern_lut_shape *s, const int8_t *t, int64_t row, uint8_t *out) {
    const int64_t bm = s->bm;
    const int64_t bk = s->bk;
    const int64_t bmm = s->bmm;
    const int64_t by = 256 / bmm;
    const int64_t tile = row / bm;
    const int64_t mb = row % bm / bmm;
    const int64_t sb = row % bmm / 16;
    for (int64_t g = 0; g < s->cols / 2; g++) {
        const int64_t kb = g / (bk / 2);
        const int64_t gl = g % (bk / 2);
        const int64_t kq = gl / (by / 2);
        const int64_t qq = gl % (by / 2) / 2;
        const int64_t cell =
            ((((tile * (s->cols / bk) + kb) * (bm / bmm) + mb) * (bk / by) + kq) * (bmm / 16) + sb) * (by / 4) + qq;
        put_nibble(out + cell * 16 + row % 16, gl % 2, 3 * t[2 * g] + t[2 * g + 1] + 4);
    }
}

void lut_pack_row(const tern_lut_shape *shape, const int8_t *t, int64_t row, uint8_t *packed) {
    if (shape->format == TERN_LUT_TL2) {
        pack_tl2_row(shape, t, row, packed);
    } else {
        pack_tl1_row(shape, t, row, packed);
    }
}
