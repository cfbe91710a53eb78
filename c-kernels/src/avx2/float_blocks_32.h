/*
 * float_blocks_32.h: 32 neighbouring elements of a block of Q8_0 or Q6_K, widened: the 32 lanes of a float sum.
 * Products of step and code are exact, so that they are those of the scalar tier whatever their order.
 */
#ifndef TERN_AVX2_FLOAT_BLOCKS_32_H
#define TERN_AVX2_FLOAT_BLOCKS_32_H

#include "float_blocks.h"
#include "lanes.h"

/* The fp16 at any address. */
TERN_INLINE __m128 load_half(const uint8_t *at) {
    uint16_t bits;
    memcpy(&bits, at, sizeof bits);
    return _mm_cvtph_ps(_mm_cvtsi32_si128(bits));
}

/* Eight signed bytes as floats. */
TERN_INLINE __m256 floats_of_bytes(__m128i bytes) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
}

TERN_INLINE lanes32 q8_0_lanes(const uint8_t *block) {
    const __m256 d = _mm256_broadcastss_ps(load_half(block));
    lanes32 weights;
    for (int j = 0; j < 4; j++) {
        const __m128i q = _mm_loadl_epi64((const __m128i *)(block + Q8_0_VALUES + 8 * j));
        weights.part[j] = _mm256_mul_ps(d, floats_of_bytes(q));
    }
    return weights;
}

/* d * scale for each 16 columns of a block. */
TERN_INLINE void q6_k_steps(const uint8_t *block, float steps[16]) {
    const __m256 d = _mm256_broadcastss_ps(load_half(block + Q6_K_D));
    for (int i = 0; i < 16; i += 8) {
        const __m128i scales = _mm_loadl_epi64((const __m128i *)(block + Q6_K_SCALES + i));
        _mm256_storeu_ps(steps + i, _mm256_mul_ps(d, floats_of_bytes(scales)));
    }
}

/* Columns [32 group, 32 group + 32) of a block; `group` is a constant where this is inlined. */
TERN_INLINE lanes32 q6_k_lanes(const uint8_t *block, const float steps[16], int group) {
    const int half = group / 4;
    const int part = group % 4;
    const __m256i four_bits = _mm256_set1_epi8(15);
    const __m256i top_bits = _mm256_set1_epi8(0x30);
    __m256i low = _mm256_loadu_si256((const __m256i *)(block + 64 * half + 32 * (part % 2)));
    __m256i high = _mm256_loadu_si256((const __m256i *)(block + Q6_K_HIGH + 32 * half));
    if (part >= 2) {
        low = _mm256_srli_epi16(low, 4);
    }
    high = part < 2 ? _mm256_slli_epi16(high, 4 - 2 * part) : _mm256_srli_epi16(high, 2 * part - 4);
    const __m256i code = _mm256_or_si256(_mm256_and_si256(low, four_bits), _mm256_and_si256(high, top_bits));
    const __m256i q = _mm256_sub_epi8(code, _mm256_set1_epi8(32));
    const __m128i q0 = _mm256_castsi256_si128(q);
    const __m128i q1 = _mm256_extracti128_si256(q, 1);
    const __m256 step0 = _mm256_broadcast_ss(steps + 2 * group);
    const __m256 step1 = _mm256_broadcast_ss(steps + 2 * group + 1);
    return (lanes32){{_mm256_mul_ps(step0, floats_of_bytes(q0)),
                      _mm256_mul_ps(step0, floats_of_bytes(_mm_unpackhi_epi64(q0, q0))),
                      _mm256_mul_ps(step1, floats_of_bytes(q1)),
                      _mm256_mul_ps(step1, floats_of_bytes(_mm_unpackhi_epi64(q1, q1)))}};
}

TERN_INLINE void store_lanes(float *y, lanes32 weights) {
    for (int j = 0; j < 4; j++) {
        _mm256_storeu_ps(y + 8 * j, weights.part[j]);
    }
}

/* Elements [at, at + count) of a matrix, both multiples of a block, into y. */
TERN_INLINE void widen_blocks(const void *values, int32_t type, int64_t at, int64_t count, float *y) {
    if (type == TERN_Q8_0) {
        const uint8_t *block = q8_0_block(values, at);
        for (int64_t c = 0; c < count; c += Q8_0_COLUMNS, block += Q8_0_BYTES) {
            store_lanes(y + c, q8_0_lanes(block));
        }
        return;
    }
    const uint8_t *block = q6_k_block(values, at);
    for (int64_t c = 0; c < count; c += Q6_K_COLUMNS, block += Q6_K_BYTES) {
        float steps[16];
        q6_k_steps(block, steps);
        store_lanes(y + c, q6_k_lanes(block, steps, 0));
        store_lanes(y + c + 32, q6_k_lanes(block, steps, 1));
        store_lanes(y + c + 64, q6_k_lanes(block, steps, 2));
        store_lanes(y + c + 96, q6_k_lanes(block, steps, 3));
        store_lanes(y + c + 128, q6_k_lanes(block, steps, 4));
        store_lanes(y + c + 160, q6_k_lanes(block, steps, 5));
        store_lanes(y + c + 192, q6_k_lanes(block, steps, 6));
        store_lanes(y + c + 224, q6_k_lanes(block, steps, 7));
    }
}

#endif /* TERN_AVX2_FLOAT_BLOCKS_32_H */
