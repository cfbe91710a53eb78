/*
 * avx2.h: TL2 with byte shuffles as look-ups.
 *
 * WHY INT16 IS WIDE ENOUGH. An entry of a triple's table is at most 3 * 128 in magnitude, and a block has at most 240 /
 * 3 = 80 triples: 80 * 384 = 30,720. Of pairs a block of 32 columns has 16: 16 * 256 = 4,096.
 */

/* Tables of n triples, with the entries of portable.h: a, b and c as the signs of constants, added. */
LUT_BLOCK void lut_avx2_triples(const int8_t *a, int64_t n, uint8_t *tables) {
    const __m256i of_a = _mm256_setr_epi16(0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0);
    const __m256i of_b = _mm256_setr_epi16(0, 0, 1, 1, 1, -1, -1, -1, 0, 0, 0, 1, 1, 1, 0, 0);
    const __m256i of_c = _mm256_setr_epi16(0, 1, -1, 0, 1, -1, 0, 1, -1, 0, 1, -1, 0, 1, 0, 0);
    const __m256i bytes_apart = _mm256_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8,
                                                 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
    for (int64_t g = 0; g < n; g++, a += 3, tables += LUT_TRIPLE_TABLE) {
        const __m256i x = _mm256_sign_epi16(_mm256_set1_epi16(a[0]), of_a);
        const __m256i y = _mm256_sign_epi16(_mm256_set1_epi16(a[1]), of_b);
        const __m256i z = _mm256_sign_epi16(_mm256_set1_epi16(a[2]), of_c);
        const __m256i entries = _mm256_shuffle_epi8(_mm256_add_epi16(_mm256_add_epi16(x, y), z), bytes_apart);
        _mm256_storeu_si256((__m256i *)(void *)tables, _mm256_permute4x64_epi64(entries, 0xd8)); /* low halves first */
    }
}

LUT_INLINE __m256i lut_load(const uint8_t *at) {
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

LUT_INLINE __m256i lut_half_table(const uint8_t *at) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)at));
}

/* int16 of 32 rows: rows 0..15 and rows 16..31. */
typedef struct lut_rows {
    __m256i low;
    __m256i high;
} lut_rows;

/* The entries of one table for 32 rows. */
LUT_INLINE lut_rows lut_look_up(const uint8_t *table, int high, __m256i indices) {
    const __m256i low_bytes = _mm256_shuffle_epi8(lut_half_table(table), indices);
    const __m256i high_bytes = _mm256_shuffle_epi8(lut_half_table(table + high), indices);
    const lut_rows rows = {_mm256_unpacklo_epi8(low_bytes, high_bytes), _mm256_unpackhi_epi8(low_bytes, high_bytes)};
    return rows;
}

LUT_INLINE void lut_widen_add(int32_t *sums, __m256i v) {
    __m256i *at = (__m256i *)(void *)sums;
    const __m256i low = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(v));
    const __m256i high = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(v, 1));
    _mm256_storeu_si256(at, _mm256_add_epi32(_mm256_loadu_si256(at), low));
    _mm256_storeu_si256(at + 1, _mm256_add_epi32(_mm256_loadu_si256(at + 1), high));
}

/*
 * SIGNS. psignw negates where its second operand is negative, so the word whose highest bit is the wanted sign will do,
 * unless it is zero, which would clear the sum. A 1 that enters at the bottom with the first of the fifteen shifts
 * keeps every later word from being zero and does not reach the top; the word before the first shift gets a 1 of its
 * own. So a sign costs a shift (an addition to itself) for 16 rows, shared by all tokens, and one psignw.
 *
 * PREFETCH. A group is 128 bytes of indices and 32 of signs for some 94 instructions, so that the out-of-order window
 * holds too few lines to fill the time that memory takes. Asking for the bytes of 4 KiB later (1 KiB of signs) with
 * each group brings one thread from 55 to 78 G weights/s out of memory (Zen 4; 2 KiB is as good, a burst for a whole
 * block is not). Past the end of the matrix it is harmless.
 */
enum { LUT_AHEAD = 4096 };

LUT_INLINE void lut_avx2_threes_of(int tokens, const uint8_t *indices, const uint8_t *signs, const uint8_t *tables,
                                   int64_t stride, int64_t groups, int32_t *sums, int64_t sum_stride) {
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i one = _mm256_set1_epi16(1);
    lut_rows sum[LUT_TOKENS];
    for (int t = 0; t < tokens; t++) {
        sum[t].low = _mm256_setzero_si256();
        sum[t].high = _mm256_setzero_si256();
    }
    for (int64_t g = 0; g < groups; g++, indices += 4 * LUT_ROWS, signs += LUT_ROWS, tables += 8 * LUT_TRIPLE_TABLE) {
        LUT_PREFETCH((uintptr_t)indices + LUT_AHEAD);
        LUT_PREFETCH((uintptr_t)indices + LUT_AHEAD + 64);
        LUT_PREFETCH((uintptr_t)signs + LUT_AHEAD / 4 + 64);
        const __m256i word = lut_load(signs);
        __m256i of_low = _mm256_or_si256(word, one);
        __m256i of_high = _mm256_or_si256(_mm256_add_epi16(word, word), one);
        LUT_UNROLL
        for (int triple = 0; triple < 8; triple++) {
            const __m256i packed = lut_load(indices + triple / 2 * LUT_ROWS);
            const __m256i index = _mm256_and_si256(triple % 2 ? packed : _mm256_srli_epi16(packed, 4), nibble);
            for (int t = 0; t < tokens; t++) {
                const lut_rows x = lut_look_up(tables + t * stride + triple * LUT_TRIPLE_TABLE, LUT_TRIPLE_HIGH, index);
                sum[t].low = _mm256_add_epi16(sum[t].low, _mm256_sign_epi16(x.low, of_low));
                sum[t].high = _mm256_add_epi16(sum[t].high, _mm256_sign_epi16(x.high, of_high));
            }
            of_low = _mm256_add_epi16(of_high, of_high);
            of_high = _mm256_add_epi16(of_low, of_low);
        }
    }
    for (int t = 0; t < tokens; t++) {
        lut_widen_add(sums + t * sum_stride, sum[t].low);
        lut_widen_add(sums + t * sum_stride + 16, sum[t].high);
    }
}

LUT_INLINE void lut_avx2_twos_of(int tokens, const uint8_t *indices, const uint8_t *tables, int64_t stride,
                                 int32_t *sums, int64_t sum_stride) {
    const __m256i nibble = _mm256_set1_epi8(15);
    lut_rows sum[LUT_TOKENS];
    for (int t = 0; t < tokens; t++) {
        sum[t].low = _mm256_setzero_si256();
        sum[t].high = _mm256_setzero_si256();
    }
    for (int pair = 0; pair < LUT_PAIR_BLOCK / 2; pair++) {
        const __m256i packed = lut_load(indices + pair / 2 * LUT_ROWS);
        const __m256i index = _mm256_and_si256(pair % 2 ? packed : _mm256_srli_epi16(packed, 4), nibble);
        for (int t = 0; t < tokens; t++) {
            const lut_rows x = lut_look_up(tables + t * stride + pair * LUT_PAIR_TABLE, LUT_PAIR_HIGH, index);
            sum[t].low = _mm256_add_epi16(sum[t].low, x.low);
            sum[t].high = _mm256_add_epi16(sum[t].high, x.high);
        }
    }
    for (int t = 0; t < tokens; t++) {
        lut_widen_add(sums + t * sum_stride, sum[t].low);
        lut_widen_add(sums + t * sum_stride + 16, sum[t].high);
    }
}

/* The same as lut_portable_threes for 1 or LUT_TOKENS tokens. */
LUT_BLOCK void lut_avx2_threes(const uint8_t *indices, const uint8_t *signs, const uint8_t *tables, int64_t stride,
                               int64_t groups, int64_t tokens, int32_t *sums, int64_t sum_stride) {
    if (tokens == 1) {
        lut_avx2_threes_of(1, indices, signs, tables, stride, groups, sums, sum_stride);
    } else {
        lut_avx2_threes_of(LUT_TOKENS, indices, signs, tables, stride, groups, sums, sum_stride);
    }
}

/* The same as lut_portable_twos for 1 or LUT_TOKENS tokens. */
LUT_BLOCK void lut_avx2_twos(const uint8_t *indices, const uint8_t *tables, int64_t stride, int64_t tokens,
                             int32_t *sums, int64_t sum_stride) {
    if (tokens == 1) {
        lut_avx2_twos_of(1, indices, tables, stride, sums, sum_stride);
    } else {
        lut_avx2_twos_of(LUT_TOKENS, indices, tables, stride, sums, sum_stride);
    }
}
