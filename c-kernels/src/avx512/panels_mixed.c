/*
 * panels_mixed.c, AVX-512: panels whose columns are in two bits and in trits, by dot products and by look-up at once.
 *
 * A dot product keeps half of the vector units of Zen 4 busy: one VPDPBUSD a cycle, 64 products, is all they give. Here
 * the other half multiplies too. Three trits are a number from 0 to 26, and for three columns of a token a table has
 * the 27 sums that they can make, in a register of 16-bit lanes: a VPERMW looks up the sums of 32 rows, 96 products,
 * and an addition adds them up. 16 columns of a group are multiplied and nine looked up, which with the unpacking of
 * the codes fills all units: 650 Gop/s in registers, where dot products alone end at 468.
 *
 * The sums are those of codes (T + 1), as everywhere. An entry of a table is at most 3 * 2 * 128 in magnitude and a
 * window makes 42 look-ups, 32,256: a 16-bit lane holds a window's sum. Dot products of words by 1 and 0 then add even
 * lanes to the 32-bit sums of rows 0 to 15 and odd ones to those of rows 16 to 31. Between windows the sums wait in y,
 * where the result will be: no memory is needed that grows with the tokens.
 *
 * Tables are made where they are used, for a window and up to eight tokens: 21 KiB that stay in L1 while the panels of
 * the window pass by, one long stream. Making one takes as long as one panel needs it, so calls should have some ten.
 */
#include "mixed_panels.h"
#include "panels.h"

enum {
    TILE_TOKENS = 8,
    WINDOW_TABLES = 3 * MIXED_WINDOW_GROUPS,
    WINDOW_ROOM = 384 /* bytes of a token's activations in a window, with what is loaded and not used */
};

/* The codes that index e stands for, as VPDPBUSD takes them: e = code 0 + 3 * code 1 + 9 * code 2. */
#define TERN_ENTRY(e) (e) % 3, (e) / 3 % 3, (e) / 9 % 3, 0
#define TERN_FOUR_ENTRIES(e) TERN_ENTRY(e), TERN_ENTRY((e) + 1), TERN_ENTRY((e) + 2), TERN_ENTRY((e) + 3)

/* Two halves, from which VPACKSSDW makes entries 0 to 31. */
static const _Alignas(64) uint8_t codes_of_entries[2][64] = {
    {TERN_FOUR_ENTRIES(0), TERN_FOUR_ENTRIES(8), TERN_FOUR_ENTRIES(16), TERN_FOUR_ENTRIES(24)},
    {TERN_FOUR_ENTRIES(4), TERN_FOUR_ENTRIES(12), TERN_FOUR_ENTRIES(20), TERN_FOUR_ENTRIES(28)}};

/* What the products of some tokens with a window are made of. */
typedef struct window {
    const int8_t *values;  /* WINDOW_ROOM of each token */
    const __m512i *tables; /* number k of group g of token t at tokens * (3 * g + k) + t */
    int64_t groups;
    bool first;
    bool last;
} window;

/* Who computes what. */
typedef struct tile {
    const tern_ternary_matrix *w;
    const tern_activations *a;
    int64_t token; /* the first */
    int64_t row_begin;
    int64_t row_end;
    float *y;
    int64_t y_stride;
} tile;

/* A token's activations in a window, zeros from its padded end on. */
TERN_INLINE void copy_activations(const int8_t *values, int64_t left, int8_t *copy) {
    for (int64_t i = 0; i < WINDOW_ROOM; i += 64, left -= 64) {
        const __m512i some = left >= 64  ? _mm512_loadu_si512(values + i)
                             : left <= 0 ? _mm512_setzero_si512()
                                         : _mm512_maskz_loadu_epi8(((__mmask64)1 << left) - 1, values + i);
        _mm512_store_si512(copy + i, some);
    }
}

TERN_INLINE void make_tables(int tokens, int64_t groups, const int8_t *values, __m512i *tables) {
    const __m512i first = _mm512_load_si512(codes_of_entries[0]);
    const __m512i second = _mm512_load_si512(codes_of_entries[1]);
    const __m512i zero = _mm512_setzero_si512();
    for (int t = 0; t < tokens; t++) {
        __m512i *out = tables + t;
        const int8_t *at = values + WINDOW_ROOM * t + MIXED_BITS;
        for (int64_t g = 0; g < groups; g++, at += MIXED_COLUMNS) {
            for (int k = 0; k < 3; k++, out += tokens) { /* the fourth activation meets code 0 */
                const __m512i three = four_of_all(at + 3 * k);
                *out = _mm512_packs_epi32(_mm512_dpbusd_epi32(zero, first, three),
                                          _mm512_dpbusd_epi32(zero, second, three));
            }
        }
    }
}

/* The sums of a panel with the tokens of a tile. */
typedef struct panel_sums {
    __m512i of[TILE_TOKENS][2]; /* rows 0 to 15 and 16 to 31 */
    __m512i looked_up[TILE_TOKENS];
} panel_sums;

/* Both as instructions, which stay where they stand: gcc would add look-ups to each other first and copy sums, and run
 * out of registers either way. */
TERN_INLINE __m512i add_products(__m512i sum, __m512i codes, __m512i values) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(codes), "v"(values));
    return sum;
}

TERN_INLINE __m512i add_look_up(__m512i sum, __m512i entry) {
    __asm__("vpaddw %1, %0, %0" : "+v"(sum) : "v"(entry));
    return sum;
}

/* Dot products and look-ups take turns, four to three tokens, so that both find their units free. */
TERN_INLINE void add_group(int tokens, const uint8_t *at, const int8_t *values, const __m512i *tables,
                           panel_sums *sums) {
    const __m512i mask = _mm512_set1_epi8(3);
    __m512i word = load_half(at + MIXED_WORDS_AT);
    int done = 0;
    TERN_UNROLL
    for (int q = 0; q < 4; q++) {
        const __m512i low = _mm512_and_si512(_mm512_srli_epi16(load_half(at), 2 * q), mask);
        const __m512i high = _mm512_and_si512(_mm512_srli_epi16(load_half(at + HALF), 2 * q), mask);
        TERN_UNROLL
        for (int t = 0; t < tokens; t++) {
            const __m512i four = four_of_all(values + WINDOW_ROOM * t + 4 * q);
            sums->of[t][0] = add_products(sums->of[t][0], low, four);
            sums->of[t][1] = add_products(sums->of[t][1], high, four);
            if (3 * (q * tokens + t + 1) / 4 > done) { /* of an index the low five bits count */
                const __m512i entry = _mm512_permutexvar_epi16(word, _mm512_load_si512(tables + done));
                sums->looked_up[done % tokens] = add_look_up(sums->looked_up[done % tokens], entry);
                done++;
                word = done % tokens == 0 ? _mm512_srli_epi16(word, 5) : word;
            }
        }
    }
}

/* Weights come into L2 ahead of time: L1 is full of tables. One or two tokens leave room in it, and wait for memory. */
TERN_INLINE void prefetch_group(int tokens, const uint8_t *at) {
    for (int line = 0; line < MIXED_BYTES; line += 64) {
        const char *ahead = (const char *)((uintptr_t)at + 4096 + (uintptr_t)line);
        if (tokens > 2) {
            _mm_prefetch(ahead, _MM_HINT_T1);
        } else {
            _mm_prefetch(ahead, _MM_HINT_T0);
        }
    }
}

/* A panel's products with a window, added to those before; with the last window come the results. */
TERN_INLINE void panel_in_window(int tokens, const tile *of, int64_t row, const uint8_t *at, const window *x) {
    const __mmask16 rows[2] = {rows_within(row, of->row_begin, of->row_end),
                               rows_within(row + 16, of->row_begin, of->row_end)};
    float *y = of->y + of->token * of->y_stride;
    panel_sums sums;
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
        _mm_prefetch((const char *)(y + t * of->y_stride + row), _MM_HINT_T0);
        _mm_prefetch((const char *)(y + t * of->y_stride + row + 16), _MM_HINT_T0);
        sums.of[t][0] = sums.of[t][1] = sums.looked_up[t] = _mm512_setzero_si512();
    }
    const int8_t *values = x->values;
    const __m512i *tables = x->tables;
    for (int64_t g = 0; g < x->groups; g++, at += MIXED_BYTES, values += MIXED_COLUMNS, tables += 3 * tokens) {
        prefetch_group(tokens, at);
        add_group(tokens, at, values, tables, &sums);
    }
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
        for (int h = 0; h < 2; h++) {
            const int64_t first = row + 16 * h;
            const __m512i even_or_odd = _mm512_set1_epi32(h == 0 ? 1 : 1 << 16);
            __m512i codes = _mm512_dpwssd_epi32(sums.of[t][h], sums.looked_up[t], even_or_odd);
            if (!x->first) {
                codes = _mm512_add_epi32(codes, _mm512_maskz_loadu_epi32(rows[h], y + t * of->y_stride + first));
            }
            if (x->last) {
                store_dots(of->w, of->a, of->token + t, first, rows[h], codes, 0, y + t * of->y_stride);
            } else {
                _mm512_mask_storeu_epi32(y + t * of->y_stride + first, rows[h], codes);
            }
        }
    }
}

/* The panels of the window that begins with group `first`. */
TERN_INLINE void multiply_window(int tokens, const tile *of, int64_t first) {
    _Alignas(64) int8_t values[TILE_TOKENS * WINDOW_ROOM];
    __m512i tables[TILE_TOKENS * WINDOW_TABLES];
    const tern_ternary_matrix *w = of->w;
    const int64_t column = first * MIXED_COLUMNS;
    const int64_t padded = (w->cols + TERN_GROUP - 1) / TERN_GROUP * TERN_GROUP;
    const int64_t groups = mixed_window_groups(w->cols, first);
    const window x = {values, tables, groups, first == 0, column + groups * MIXED_COLUMNS >= w->cols};
    for (int t = 0; t < tokens; t++) {
        copy_activations(of->a->values + (of->token + t) * of->a->stride + column, padded - column,
                         values + t * WINDOW_ROOM);
    }
    make_tables(tokens, groups, values, tables);
    const int64_t begin = of->row_begin / TERN_PANEL_ROWS;
    const uint8_t *at = w->codes + mixed_panel_at(w->rows, w->cols, first, begin);
    for (int64_t row = begin * TERN_PANEL_ROWS; row < of->row_end; row += TERN_PANEL_ROWS) {
        panel_in_window(tokens, of, row, at, &x);
        at += groups * MIXED_BYTES;
    }
}

void tern_avx512_mixed_matmul(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens,
                              int64_t row_begin, int64_t row_end, float *y, int64_t y_stride) {
    const int64_t groups = mixed_groups(w->cols);
    const int64_t tiles = (tokens + TILE_TOKENS - 1) / TILE_TOKENS;
    for (int64_t g = 0; g < groups && row_begin < row_end; g += MIXED_WINDOW_GROUPS) {
        for (int64_t i = 0; i < tiles; i++) { /* nearly equal ones */
            const int64_t token = tokens * i / tiles;
            const tile of = {w, a, token, row_begin, row_end, y, y_stride};
            switch (tokens * (i + 1) / tiles - token) {
            case 1: multiply_window(1, &of, g); break;
            case 2: multiply_window(2, &of, g); break;
            case 3: multiply_window(3, &of, g); break;
            case 4: multiply_window(4, &of, g); break;
            case 5: multiply_window(5, &of, g); break;
            case 6: multiply_window(6, &of, g); break;
            case 7: multiply_window(7, &of, g); break;
            default: multiply_window(8, &of, g); break;
            }
        }
    }
}
