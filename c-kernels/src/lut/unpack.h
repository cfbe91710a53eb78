/*
 * unpack.h: packed rows in the run-time layout of tern_ternary_matrix, where byte p of a group of 128 columns holds the
 * codes T + 1 of columns p, p + 32, p + 64 and p + 96 from its highest bits down.
 *
 * Packed weights of a column lie side by side for 32 rows, run-time codes of a row for 128 columns, so the matrix has
 * to be turned: codes of 32 rows are spread out, a byte each, column by column; four columns then make a byte, and
 * squares of 32 x 32 bytes are transposed.
 */

/* Codes T + 1 of 32 rows for a stretch of columns, a byte each: [column][row]. */
enum { LUT_STRETCH = 384 }; /* columns; a multiple of both 24 and 128 */

typedef struct lut_stretch {
    uint8_t codes[LUT_STRETCH][LUT_ROWS];
} lut_stretch;

#if LUT_AVX2

/* v = 9 w0 + 3 w1 + w2 of a triple, as |v| and a sign: the three codes, 2 bits each, w0's highest. Negating each weight
 * turns a code into 2 - code, and all three at once into 42 - codes. */
LUT_INLINE void lut_spread_three(__m256i index, __m256i negative, uint8_t *codes) {
    const __m128i table = _mm_setr_epi8(21, 22, 24, 25, 26, 32, 33, 34, 36, 37, 38, 40, 41, 42, 21, 21);
    const __m256i two_bits = _mm256_set1_epi8(3);
    const __m256i x = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), index);
    const __m256i v = _mm256_blendv_epi8(x, _mm256_sub_epi8(_mm256_set1_epi8(42), x), negative);
    _mm256_storeu_si256((__m256i *)(void *)codes, _mm256_and_si256(_mm256_srli_epi16(v, 4), two_bits));
    _mm256_storeu_si256((__m256i *)(void *)(codes + LUT_ROWS), _mm256_and_si256(_mm256_srli_epi16(v, 2), two_bits));
    _mm256_storeu_si256((__m256i *)(void *)(codes + 2 * LUT_ROWS), _mm256_and_si256(v, two_bits));
}

/* A sign group: 8 triples of 32 rows, bytes in the order of the indices. */
LUT_BLOCK void lut_spread_threes(const uint8_t *indices, const uint8_t *signs, uint8_t *codes) {
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i word = lut_load(signs);
    LUT_UNROLL
    for (int triple = 0; triple < 8; triple++) {
        const __m256i packed = lut_load(indices + triple / 2 * LUT_ROWS);
        const __m256i index = _mm256_and_si256(triple % 2 ? packed : _mm256_srli_epi16(packed, 4), nibble);
        const __m256i next = _mm256_add_epi16(word, word);
        /* packs interleaves by lanes as the indices are: rows 0..7, 16..23 | 8..15, 24..31 */
        const __m256i negative = _mm256_packs_epi16(_mm256_srai_epi16(word, 15), _mm256_srai_epi16(next, 15));
        lut_spread_three(index, negative, codes + triple * 3 * LUT_ROWS);
        word = _mm256_add_epi16(next, next);
    }
}

LUT_INLINE void lut_spread_two(const uint8_t *indices, bool odd, uint8_t *codes) {
    const __m128i first = _mm_setr_epi8(0, 0, 0, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1);
    const __m128i second = _mm_setr_epi8(0, 1, 2, 0, 1, 2, 0, 1, 2, 1, 1, 1, 1, 1, 1, 1);
    const __m256i packed = lut_load(indices);
    const __m256i index = _mm256_and_si256(odd ? packed : _mm256_srli_epi16(packed, 4), _mm256_set1_epi8(15));
    _mm256_storeu_si256((__m256i *)(void *)codes, _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(first), index));
    _mm256_storeu_si256((__m256i *)(void *)(codes + LUT_ROWS),
                        _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(second), index));
}

/* Four columns a byte. The codes are at most 2, so nothing crosses from byte to byte. */
LUT_INLINE __m256i lut_join_columns(const uint8_t *codes) {
    __m256i v = lut_load(codes);
    for (int quarter = 1; quarter < 4; quarter++) {
        v = _mm256_or_si256(_mm256_slli_epi16(v, 2), lut_load(codes + quarter * 32 * LUT_ROWS));
    }
    return v;
}

/* A group of 128 columns of 32 rows. Byte order within a column is that of the indices (TL2). */
LUT_INLINE void lut_turn_group(const uint8_t *codes, uint8_t *out, int64_t stride) {
    __m256i a[32];
    __m256i b[32];
    for (int p = 0; p < 32; p++) {
        a[p] = lut_join_columns(codes + p * LUT_ROWS);
    }
    /* Interleaving halves five times: after the step of width w, a register holds w bytes of each of its rows. Lanes
     * stay apart until the end: rows 0..7 and 16..23 in the low one, 8..15 and 24..31 in the high one. */
    for (int i = 0; i < 16; i++) {
        b[2 * i] = _mm256_unpacklo_epi8(a[2 * i], a[2 * i + 1]);
        b[2 * i + 1] = _mm256_unpackhi_epi8(a[2 * i], a[2 * i + 1]);
    }
    for (int i = 0; i < 8; i++) {
        for (int h = 0; h < 2; h++) {
            a[4 * i + 2 * h] = _mm256_unpacklo_epi16(b[4 * i + h], b[4 * i + 2 + h]);
            a[4 * i + 2 * h + 1] = _mm256_unpackhi_epi16(b[4 * i + h], b[4 * i + 2 + h]);
        }
    }
    for (int i = 0; i < 4; i++) {
        for (int h = 0; h < 4; h++) {
            b[8 * i + 2 * h] = _mm256_unpacklo_epi32(a[8 * i + h], a[8 * i + 4 + h]);
            b[8 * i + 2 * h + 1] = _mm256_unpackhi_epi32(a[8 * i + h], a[8 * i + 4 + h]);
        }
    }
    for (int i = 0; i < 2; i++) {
        for (int h = 0; h < 8; h++) {
            a[16 * i + 2 * h] = _mm256_unpacklo_epi64(b[16 * i + h], b[16 * i + 8 + h]);
            a[16 * i + 2 * h + 1] = _mm256_unpackhi_epi64(b[16 * i + h], b[16 * i + 8 + h]);
        }
    }
    for (int byte = 0; byte < 16; byte++) { /* columns 0..15 in a[byte], 16..31 in a[16 + byte]; a row in each lane */
        const __m256i low = _mm256_permute2x128_si256(a[byte], a[16 + byte], 0x20);
        const __m256i high = _mm256_permute2x128_si256(a[byte], a[16 + byte], 0x31);
        _mm256_storeu_si256((__m256i *)(void *)(out + (byte < 8 ? byte : byte + 8) * stride), low);
        _mm256_storeu_si256((__m256i *)(void *)(out + (byte < 8 ? byte + 8 : byte + 16) * stride), high);
    }
}

#else

LUT_INLINE void lut_spread_two(const uint8_t *indices, bool odd, uint8_t *codes) {
    for (int r = 0; r < LUT_ROWS; r++) {
        const int index = lut_nibble(indices[lut_tl2_byte(r)], odd);
        codes[r] = index <= 8 ? (uint8_t)(index / 3) : 1;
        codes[LUT_ROWS + r] = index <= 8 ? (uint8_t)(index % 3) : 1;
    }
}

LUT_BLOCK void lut_spread_threes(const uint8_t *indices, const uint8_t *signs, uint8_t *codes) {
    for (int triple = 0; triple < 8; triple++, codes += 3 * LUT_ROWS) {
        for (int r = 0; r < LUT_ROWS; r++) {
            const int magnitude = lut_nibble(indices[triple / 2 * LUT_ROWS + lut_tl2_byte(r)], triple % 2);
            const int word = signs[r % 16 * 2] | signs[r % 16 * 2 + 1] << 8;
            const int v = magnitude > 13 ? 0 : word >> (15 - 2 * triple - r / 16) & 1 ? -magnitude : magnitude;
            codes[r] = (uint8_t)((v + 13) / 9);
            codes[LUT_ROWS + r] = (uint8_t)((v + 13) / 3 % 3);
            codes[2 * LUT_ROWS + r] = (uint8_t)((v + 13) % 3);
        }
    }
}

LUT_INLINE void lut_turn_group(const uint8_t *codes, uint8_t *out, int64_t stride) {
    for (int r = 0; r < LUT_ROWS; r++) {
        for (int p = 0; p < 32; p++) {
            const uint8_t *column = codes + p * LUT_ROWS + r;
            out[r * stride + p] = (uint8_t)(column[0] << 6 | column[32 * LUT_ROWS] << 4 | column[64 * LUT_ROWS] << 2 |
                                            column[96 * LUT_ROWS]);
        }
    }
}

#endif

/* The columns of a stretch become the groups that it begins; those past k are zeros. */
LUT_BLOCK void lut_turn_stretch(lut_stretch *stretch, int64_t first, int64_t k, uint8_t *out, int64_t stride) {
    const int64_t columns = lut_min(k - first, LUT_STRETCH);
    const int64_t groups = (columns + TERN_GROUP - 1) / TERN_GROUP;
    memset(stretch->codes[columns], 1, (size_t)((groups * TERN_GROUP - columns) * LUT_ROWS));
    for (int64_t g = 0; g < groups; g++) {
        lut_turn_group(stretch->codes[g * TERN_GROUP], out + (first + g * TERN_GROUP) / 4, stride);
    }
}

/* 32 rows from `row` on. */
LUT_BLOCK void lut_tl2_unpack_block(const uint8_t *packed, int64_t m, int64_t k, int64_t bm, int64_t bk, int64_t row,
                                    uint8_t *out, int64_t stride) {
    const int64_t three_k = lut_three_k(k, bk);
    const int64_t two_blocks = (k - three_k) / LUT_PAIR_BLOCK;
    const uint8_t *all_signs = packed + m * three_k / 6;
    const uint8_t *twos = packed + 5 * m * three_k / 24;
    lut_stretch stretch;
    for (int64_t first = 0; first < k; first += LUT_STRETCH) {
        const int64_t end = lut_min(k, first + LUT_STRETCH);
        int64_t c = first;
        for (; c < lut_min(end, three_k); c += LUT_SIGN_GROUP) {
            const int64_t block = lut_tl2_block(row, bm, c / bk, three_k / bk);
            const int64_t group = c % bk / LUT_SIGN_GROUP;
            lut_spread_threes(packed + (block * (bk / 6) + group * 4) * LUT_ROWS,
                              all_signs + (block * (bk / LUT_SIGN_GROUP) + group) * LUT_ROWS, stretch.codes[c - first]);
        }
        for (; c < end; c += 2) {
            const int64_t pair = (c - three_k) / 2;
            const int64_t block = lut_tl2_block(row, bm, pair / 16, two_blocks);
            lut_spread_two(twos + block * 256 + pair % 16 / 2 * LUT_ROWS, pair & 1, stretch.codes[c - first]);
        }
        lut_turn_stretch(&stretch, first, k, out, stride);
    }
}

LUT_INLINE void lut_tl2_unpack(const uint8_t *packed, int64_t m, int64_t k, int64_t bm, int64_t bk, int64_t row_begin,
                               int64_t row_end, uint8_t *codes, int64_t stride) {
    for (int64_t row = row_begin; row < row_end; row += LUT_ROWS) {
        lut_tl2_unpack_block(packed, m, k, bm, bk, row, codes + (row - row_begin) * stride, stride);
    }
}

LUT_INLINE void lut_tl1_unpack(const uint8_t *packed, int64_t k, int64_t bm, int64_t bk, int64_t bmm, int64_t row_begin,
                               int64_t row_end, uint8_t *codes, int64_t stride) {
    const int64_t by = 256 / bmm;
    for (int64_t row = row_begin; row < row_end; row++) {
        uint8_t *out = codes + (row - row_begin) * stride;
        memset(out, 0x55, (size_t)((k + TERN_GROUP - 1) / TERN_GROUP * 32));
        for (int64_t c = 0; c < k; c++) {
            const uint8_t *step = packed + lut_tl1_step(row, k, bm, bk, bmm, c / bk, c % bk / by);
            const int64_t cell = row % bmm / 16 * (by / 4) + c % by / 4;
            const int index = lut_nibble(step[cell * 16 + row % 16], c / 2 & 1);
            const int code = index > 8 ? 1 : c % 2 ? index % 3 : index / 3;
            const int shift = 6 - 2 * (int)(c % TERN_GROUP / 32);
            uint8_t *byte = out + c / TERN_GROUP * 32 + c % 32;
            *byte = (uint8_t)((*byte & ~(3 << shift)) | code << shift);
        }
    }
}
