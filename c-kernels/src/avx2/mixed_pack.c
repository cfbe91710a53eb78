/*
 * mixed_pack.c, AVX2: rows of packed codes into mixed panels.
 *
 * A window of columns of a panel's 32 rows is unpacked to a byte a code, 16 KiB. Then eight rows at a time: 32 columns
 * from a group's first on, transposed, are seven quads of four columns that matter, a 32-bit lane for each row. Four
 * quads become the two bits, the others the word.
 */
#include "mixed_pack.h"
#include "mixed_panels.h"
#include "transpose.h"

#include <string.h>

#define TERN_INLINE static inline __attribute__((always_inline))

/* SLICE_ROWS: rows that are packed together. WINDOW_CODES: a window's columns, with what comes before it in its first
 * group of TERN_ROWS and after it in its last; the 32 that are read from the last group's first on are among them. */
enum { SLICE_ROWS = 8, WINDOW_CODES = (MIXED_WINDOW_COLUMNS + 2 * TERN_GROUP) / TERN_GROUP * TERN_GROUP };

_Static_assert(TERN_GROUP - 1 + MIXED_WINDOW_COLUMNS - MIXED_COLUMNS + 32 <= WINDOW_CODES, "a window's last read");

/* The codes of a group of TERN_ROWS. A 3 becomes 2. */
TERN_INLINE void codes_of_group(const uint8_t *packed, uint8_t *codes) {
    const __m256i low_bits = _mm256_set1_epi8(0x55);
    const __m256i code = _mm256_set1_epi8(3);
    const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)packed);
    const __m256i v = _mm256_andnot_si256(_mm256_and_si256(_mm256_srli_epi16(x, 1), low_bits), x);
    for (int quarter = 0; quarter < 4; quarter++) {
        _mm256_storeu_si256((__m256i *)(void *)(codes + 32 * quarter),
                            _mm256_and_si256(_mm256_srli_epi16(v, 6 - 2 * quarter), code));
    }
}

/* A row's codes from the group of TERN_ROWS on in which `column` lies; 1 past the end. */
static void codes_of_row(const uint8_t *packed, int64_t column, int64_t cols, uint8_t codes[WINDOW_CODES]) {
    const int64_t first = column / TERN_GROUP;
    const int64_t groups = (cols + TERN_GROUP - 1) / TERN_GROUP - first;
    const int64_t end = cols - first * TERN_GROUP;
    for (int64_t g = 0; g < groups && g < WINDOW_CODES / TERN_GROUP; g++) {
        codes_of_group(packed + (first + g) * 32, codes + g * TERN_GROUP);
    }
    if (end < WINDOW_CODES) {
        memset(codes + end, 1, (size_t)(WINDOW_CODES - end));
    }
}

/* Of eight rows: the two bits of 16 columns into a group, and what becomes the words of the nine that follow. */
TERN_INLINE __m256i pack_8_rows(const uint8_t (*rows)[WINDOW_CODES], int64_t at, uint8_t *bits) {
    __m256i quad[8];
    for (int r = 0; r < SLICE_ROWS; r++) {
        quad[r] = _mm256_loadu_si256((const __m256i *)(const void *)(rows[r] + at));
    }
    transpose_8(quad);
    const __m256i low = _mm256_or_si256(quad[0], _mm256_slli_epi16(quad[1], 2));
    const __m256i high = _mm256_or_si256(quad[2], _mm256_slli_epi16(quad[3], 2));
    _mm256_storeu_si256((__m256i *)(void *)bits, _mm256_or_si256(low, _mm256_slli_epi16(high, 4)));
    /* Columns 16 ... 24: 1, 3, 9 times 1; 1, 3, 9 times 32; 1, 3, 9 times 1024. */
    const __m256i first = _mm256_maddubs_epi16(quad[4], _mm256_set1_epi32(0x20090301));
    const __m256i second = _mm256_maddubs_epi16(quad[5], _mm256_set1_epi32(0x03010903));
    const __m256i third = _mm256_maddubs_epi16(quad[6], _mm256_set1_epi32(9));
    const __m256i of_first = _mm256_madd_epi16(first, _mm256_set1_epi16(1));
    const __m256i of_second = _mm256_madd_epi16(second, _mm256_set1_epi32(1024 << 16 | 32));
    const __m256i of_third = _mm256_madd_epi16(third, _mm256_set1_epi32(1024));
    return _mm256_add_epi32(of_first, _mm256_add_epi32(of_second, of_third));
}

TERN_INLINE void pack_group(const uint8_t (*rows)[WINDOW_CODES], int64_t at, uint8_t *group) {
    for (int slice = 0; slice < 2; slice++) { /* with the one 16 rows further, whose words lie between its own */
        const int r = SLICE_ROWS * slice;
        const __m256i even = pack_8_rows(rows + r, at, group + 4 * r);
        const __m256i odd = pack_8_rows(rows + r + 16, at, group + 4 * (r + 16));
        _mm256_storeu_si256((__m256i *)(void *)(group + MIXED_WORDS_AT + 4 * r),
                            _mm256_or_si256(even, _mm256_slli_epi32(odd, 16)));
    }
}

void tern_avx2_mixed_pack(const uint8_t *codes, int64_t stride, int64_t row_begin, int64_t row_end,
                          const tern_ternary_matrix *w) {
    uint8_t of_rows[TERN_PANEL_ROWS][WINDOW_CODES];
    const int64_t groups = mixed_groups(w->cols);
    for (int64_t first = row_begin; first < row_end; first += TERN_PANEL_ROWS) {
        for (int64_t group = 0; group < groups; group += MIXED_WINDOW_GROUPS) {
            const int64_t column = group * MIXED_COLUMNS;
            for (int64_t r = 0; r < TERN_PANEL_ROWS; r++) {
                if (first + r < row_end) {
                    codes_of_row(codes + (first + r - row_begin) * stride, column, w->cols, of_rows[r]);
                } else {
                    memset(of_rows[r], 1, WINDOW_CODES);
                }
            }
            uint8_t *at =
                (uint8_t *)(uintptr_t)w->codes + mixed_panel_at(w->rows, w->cols, group, first / TERN_PANEL_ROWS);
            const int64_t count = mixed_window_groups(w->cols, group);
            for (int64_t g = 0; g < count; g++, at += MIXED_BYTES) {
                pack_group((const uint8_t(*)[WINDOW_CODES])of_rows, column % TERN_GROUP + g * MIXED_COLUMNS, at);
            }
        }
    }
}
