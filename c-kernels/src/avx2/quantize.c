/*
 * quantize.c, AVX2: activations to int8, and the check of packed codes.
 */
#include "lanes.h"
#include "tiers.h"

static float largest_magnitude(const float *x, int64_t n) {
    const __m256 magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
    __m256 m0 = _mm256_set1_ps(1e-5f);
    __m256 m1 = m0;
    int64_t i = 0;
    /* max(a, b) gives b when one of them is a NaN, so with the maximum as b a NaN is passed over. */
    for (; i + 16 <= n; i += 16) {
        m0 = _mm256_max_ps(_mm256_and_ps(_mm256_loadu_ps(x + i), magnitude), m0);
        m1 = _mm256_max_ps(_mm256_and_ps(_mm256_loadu_ps(x + i + 8), magnitude), m1);
    }
    for (; i < n; i += 8) {
        const __m256i mask = first_of_8(n - i < 8 ? n - i : 8);
        m0 = _mm256_max_ps(_mm256_and_ps(_mm256_maskload_ps(x + i, mask), magnitude), m0);
    }
    m0 = _mm256_max_ps(m0, m1);
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(m0), _mm256_extractf128_ps(m0, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    m = _mm_max_ss(m, _mm_movehdup_ps(m));
    return _mm_cvtss_f32(m);
}

/* Four registers of floats to 32 bytes. The conversion to int32 rounds half to even and makes INT_MIN of a NaN; the two
 * packs saturate, so that ends as -128. They work in 128-bit halves: the dwords come out as 0 2 4 6 | 1 3 5 7 (by
 * origin, four floats each) and one permutation puts them in order. */
TERN_INLINE __m256i quantize_32(const lanes32 x, __m256 r) {
    const __m256i q0 = _mm256_cvtps_epi32(_mm256_mul_ps(x.part[0], r));
    const __m256i q1 = _mm256_cvtps_epi32(_mm256_mul_ps(x.part[1], r));
    const __m256i q2 = _mm256_cvtps_epi32(_mm256_mul_ps(x.part[2], r));
    const __m256i q3 = _mm256_cvtps_epi32(_mm256_mul_ps(x.part[3], r));
    const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(q0, q1), _mm256_packs_epi32(q2, q3));
    return _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/* Adds 32 signed bytes: pairs to int16 (at most 256 in magnitude), pairs of those to int32. */
TERN_INLINE __m256i add_bytes(__m256i sum, __m256i bytes) {
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

static int32_t sum_of_dwords(__m256i v) {
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, _MM_SHUFFLE(1, 0, 3, 2)));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, _MM_SHUFFLE(2, 3, 0, 1)));
    return _mm_cvtsi128_si32(s);
}

void tern_avx2_quantize(const float *x, int64_t x_stride, int64_t cols, int64_t token_begin, int64_t token_end,
                        const tern_activations *out) {
    const int64_t padded = (cols + TERN_GROUP - 1) / TERN_GROUP * TERN_GROUP;
    for (int64_t t = token_begin; t < token_end; t++) {
        const float *token = x + t * x_stride;
        int8_t *values = out->values + t * out->stride;
        const float scale = 1.0f / largest_magnitude(token, cols) * 127.0f;
        const __m256 r = _mm256_set1_ps(scale);
        __m256i sum = _mm256_setzero_si256();
        int64_t i = 0;
        for (; i + 32 <= cols; i += 32) {
            const lanes32 group = {{_mm256_loadu_ps(token + i), _mm256_loadu_ps(token + i + 8),
                                    _mm256_loadu_ps(token + i + 16), _mm256_loadu_ps(token + i + 24)}};
            const __m256i a = quantize_32(group, r);
            _mm256_storeu_si256((__m256i *)(values + i), a);
            sum = add_bytes(sum, a);
        }
        if (i < cols) {
            const __m256i a = quantize_32(load_partial_32(token, TERN_F32, i, cols - i), r);
            _mm256_storeu_si256((__m256i *)(values + i), a); /* stays within the padding */
            sum = add_bytes(sum, a);
            i += 32;
        }
        for (; i < padded; i += 32) {
            _mm256_storeu_si256((__m256i *)(values + i), _mm256_setzero_si256());
        }
        out->scales[t] = scale;
        out->sums[t] = sum_of_dwords(sum);
    }
}

int64_t tern_avx2_find_invalid_code(const uint8_t *codes, int64_t n) {
    const __m256i low_bits = _mm256_set1_epi8(0x55);
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(codes + i));
        /* The shift takes a bit across a byte's border into its bit 7, which the mask 0x55 leaves out. */
        const __m256i both = _mm256_and_si256(v, _mm256_srli_epi16(v, 1));
        if (!_mm256_testz_si256(both, low_bits)) {
            break;
        }
    }
    for (; i < n; i++) {
        if (codes[i] & codes[i] >> 1 & 0x55) {
            return i;
        }
    }
    return -1;
}
