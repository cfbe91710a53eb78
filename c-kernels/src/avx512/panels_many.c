/*
 * panels_many.c, AVX-512: a panel times a batch of tokens, which is what a prompt spends its time on.
 *
 * The panel is unpacked once for all tokens, a byte a code, into a buffer that stays in L2; then tiles of 32 rows and
 * up to 12 tokens keep their 24 sums in registers over all columns: for four columns two loads of codes, 12 broadcasts
 * of activations and 24 dot products. Columns go by in slices, whose sums are kept between them, so that a call needs
 * 61 KiB of the stack, of which Java promises 80. Rows as they lie in a file become a panel slice by slice.
 */
#include "panels.h"
#include "tiers.h"

enum {
    TILE_TOKENS = 12,
    SLICE_QUADS = 240,     /* of four columns: 30 KiB of codes */
    SLICE_OF_ROWS = 56,    /* groups of two bits: whole groups of TERN_ROWS, 7 KiB */
    ROWS_GROUP = 128 / 16, /* of them in one of TERN_ROWS */
    BATCH_TOKENS = 192,    /* a multiple of TILE_TOKENS: 24 KiB of sums */
};

/* `groups` groups as [quad][32 rows][4] codes. Those of five trits stay 64 times too large, as they come. */
TERN_INLINE void unpack(const uint8_t *at, int32_t layout, int64_t groups, uint8_t *codes) {
    if (layout != TERN_PANELS_5TRIT) {
        const __m512i mask = _mm512_set1_epi8(3);
        for (int64_t g = 0; g < groups; g++, at += GROUP_BYTES, codes += 4 * GROUP_BYTES) {
            for (int h = 0; h < 2; h++) {
                const __m512i v = load_half(at + HALF * h);
                _mm512_store_si512(codes + HALF * h, _mm512_and_si512(v, mask));
                _mm512_store_si512(codes + HALF * h + 128, _mm512_and_si512(_mm512_srli_epi16(v, 2), mask));
                _mm512_store_si512(codes + HALF * h + 256, _mm512_and_si512(_mm512_srli_epi16(v, 4), mask));
                _mm512_store_si512(codes + HALF * h + 384, _mm512_and_si512(_mm512_srli_epi16(v, 6), mask));
            }
        }
        return;
    }
    for (int64_t g = 0; g < groups; g++, at += GROUP_BYTES, codes += 5 * GROUP_BYTES) {
        for (int h = 0; h < 2; h++) {
            __m512i v = load_half(at + HALF * h);
            for (int k = 0; k < 5; k++) {
                _mm512_store_si512(codes + HALF * h + 128 * k, top_digit_times_64(v));
                v = times_3(v);
            }
        }
    }
}

/* How the sums of a tile begin and end: with zeros or what earlier slices left, for later slices or as y. */
typedef struct pass {
    int32_t *kept; /* [tokens][32] */
    bool first;
    bool last;
    int shift; /* the codes are 2^shift times too large */
    const tern_ternary_matrix *w;
    int64_t row; /* the panel's first */
    __mmask16 rows[2];
} pass;

/* `tokens` tokens from `token` on over `quads` quads of columns, from `column` on. */
TERN_INLINE void tile(int tokens, const pass *p, const uint8_t *codes, int64_t quads, const tern_activations *a,
                      int64_t token, int64_t column, float *y, int64_t y_stride, int32_t *kept) {
    __m512i sums[TILE_TOKENS][2];
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
        sums[t][0] = p->first ? _mm512_setzero_si512() : _mm512_load_si512(kept + 32 * t);
        sums[t][1] = p->first ? _mm512_setzero_si512() : _mm512_load_si512(kept + 32 * t + 16);
    }
    const int8_t *values = a->values + token * a->stride + column;
    for (int64_t q = 0; q < quads; q++, codes += GROUP_BYTES, values += 4) {
        const __m512i low = _mm512_load_si512(codes);
        const __m512i high = _mm512_load_si512(codes + HALF);
        TERN_UNROLL
        for (int t = 0; t < tokens; t++) {
            const __m512i four = four_of_all(values + t * a->stride);
            sums[t][0] = _mm512_dpbusd_epi32(sums[t][0], low, four);
            sums[t][1] = _mm512_dpbusd_epi32(sums[t][1], high, four);
        }
    }
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
        for (int h = 0; h < 2; h++) {
            if (p->last) {
                store_dots(p->w, a, token + t, p->row + 16 * h, p->rows[h], sums[t][h], p->shift,
                           y + (token + t) * y_stride);
            } else {
                _mm512_store_si512(kept + 32 * t + 16 * h, sums[t][h]);
            }
        }
    }
}

/* All tokens of a batch: in tiles of 12 and a last one of the rest. */
static void batch_of_pass(const pass *p, const uint8_t *codes, int64_t quads, const tern_activations *a, int64_t token,
                          int64_t tokens, int64_t column, float *y, int64_t y_stride) {
    int64_t t = 0;
    for (; t + TILE_TOKENS <= tokens; t += TILE_TOKENS) {
        tile(TILE_TOKENS, p, codes, quads, a, token + t, column, y, y_stride, p->kept + 32 * t);
    }
#define TERN_REST(n)                                                                                                   \
    case n: tile(n, p, codes, quads, a, token + t, column, y, y_stride, p->kept + 32 * t); break;
    switch (tokens - t) {
        TERN_REST(1)
        TERN_REST(2)
        TERN_REST(3)
        TERN_REST(4)
        TERN_REST(5)
        TERN_REST(6)
        TERN_REST(7)
        TERN_REST(8)
        TERN_REST(9)
        TERN_REST(10)
        TERN_REST(11)
    default: break;
    }
#undef TERN_REST
}

/* Groups [begin, end) of the 32 rows from `row` on; of TERN_ROWS those before row_end. */
static void unpack_slice(const tern_ternary_matrix *w, int64_t row, int64_t row_end, int64_t begin, int64_t end,
                         uint8_t *codes) {
    if (w->layout != TERN_ROWS) {
        unpack(w->codes + row / TERN_PANEL_ROWS * w->stride + begin * GROUP_BYTES, w->layout, end - begin, codes);
        return;
    }
    _Alignas(64) uint8_t packed[SLICE_OF_ROWS * GROUP_BYTES];
    const int64_t rows = row_end - row < TERN_PANEL_ROWS ? row_end - row : TERN_PANEL_ROWS;
    const int64_t cols = 16 * end < w->cols ? 16 * (end - begin) : w->cols - 16 * begin;
    const tern_ternary_matrix panel = {packed, rows, cols, (end - begin) * GROUP_BYTES, 1, TERN_PANELS_2BIT};
    tern_avx2_ternary_pack(w->codes + row * w->stride + begin / ROWS_GROUP * 32, w->stride, 0, rows, &panel);
    unpack(packed, TERN_PANELS_2BIT, end - begin, codes);
}

void tern_avx512_panel_times_many(const tern_ternary_matrix *w, int64_t row, const tern_activations *a, int64_t tokens,
                                  int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    _Alignas(64) uint8_t codes[SLICE_QUADS * GROUP_BYTES];
    _Alignas(64) int32_t kept[BATCH_TOKENS * TERN_PANEL_ROWS];
    const int64_t per_group = group_columns(w->layout) / 4;
    const int64_t groups = (w->cols + 4 * per_group - 1) / (4 * per_group);
    const int64_t unit = w->layout == TERN_ROWS ? ROWS_GROUP : 1; /* groups in whose multiples slices begin */
    const int64_t most = w->layout == TERN_ROWS ? SLICE_OF_ROWS : SLICE_QUADS / per_group;
    const int64_t slices = (groups + most - 1) / most;
    const int64_t units = (groups + unit - 1) / unit;
    for (int64_t t = 0; t < tokens; t += BATCH_TOKENS) {
        const int64_t batch = tokens - t < BATCH_TOKENS ? tokens - t : BATCH_TOKENS;
        for (int64_t s = 0; s < slices; s++) {
            const int64_t begin = units * s / slices * unit;
            const int64_t last = units * (s + 1) / slices * unit;
            const int64_t end = last < groups ? last : groups;
            const int64_t with_activations = quads_of(w->cols) - per_group * begin;
            const int64_t quads =
                per_group * (end - begin) < with_activations ? per_group * (end - begin) : with_activations;
            if (t == 0 || slices > 1) {
                unpack_slice(w, row, row_end, begin, end, codes);
            }
            const pass p = {kept,
                            s == 0,
                            s == slices - 1,
                            w->layout == TERN_PANELS_5TRIT ? 6 : 0,
                            w,
                            row,
                            {rows_within(row, row_begin, row_end), rows_within(row + 16, row_begin, row_end)}};
            batch_of_pass(&p, codes, quads, a, t, batch, 4 * per_group * begin, y, y_stride);
        }
    }
}
