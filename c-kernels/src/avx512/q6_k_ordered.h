/*
 * q6_k_ordered.h: a row of Q6_K times tokens whose activations were put into the order in which its codes come.
 *
 * About 20 vector operations for 32 weights:
 *
 *   - A byte's code becomes a float without a conversion: put on the top of the mantissa of 128, it makes 128 + code.
 *     Each of the four bytes of a 32-bit lane gets there by one shift, its neighbours and its own two rubbish bits are
 *     masked off by the same operation that sets the exponent.
 *   - weight = fma(step, 128 + code, -160 step) = step * (code - 32). The step d * scale has 18 significant bits: 160
 *     steps are exact, and so is the sum, of 23 bits.
 *   - So a register holds every fourth column, l = 4 d + k of 32. Instead of the weights the activations are put into
 *     that order, once for all rows; lane l of the sum is element d of register k.
 *   - Codes and steps are taken half a block and a block ahead of the products.
 *
 * Two things differ from the definition, and cannot be seen in what comes through here:
 *   - A weight of zero is +0 here, and may be -0 there. Adding -0 or +0 differs only in a lane that is -0, and a lane
 *     becomes -0 only where a product underflows. The least weight but zero is 2^-24: without activations between 0 and
 *     2^-100 none does. Tokens that have one take the way of AVX2.
 *   - An infinite or NaN d gives a NaN. Rows that have one are computed anew.
 */
#ifndef TERN_AVX512_Q6_K_ORDERED_H
#define TERN_AVX512_Q6_K_ORDERED_H

#include "float_columns.h"

#include <stdbool.h>

/* Columns of the longest row: its activations, in their order, lie in L1 or L2 and on the stack (32 KiB). */
enum { Q6_K_MOST_ORDERED = 8192 };

/* Puts column 32 g + 4 d + k at 32 g + 8 k + d. False when there is an activation that the trick does not allow. */
TERN_INLINE bool order_columns(const float *x, int64_t cols, float *ordered) {
    const __m512i first = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
    const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(2));
    const __m512 least = _mm512_set1_ps(0x1p-100f);
    __mmask16 tiny = 0;
    for (int64_t c = 0; c < cols; c += 32) {
        const __m512 a = _mm512_loadu_ps(x + c);
        const __m512 b = _mm512_loadu_ps(x + c + 16);
        for (int i = 0; i < 2; i++) {
            const __m512 v = i == 0 ? a : b;
            const __mmask16 some = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NEQ_OQ);
            tiny |= _mm512_mask_cmp_ps_mask(some, _mm512_abs_ps(v), least, _CMP_LT_OQ);
        }
        _mm512_store_ps(ordered + c, _mm512_permutex2var_ps(a, first, b));
        _mm512_store_ps(ordered + c + 16, _mm512_permutex2var_ps(a, second, b));
    }
    return tiny == 0;
}

/* The folds by 16, 8, 4, 2 and 1 of lanes in that order: 16 and 8 and 4 are between elements 4, 2 and 1 apart. */
TERN_INLINE float fold_ordered(const __m256 sum[4]) {
    __m128 by_16[4];
    for (int k = 0; k < 4; k++) {
        by_16[k] = _mm_add_ps(_mm256_castps256_ps128(sum[k]), _mm256_extractf128_ps(sum[k], 1));
    }
    _MM_TRANSPOSE4_PS(by_16[0], by_16[1], by_16[2], by_16[3]); /* lanes 4 d ... 4 d + 3 in register d */
    __m128 v = _mm_add_ps(_mm_add_ps(by_16[0], by_16[2]), _mm_add_ps(by_16[1], by_16[3]));
    v = _mm_add_ps(v, _mm_movehl_ps(v, v));
    v = _mm_add_ss(v, _mm_movehdup_ps(v));
    return _mm_cvtss_f32(v);
}

/* Group g of four: its two steps, the first in elements 0 to 3 and the second in 4 to 7. */
TERN_INLINE __m256 steps_of_group(__m256 steps, int g) {
    const __m256i spread = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    return _mm256_permutevar8x32_ps(steps, _mm256_add_epi32(spread, _mm256_set1_epi32(2 * g)));
}

/* Adds the products of 32 columns. */
TERN_INLINE void add_group(__m256i codes, __m256 step, const float *x, __m256 sum[4]) {
    const __m256i six_bits = _mm256_set1_epi32(0x3f << 16);
    const __m256i of_128 = _mm256_castps_si256(_mm256_set1_ps(128.0f));
    enum { AND_OR = 0xea }; /* (first & second) | third */
    const __m256i byte[4] = {_mm256_slli_epi32(codes, 16), _mm256_slli_epi32(codes, 8), codes,
                             _mm256_srli_epi32(codes, 8)};
    const __m256 minus_160_steps = _mm256_mul_ps(step, _mm256_set1_ps(-160.0f));
    for (int k = 0; k < 4; k++) {
        const __m256i code_and_128 = _mm256_ternarylogic_epi32(byte[k], six_bits, of_128, AND_OR);
        const __m256 weight = _mm256_fmadd_ps(_mm256_castsi256_ps(code_and_128), step, minus_160_steps);
        sum[k] = _mm256_fmadd_ps(weight, _mm256_load_ps(x + 8 * k), sum[k]);
    }
}

TERN_INLINE void add_half(const __m256i codes[4], __m256 steps, const float *x, __m256 sum[4]) {
    add_group(codes[0], steps_of_group(steps, 0), x, sum);
    add_group(codes[1], steps_of_group(steps, 1), x + 32, sum);
    add_group(codes[2], steps_of_group(steps, 2), x + 64, sum);
    add_group(codes[3], steps_of_group(steps, 3), x + 96, sum);
}

/* Whether a block's d is no finite number. Of its upper byte alone, so that d itself goes from memory to a vector. */
TERN_INLINE unsigned not_finite(const uint8_t *block) {
    return (block[Q6_K_D + 1] & 0x7c) == 0x7c;
}

/* What a row is begun with, which is taken out of it while the row before is multiplied. */
typedef struct q6_k_begun {
    __m512 steps;
    __m256i codes[4];
} q6_k_begun;

TERN_INLINE q6_k_begun q6_k_begin(const uint8_t *row) {
    q6_k_begun begun;
    begun.steps = q6_k_steps_512(row);
    q6_k_codes(row, 0, begun.codes);
    return begun;
}

/* Which cache the memory goes to that is asked for `ahead` bytes from what is read. */
typedef enum q6_k_ask { ASK_NOTHING, ASK_INTO_L1, ASK_INTO_L2 } q6_k_ask;

/* A row that has been begun times a token; `next` is begun in turn. `bad` becomes other than 0 where a d is no finite
 * number. */
TERN_INLINE float q6_k_row(q6_k_begun *begun, const uint8_t *row, const uint8_t *next, int64_t cols,
                           const float *ordered, q6_k_ask ask, int64_t ahead, unsigned *bad) {
    __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    const uint8_t *block = row;
    for (int64_t c = 0; c < cols; c += Q6_K_COLUMNS) {
        const uint8_t *following = c + Q6_K_COLUMNS < cols ? block + Q6_K_BYTES : next;
        for (int64_t line = 0; ask != ASK_NOTHING && line < Q6_K_BYTES; line += 64) {
            const char *at = (const char *)((uintptr_t)block + (uintptr_t)(ahead + line));
            if (ask == ASK_INTO_L1) {
                _mm_prefetch(at, _MM_HINT_T0);
            } else {
                _mm_prefetch(at, _MM_HINT_T1);
            }
        }
        *bad |= not_finite(block);
        const __m512 following_steps = q6_k_steps_512(following);
        __m256i upper_codes[4];
        q6_k_codes(block, 1, upper_codes);
        add_half(begun->codes, _mm512_castps512_ps256(begun->steps), ordered + c, sum);
        q6_k_codes(following, 0, begun->codes);
        add_half(upper_codes, _mm512_extractf32x8_ps(begun->steps, 1), ordered + c + 128, sum);
        begun->steps = following_steps;
        block = following;
    }
    return fold_ordered(sum);
}

#endif /* TERN_AVX512_Q6_K_ORDERED_H */
