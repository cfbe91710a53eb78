/*
 * floats.h: widening, narrowing, the 32-lane sum and exp, as tern_kernels.h defines them. These functions are the
 * definition that the other tiers are tested against.
 */
#ifndef TERN_SCALAR_FLOATS_H
#define TERN_SCALAR_FLOATS_H

#include "float_blocks.h"
#include "tern_kernels.h"

#include <math.h>
#include <string.h>

static inline float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* IEEE binary16 to binary32, exact. */
static inline float float_of_f16(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t exponent = half >> 10 & 31;
    const uint32_t mantissa = half & 0x3ff;
    if (exponent == 0) { /* zero or subnormal: mantissa * 2^-24 */
        return float_of_bits(sign | bits_of_float((float)mantissa * 0x1p-24f));
    }
    if (exponent == 31) { /* infinity or NaN */
        return float_of_bits(sign | 0x7f800000 | mantissa << 13);
    }
    return float_of_bits(sign | (exponent + 127 - 15) << 23 | mantissa << 13);
}

/* binary32 to binary16, ties to even, overflow to infinity. */
static inline uint16_t f16_of_float(float value) {
    const uint32_t bits = bits_of_float(value);
    const uint32_t sign = bits >> 16 & 0x8000;
    const uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) {
        return (uint16_t)(sign | 0x7e00); /* NaN */
    }
    if (magnitude >= 0x477ff000) { /* 65520 = 65504 + half a step, and beyond */
        return (uint16_t)(sign | 0x7c00);
    }
    if (magnitude < 0x38800000) { /* below 2^-14: a multiple of 2^-24; 1024 of them are the smallest normal number */
        return (uint16_t)(sign | (uint32_t)rintf(float_of_bits(magnitude) * 0x1p24f));
    }
    const uint32_t rebiased = magnitude - ((uint32_t)(127 - 15) << 23);
    const uint32_t odd = rebiased >> 13 & 1;
    return (uint16_t)(sign | (rebiased + 0xfff + odd) >> 13); /* a carry into the exponent is what rounding up means */
}

static inline float f16_at(const uint8_t *at) {
    return float_of_f16((uint16_t)(at[0] | at[1] << 8));
}

/* d * q has 11 + 7 significant bits. */
static inline float q8_0_at(const void *values, int64_t index) {
    const uint8_t *block = q8_0_block(values, index);
    return f16_at(block) * (float)(int8_t)block[Q8_0_VALUES + index % Q8_0_COLUMNS];
}

/* d * scale * (code - 32) has 11 + 7 + 5 significant bits. */
static inline float q6_k_at(const void *values, int64_t index) {
    const uint8_t *block = q6_k_block(values, index);
    const int64_t i = index % Q6_K_COLUMNS;
    const int64_t half = i / 128;
    const int64_t part = i % 128 / 32;
    const int64_t l = i % 32;
    const int low = block[64 * half + 32 * (part % 2) + l] >> 4 * (part / 2) & 15;
    const int high = block[Q6_K_HIGH + 32 * half + l] >> 2 * part & 3;
    const float step = f16_at(block + Q6_K_D) * (float)(int8_t)block[Q6_K_SCALES + i / 16];
    return step * (float)((high << 4 | low) - 32);
}

/* Element `index` of an array of a tern_float_type, widened. */
static inline float float_at(const void *values, int32_t type, int64_t index) {
    if (type == TERN_Q8_0) {
        return q8_0_at(values, index);
    }
    if (type == TERN_Q6_K) {
        return q6_k_at(values, index);
    }
    if (type == TERN_F16) {
        return float_of_f16(((const uint16_t *)values)[index]);
    }
    if (type == TERN_BF16) {
        return float_of_bits((uint32_t)((const uint16_t *)values)[index] << 16);
    }
    return ((const float *)values)[index];
}

/* A float sum in 32 lanes. */
typedef struct lanes {
    float lane[32];
} lanes;

static inline void lanes_clear(lanes *sum) {
    for (int j = 0; j < 32; j++) {
        sum->lane[j] = 0;
    }
}

/* Element i of a sum of products. */
static inline void lanes_add_product(lanes *sum, int64_t i, float a, float b) {
    sum->lane[i & 31] = fmaf(a, b, sum->lane[i & 31]);
}

/* Element i of a plain sum. */
static inline void lanes_add(lanes *sum, int64_t i, float a) {
    sum->lane[i & 31] += a;
}

/* The zeros after element n - 1. They matter: a product that underflowed may have left a -0, and -0 + 0 is +0. */
static inline void lanes_fill(lanes *sum, int64_t n) {
    for (int64_t i = n; (i & 31) != 0; i++) {
        sum->lane[i & 31] += 0.0f;
    }
}

static inline float lanes_fold(lanes *sum) {
    for (int half = 16; half > 0; half /= 2) {
        for (int j = 0; j < half; j++) {
            sum->lane[j] += sum->lane[j + half];
        }
    }
    return sum->lane[0];
}

/* exp of tern_kernels.h. The product n * ln 2 is subtracted in two parts, the first of which has 9 significant bits, so
 * that n * 0.693359375 is exact; |r| <= ln 2 / 2 follows. n lies in [-126, 127]: 2^n is always a normal number. */
static inline float exp_of(float x) {
    if (!(x > -87.0f)) {
        return 0;
    }
    x = x < 88.0f ? x : 88.0f;
    const float n = rintf(x * 1.44269504f);
    float r = fmaf(n, -0.693359375f, x);
    r = fmaf(n, 2.12194440e-4f, r);
    float p = 1.9875691500e-4f;
    p = fmaf(p, r, 1.3981999507e-3f);
    p = fmaf(p, r, 8.3334519073e-3f);
    p = fmaf(p, r, 4.1665795894e-2f);
    p = fmaf(p, r, 1.6666665459e-1f);
    p = fmaf(p, r, 5.0000001201e-1f);
    p = fmaf(p, r * r, r) + 1.0f;
    return p * float_of_bits((uint32_t)((int32_t)n + 127) << 23);
}

#endif /* TERN_SCALAR_FLOATS_H */
