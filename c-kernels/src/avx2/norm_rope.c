/*
 * norm_rope.c, AVX2: RMSNorm and rotary position embedding.
 */
#include "lanes.h"
#include "tiers.h"

static float sum_of_squares(const float *x, int64_t n) {
    lanes32 sum = lanes_zero();
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
        for (int j = 0; j < 4; j++) {
            const __m256 v = _mm256_loadu_ps(x + i + 8 * j);
            sum.part[j] = _mm256_fmadd_ps(v, v, sum.part[j]);
        }
    }
    if (i < n) {
        const lanes32 tail = load_partial_32(x, TERN_F32, i, n - i);
        for (int j = 0; j < 4; j++) {
            sum.part[j] = _mm256_fmadd_ps(tail.part[j], tail.part[j], sum.part[j]);
        }
    }
    return lanes_fold(sum);
}

void tern_avx2_rms_norm(const float *x, int64_t x_stride, const float *weight, float eps, int64_t cols,
                        int64_t token_begin, int64_t token_end, float *y, int64_t y_stride) {
    for (int64_t t = token_begin; t < token_end; t++) {
        const float *from = x + t * x_stride;
        float *to = y + t * y_stride;
        const float q = sum_of_squares(from, cols) / (float)cols;
        const __m128 root = _mm_sqrt_ss(_mm_set_ss(q + eps)); /* correctly rounded, unlike rsqrtss */
        const __m256 f = _mm256_set1_ps(1.0f / _mm_cvtss_f32(root));
        int64_t i = 0;
        for (; i + 8 <= cols; i += 8) {
            const __m256 v = _mm256_mul_ps(_mm256_loadu_ps(from + i), f);
            _mm256_storeu_ps(to + i, _mm256_mul_ps(v, _mm256_loadu_ps(weight + i)));
        }
        if (i < cols) {
            const __m256i mask = first_of_8(cols - i);
            const __m256 v = _mm256_mul_ps(_mm256_maskload_ps(from + i, mask), f);
            _mm256_maskstore_ps(to + i, mask, _mm256_mul_ps(v, _mm256_maskload_ps(weight + i, mask)));
        }
    }
}

/* Pairs (i, i + pairs): x0 and x1 are two stretches of the head. */
static void rotate_halves(float *head, const float *cosines, const float *sines, int64_t pairs) {
    for (int64_t i = 0; i < pairs; i += 8) {
        const __m256i mask = first_of_8(pairs - i < 8 ? pairs - i : 8);
        const __m256 c = _mm256_maskload_ps(cosines + i, mask);
        const __m256 s = _mm256_maskload_ps(sines + i, mask);
        const __m256 x0 = _mm256_maskload_ps(head + i, mask);
        const __m256 x1 = _mm256_maskload_ps(head + pairs + i, mask);
        /* fmsub(x0, c, z) is fma(x0, c, -z) */
        _mm256_maskstore_ps(head + i, mask, _mm256_fmsub_ps(x0, c, _mm256_mul_ps(x1, s)));
        _mm256_maskstore_ps(head + pairs + i, mask, _mm256_fmadd_ps(x1, c, _mm256_mul_ps(x0, s)));
    }
}

/* Pairs (2i, 2i + 1): four pairs a register. Each cosine and sine is doubled to stand over both of its pair; with x1 x0
 * swapped in, fmaddsub subtracts in the even places, fma(x0, c, -(x1 * s)), and adds in the odd ones. */
static void rotate_neighbours(float *head, const float *cosines, const float *sines, int64_t pairs) {
    const __m256i twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    for (int64_t i = 0; i < pairs; i += 4) {
        const int64_t count = pairs - i < 4 ? pairs - i : 4;
        const __m128i pair_mask = _mm256_castsi256_si128(first_of_8(count));
        const __m256i mask = first_of_8(2 * count);
        const __m256 c =
            _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_maskload_ps(cosines + i, pair_mask)), twice);
        const __m256 s = _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_maskload_ps(sines + i, pair_mask)), twice);
        const __m256 x = _mm256_maskload_ps(head + 2 * i, mask);
        const __m256 swapped = _mm256_permute_ps(x, _MM_SHUFFLE(2, 3, 0, 1));
        _mm256_maskstore_ps(head + 2 * i, mask, _mm256_fmaddsub_ps(x, c, _mm256_mul_ps(swapped, s)));
    }
}

void tern_avx2_rope(float *x, int64_t x_stride, int64_t heads, int64_t head_dim, const tern_rope *rope,
                    int64_t position, int64_t token_begin, int64_t token_end) {
    const int64_t pairs = rope->dims / 2;
    for (int64_t t = token_begin; t < token_end; t++) {
        const float *cosines = rope->cosines + (position + t) * pairs;
        const float *sines = rope->sines + (position + t) * pairs;
        for (int64_t h = 0; h < heads; h++) {
            float *head = x + t * x_stride + h * head_dim;
            if (rope->pairing == TERN_ROPE_NEIGHBOURS) {
                rotate_neighbours(head, cosines, sines, pairs);
            } else {
                rotate_halves(head, cosines, sines, pairs);
            }
        }
    }
}
