/*
 * ternary_decode.c, AVX2: ternary matrices as files store them, into rows of packed codes. The plain loops over bytes,
 * which compilers make vectors of, but for TQ1_0, Q4_0 and Q8_0.
 *
 * TQ1_0. A byte v of trits is kept as x = v - 128, a signed byte, since only signed bytes can be compared. Its digit is
 * 0, 1 or 2 as v is below 86, below 171 or not; the next v is 3 v mod 256, and as 3 * 128 - 128 is 256, the next x is 3
 * x mod 256. A comparison gives -1, so that sums of two are negative digits, and codes are put together negative.
 */
#include "encoded_rows.h"
#include "tiers.h"

#include <immintrin.h>

ROWS_INLINE __m256i negative_trit(__m256i x) {
    const __m256i below_1 = _mm256_set1_epi8(85 - 128);
    const __m256i below_2 = _mm256_set1_epi8(170 - 128);
    return _mm256_add_epi8(_mm256_cmpgt_epi8(x, below_1), _mm256_cmpgt_epi8(x, below_2));
}

ROWS_INLINE __m256i times_3(__m256i x) {
    return _mm256_add_epi8(_mm256_add_epi8(x, x), x);
}

ROWS_INLINE __m256i with_trit(__m256i codes, __m256i trit) {
    const __m256i twice = _mm256_add_epi8(codes, codes);
    return _mm256_add_epi8(_mm256_add_epi8(twice, twice), trit);
}

/* Bytes that are more than 242 once the five trits are gone. */
ROWS_INLINE __m256i no_rest(__m256i x) {
    return _mm256_cmpgt_epi8(x, _mm256_set1_epi8(242 - 128));
}

/*
 * The second group is made of a vector whose lower half has trits 0, 2 and 4 of bytes 32 ... 47, the upper half trits 1
 * and 3 and then those of the last four bytes, each multiplied by 1, 3, 9, 27 for its four trits.
 */
ROWS_INLINE unsigned decode_tq1_0_avx2(const uint8_t *in, uint8_t *out) {
    const __m256i bias = _mm256_set1_epi8(-128);
    const __m256i zero = _mm256_setzero_si256();
    __m256i x = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)in), bias);
    __m256i codes = negative_trit(x);
    for (int k = 1; k < 4; k++) {
        x = times_3(x);
        codes = with_trit(codes, negative_trit(x));
    }
    _mm256_storeu_si256((__m256i *)(void *)out, _mm256_sub_epi8(zero, codes));
    x = times_3(x);
    codes = negative_trit(x);
    __m256i wrong = no_rest(times_3(x));

    int32_t tail;
    memcpy(&tail, in + 48, sizeof tail);
    const __m128i half = _mm_loadu_si128((const __m128i *)(const void *)(in + 32));
    x = _mm256_xor_si256(_mm256_broadcastsi128_si256(half), bias);
    x = _mm256_blend_epi32(x, times_3(x), 0xf0);
    codes = with_trit(codes, negative_trit(x));
    x = times_3(times_3(x));
    codes = with_trit(codes, negative_trit(x));
    x = times_3(times_3(x)); /* below: four trits are gone, above: five */
    const __m256i five = _mm256_blend_epi32(times_3(x), x, 0xf0);
    wrong = _mm256_or_si256(wrong, no_rest(five));

    __m256i last = _mm256_xor_si256(_mm256_set1_epi32(tail), bias);
    last = _mm256_blend_epi32(last, times_3(last), 0xa0);
    last = _mm256_blend_epi32(last, times_3(times_3(last)), 0xc0);
    codes = with_trit(codes, negative_trit(_mm256_blend_epi32(x, last, 0xf0)));
    _mm256_storeu_si256((__m256i *)(void *)(out + 32), _mm256_sub_epi8(zero, codes));

    last = times_3(last); /* in the last 32 bits: the fifth trit, which is 0 */
    const __m256i fifth = _mm256_or_si256(negative_trit(last), no_rest(times_3(last)));
    wrong = _mm256_or_si256(wrong, _mm256_blend_epi32(zero, fifth, 0x80));
    return !_mm256_testz_si256(wrong, wrong);
}

/* |-128| is 128, as an unsigned byte. */
ROWS_INLINE unsigned decode_small_avx2(int32_t encoding, const uint8_t *in, uint8_t k, uint8_t flip, uint8_t *out) {
    const __m256i zero = _mm256_setzero_si256();
    __m256i q;
    if (encoding == TERN_ENCODED_Q8_0) {
        q = _mm256_loadu_si256((const __m256i *)(const void *)(in + Q8_0_VALUES));
    } else {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(in + 2));
        const __m256i halves = _mm256_set_m128i(_mm_srli_epi16(bytes, 4), bytes);
        q = _mm256_sub_epi8(_mm256_and_si256(halves, _mm256_set1_epi8(15)), _mm256_set1_epi8(8));
    }
    const __m256i unset = _mm256_cmpeq_epi8(q, zero);
    const __m256i as_k = _mm256_cmpeq_epi8(_mm256_abs_epi8(q), _mm256_set1_epi8((char)k));
    const __m256i minus = _mm256_xor_si256(_mm256_cmpgt_epi8(zero, q), _mm256_set1_epi8((char)-flip));
    /* T + 1 = 1 + set - 2 (set and minus), of masks that are -1: 2 + unset, and twice the second. */
    const __m256i lost = _mm256_andnot_si256(unset, minus);
    const __m256i code = _mm256_add_epi8(_mm256_add_epi8(_mm256_set1_epi8(2), unset), _mm256_add_epi8(lost, lost));
    __m256i codes = _mm256_loadu_si256((const __m256i *)(const void *)out);
    codes = _mm256_add_epi8(codes, codes);
    codes = _mm256_add_epi8(_mm256_add_epi8(codes, codes), code);
    _mm256_storeu_si256((__m256i *)(void *)out, codes);
    return _mm256_movemask_epi8(_mm256_or_si256(unset, as_k)) != -1;
}

int64_t tern_avx2_ternary_decode(int32_t encoding, const uint8_t *in, int64_t rows, int64_t cols, float scale,
                                 uint8_t *codes, int64_t stride) {
    return decode_rows(encoding, in, rows, cols, scale, codes, stride, decode_tq1_0_avx2, decode_small_avx2);
}
