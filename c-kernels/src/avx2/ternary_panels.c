/*
 * ternary_panels.c, AVX2: rows of packed codes into panels, and back.
 *
 * Eight rows at a time, 640 columns at a time, in two steps with one array between them: `blocks`, in which block b
 * holds the codes of columns 4 b ... 4 b + 3 of the eight rows, a byte each, a 32-bit lane for each row. A group of a
 * panel is four (2 bits) or five (trits) consecutive blocks put together; the 32 bytes of eight rows' groups are eight
 * vectors transposed, and each of those has four blocks in its bits.
 */
#include "mixed_pack.h"
#include "tiers.h"
#include "transpose.h"

#include <immintrin.h>
#include <string.h>

#define TERN_INLINE static inline __attribute__((always_inline))

/* Blocks of a chunk: a whole number of groups of 4, of 5 and of 32 blocks. */
enum { CHUNK_BLOCKS = 160, SLICE_ROWS = 8 };

/* The 32 blocks of a group of 128 columns of eight rows. A code 3 becomes 2. */
TERN_INLINE void blocks_of_group(const uint8_t *const rows[8], int64_t at, __m256i blocks[32]) {
    const __m256i low_bits = _mm256_set1_epi8(0x55);
    const __m256i code = _mm256_set1_epi8(3);
    __m256i v[8];
    for (int r = 0; r < 8; r++) {
        const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(rows[r] + at));
        v[r] = _mm256_andnot_si256(_mm256_and_si256(_mm256_srli_epi16(x, 1), low_bits), x);
    }
    transpose_8(v);
    for (int i = 0; i < 8; i++) {
        blocks[i] = _mm256_and_si256(_mm256_srli_epi16(v[i], 6), code);
        blocks[8 + i] = _mm256_and_si256(_mm256_srli_epi16(v[i], 4), code);
        blocks[16 + i] = _mm256_and_si256(_mm256_srli_epi16(v[i], 2), code);
        blocks[24 + i] = _mm256_and_si256(v[i], code);
    }
}

/* Codes 1 from column `cols` of the chunk on. */
TERN_INLINE void pad_blocks(__m256i blocks[CHUNK_BLOCKS], int64_t cols) {
    const __m256i ones = _mm256_set1_epi8(1);
    if (cols % 4 != 0) {
        const __m256i inside = _mm256_set1_epi32((int)((1u << 8 * (cols % 4)) - 1));
        blocks[cols / 4] = _mm256_blendv_epi8(ones, blocks[cols / 4], inside);
    }
    for (int64_t b = (cols + 3) / 4; b < CHUNK_BLOCKS; b++) {
        blocks[b] = ones;
    }
}

/* Two bits a code, the first block's lowest. */
TERN_INLINE __m256i group_2bit(const __m256i b[4]) {
    const __m256i low = _mm256_or_si256(b[0], _mm256_slli_epi16(b[1], 2));
    const __m256i high = _mm256_or_si256(b[2], _mm256_slli_epi16(b[3], 2));
    return _mm256_or_si256(low, _mm256_slli_epi16(high, 4));
}

/* ceil(256 q / 243) = q + floor((13 q + 242) / 243), the quotient as a product by 2^23 / 243 rounded up: 34522. */
TERN_INLINE __m256i group_5trit(const __m256i b[5]) {
    __m256i q = b[0];
    for (int k = 1; k < 5; k++) {
        q = _mm256_add_epi8(_mm256_add_epi8(q, q), _mm256_add_epi8(q, b[k]));
    }
    const __m256i above = _mm256_set1_epi16(242);
    const __m256i reciprocal = _mm256_set1_epi16((short)34522);
    __m256i even = _mm256_add_epi16(_mm256_maddubs_epi16(q, _mm256_set1_epi16(13)), above);
    __m256i odd = _mm256_add_epi16(_mm256_maddubs_epi16(q, _mm256_set1_epi16(13 << 8)), above);
    even = _mm256_srli_epi16(_mm256_mulhi_epu16(even, reciprocal), 7);
    odd = _mm256_srli_epi16(_mm256_mulhi_epu16(odd, reciprocal), 7);
    return _mm256_add_epi8(q, _mm256_or_si256(even, _mm256_slli_epi16(odd, 8)));
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

void tern_avx2_ternary_pack(const uint8_t *codes, int64_t stride, int64_t row_begin, int64_t row_end,
                            const tern_ternary_matrix *w) {
    if (w->layout == TERN_PANELS_MIXED) {
        tern_avx2_mixed_pack(codes, stride, row_begin, row_end, w);
        return;
    }
    uint8_t no_row[CHUNK_BLOCKS];                                /* codes 1, four a byte */
    const int per_group = w->layout == TERN_PANELS_2BIT ? 4 : 5; /* blocks */
    const int64_t groups = (w->cols + 4 * per_group - 1) / (4 * per_group);
    __m256i blocks[CHUNK_BLOCKS];
    memset(no_row, 0x55, sizeof no_row);
    for (int64_t first = row_begin; first < row_end; first += TERN_PANEL_ROWS) {
        uint8_t *panel = (uint8_t *)(uintptr_t)w->codes + first / TERN_PANEL_ROWS * w->stride;
        for (int64_t col = 0; col < w->cols; col += 4 * CHUNK_BLOCKS) {
            const int64_t cols = smaller(w->cols - col, 4 * CHUNK_BLOCKS);
            const int64_t group_begin = col / (4 * per_group);
            const int64_t count = smaller(groups - group_begin, CHUNK_BLOCKS / per_group);
            for (int64_t slice = 0; slice < TERN_PANEL_ROWS; slice += SLICE_ROWS) {
                const uint8_t *rows[SLICE_ROWS];
                for (int64_t r = 0; r < SLICE_ROWS; r++) {
                    const int64_t row = first + slice + r;
                    rows[r] = row < row_end ? codes + (row - row_begin) * stride + col / 4 : no_row;
                }
                for (int64_t c = 0; c < cols; c += TERN_GROUP) {
                    blocks_of_group(rows, c / 4, blocks + c / 4);
                }
                pad_blocks(blocks, cols);
                uint8_t *out = panel + group_begin * 4 * TERN_PANEL_ROWS + slice * 4;
                for (int64_t g = 0; g < count; g++, out += 4 * TERN_PANEL_ROWS) {
                    const __m256i *from = blocks + g * per_group;
                    _mm256_storeu_si256((__m256i *)(void *)out, per_group == 4 ? group_2bit(from) : group_5trit(from));
                }
            }
        }
    }
}

/* The blocks of a panel's group. */
TERN_INLINE void blocks_of_2bit(__m256i v, __m256i blocks[4]) {
    const __m256i code = _mm256_set1_epi8(3);
    blocks[0] = _mm256_and_si256(v, code);
    blocks[1] = _mm256_and_si256(_mm256_srli_epi16(v, 2), code);
    blocks[2] = _mm256_and_si256(_mm256_srli_epi16(v, 4), code);
    blocks[3] = _mm256_and_si256(_mm256_srli_epi16(v, 6), code);
}

/* 3 v = 256 digit + next v: the digit is 0 below 86, 1 below 171, 2 from there on. */
TERN_INLINE void blocks_of_5trit(__m256i v, __m256i blocks[5]) {
    const __m256i one = _mm256_set1_epi8(86);
    const __m256i two = _mm256_set1_epi8((char)171);
    for (int k = 0; k < 5; k++) {
        const __m256i at_least_1 = _mm256_cmpeq_epi8(_mm256_max_epu8(v, one), v); /* -1 where it is so */
        const __m256i at_least_2 = _mm256_cmpeq_epi8(_mm256_max_epu8(v, two), v);
        blocks[k] = _mm256_sub_epi8(_mm256_setzero_si256(), _mm256_add_epi8(at_least_1, at_least_2));
        v = _mm256_add_epi8(_mm256_add_epi8(v, v), v);
    }
}

/* The 32 bytes that a group of 128 columns has in each of eight rows. */
TERN_INLINE void group_of_blocks(const __m256i blocks[32], __m256i rows[8]) {
    for (int i = 0; i < 8; i++) {
        const __m256i high = _mm256_or_si256(_mm256_slli_epi16(blocks[i], 2), blocks[8 + i]);
        const __m256i low = _mm256_or_si256(_mm256_slli_epi16(blocks[16 + i], 2), blocks[24 + i]);
        rows[i] = _mm256_or_si256(_mm256_slli_epi16(high, 4), low);
    }
    transpose_8(rows);
}

static void unpack_slice(const tern_ternary_matrix *w, const uint8_t *slice, int64_t begin, int64_t end, uint8_t *codes,
                         int64_t stride) {
    const int per_group = w->layout == TERN_PANELS_2BIT ? 4 : 5;
    const int64_t groups = (w->cols + 4 * per_group - 1) / (4 * per_group);
    __m256i blocks[CHUNK_BLOCKS];
    for (int64_t col = 0; col < w->cols; col += 4 * CHUNK_BLOCKS) {
        const int64_t cols = smaller(w->cols - col, 4 * CHUNK_BLOCKS);
        const int64_t group_begin = col / (4 * per_group);
        const int64_t count = smaller(groups - group_begin, CHUNK_BLOCKS / per_group);
        const uint8_t *from = slice + group_begin * 4 * TERN_PANEL_ROWS;
        for (int64_t g = 0; g < count; g++, from += 4 * TERN_PANEL_ROWS) {
            const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)from);
            if (per_group == 4) {
                blocks_of_2bit(v, blocks + 4 * g);
            } else {
                blocks_of_5trit(v, blocks + 5 * g);
            }
        }
        pad_blocks(blocks, cols);
        for (int64_t c = 0; c < cols; c += TERN_GROUP) {
            __m256i rows[SLICE_ROWS];
            group_of_blocks(blocks + c / 4, rows);
            for (int64_t r = begin; r < end; r++) {
                _mm256_storeu_si256((__m256i *)(void *)(codes + (r - begin) * stride + (col + c) / 4), rows[r]);
            }
        }
    }
}

void tern_avx2_ternary_unpack(const tern_ternary_matrix *w, int64_t row_begin, int64_t row_end, uint8_t *codes,
                              int64_t stride) {
    if (w->layout == TERN_ROWS || w->layout == TERN_PANELS_MIXED) {
        tern_scalar_ternary_unpack(w, row_begin, row_end, codes, stride);
        return;
    }
    for (int64_t first = row_begin / SLICE_ROWS * SLICE_ROWS; first < row_end; first += SLICE_ROWS) {
        const int64_t begin = first < row_begin ? row_begin : first;
        const int64_t end = smaller(first + SLICE_ROWS, row_end);
        const uint8_t *slice = w->codes + first / TERN_PANEL_ROWS * w->stride + first % TERN_PANEL_ROWS * 4;
        unpack_slice(w, slice, begin - first, end - first, codes + (begin - row_begin) * stride, stride);
    }
}
