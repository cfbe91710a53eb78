/*
 * activations.h: tables straight from a token's floats x. r = (1 / max(max |x|, 1e-5)) * 127, two roundings; a = x * r,
 * rounded half to even. So a token of zeros has a scale too. A NaN counts for nothing in the maximum and becomes -128.
 */

#if LUT_AVX2

LUT_INLINE float lut_largest_magnitude(const float *x, int64_t n) {
    const __m256 magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
    __m256 m = _mm256_set1_ps(1e-5f);
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) { /* of a NaN and b, max gives b */
        m = _mm256_max_ps(_mm256_and_ps(_mm256_loadu_ps(x + i), magnitude), m);
    }
    float lanes[8];
    _mm256_storeu_ps(lanes, m);
    float largest = lanes[0];
    for (int lane = 1; lane < 8; lane++) {
        largest = lanes[lane] > largest ? lanes[lane] : largest;
    }
    for (; i < n; i++) {
        largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
    }
    return largest;
}

/* Eight floats to bytes: the conversion rounds half to even and makes INT_MIN of a NaN, the packs saturate. */
LUT_INLINE void lut_quantize_8(const float *x, float r, int8_t *a) {
    const __m256i v = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), _mm256_set1_ps(r)));
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storel_epi64((__m128i *)(void *)a, _mm_packs_epi16(words, words));
}

#else

LUT_INLINE float lut_largest_magnitude(const float *x, int64_t n) {
    float largest = 1e-5f;
    for (int64_t i = 0; i < n; i++) {
        const float magnitude = fabsf(x[i]);
        largest = magnitude > largest ? magnitude : largest; /* false for a NaN */
    }
    return largest;
}

#endif

LUT_INLINE int8_t lut_quantized(float x, float r) {
    const float rounded = rintf(x * r);
    return rounded >= 127.0f ? 127 : rounded > -128.0f ? (int8_t)rounded : -128;
}

LUT_INLINE void lut_quantize(const float *x, int64_t n, float r, int8_t *a) {
    int64_t i = 0;
#if LUT_AVX2
    for (; i + 8 <= n; i += 8) {
        lut_quantize_8(x + i, r, a + i);
    }
#endif
    for (; i < n; i++) {
        a[i] = lut_quantized(x[i], r);
    }
}

LUT_INLINE float lut_activation_scale(const float *x, int64_t n) {
    return 1.0f / lut_largest_magnitude(x, n) * 127.0f;
}

/* Columns that are quantized at a time: whole triples and pairs. */
enum { LUT_PIECE = 384 };

/* Tables of n columns in threes. */
LUT_BLOCK void lut_triples_of(const float *x, int64_t n, float r, uint8_t *tables) {
    int8_t a[LUT_PIECE];
    for (int64_t first = 0; first < n; first += LUT_PIECE) {
        const int64_t columns = lut_min(n - first, LUT_PIECE);
        lut_quantize(x + first, columns, r, a);
        lut_build_triples(a, columns / 3, tables + first / 3 * LUT_TRIPLE_TABLE);
    }
}

/* Tables of n columns in twos. */
LUT_BLOCK void lut_pairs_of(const float *x, int64_t n, float r, uint8_t *tables) {
    int8_t a[LUT_PIECE];
    for (int64_t first = 0; first < n; first += LUT_PIECE) {
        const int64_t columns = lut_min(n - first, LUT_PIECE);
        lut_quantize(x + first, columns, r, a);
        lut_build_pairs(a, columns / 2, tables + first / 2 * LUT_PAIR_TABLE);
    }
}
