/*
 * encoded_case.c: see encoded_case.h.
 */
#include "encoded_case.h"

#include "check.h"

#include <string.h>

int64_t encoded_columns(int32_t encoding) {
    static const int64_t columns[ENCODINGS] = {256, 256, 256, 32, 32, 1, 1, 1};
    return columns[encoding];
}

int64_t encoded_bytes(int32_t encoding) {
    static const int64_t bytes[ENCODINGS] = {54, 66, 84, 18, 34, 2, 2, 4};
    return bytes[encoding];
}

static void put_half(uint16_t half, uint8_t *out) {
    out[0] = (uint8_t)half;
    out[1] = (uint8_t)(half >> 8);
}

static int is_zero(const int8_t *t, int64_t columns) {
    for (int64_t i = 0; i < columns; i++) {
        if (t[i] != 0) {
            return 0;
        }
    }
    return 1;
}

/* Five digits, the first the highest, as ceil(256 q / 243). */
static uint8_t byte_of_trits(const int8_t *t, int64_t apart, int count) {
    int q = 0;
    for (int k = 0; k < 5; k++) {
        q = 3 * q + (k < count ? t[k * apart] + 1 : 0);
    }
    return (uint8_t)((256 * q + 242) / 243);
}

static void tq1_0(const int8_t *t, uint8_t *out) {
    for (int m = 0; m < 32; m++) {
        out[m] = byte_of_trits(t + m, 32, 5);
    }
    for (int m = 0; m < 16; m++) {
        out[32 + m] = byte_of_trits(t + 160 + m, 16, 5);
    }
    for (int j = 0; j < 4; j++) {
        out[48 + j] = byte_of_trits(t + 240 + j, 4, 4);
    }
}

static void pairs(const int8_t *t, int offset, int step, uint8_t *out) {
    for (int i = 0; i < 64; i++) {
        out[i] = 0;
        for (int k = 0; k < 4; k++) {
            const int q = offset + step * t[i / 32 * 128 + i % 32 + 32 * k];
            out[i] = (uint8_t)(out[i] + (q << 2 * k));
        }
    }
}

/* d f q - d_min m. Tern: q = T + 1, f = m = 1, d = d_min = s. Others: half of d and d_min, f = m = 2; and sixteen
 * columns of zeros as f = m = 0. */
static void q2_k(const int8_t *t, uint16_t d, int foreign, uint8_t *out) {
    const double s = double_of_f16(d);
    const uint16_t half = f16_of_double(s / 2);
    pairs(t, 1, 1, out + 16);
    memset(out, 0x11, 16);
    put_half(d, out + 80);
    put_half(d, out + 82);
    if (!foreign || double_of_f16(half) * 2 != s) {
        return;
    }
    if (random_below(2) == 0) {
        memset(out, 0x22, 16);
        put_half(half, out + 80);
        put_half(half, out + 82);
    }
    for (int j = 0; j < 16; j++) {
        if (is_zero(t + 16 * j, 16)) {
            out[j] = random_below(2) == 0 ? 0 : out[j];
        }
    }
}

/* |q| = k where the scale is d k. */
static void small(int32_t encoding, const int8_t *t, uint16_t d, int foreign, uint8_t *out) {
    const double s = double_of_f16(d);
    int k = foreign ? 1 + (int)random_below(encoding == TERN_ENCODED_Q8_0 ? 127 : 7) : 1;
    uint16_t step = f16_of_double(s / k);
    if (double_of_f16(step) * k != s) {
        k = 1;
        step = d;
    }
    if (foreign && random_below(2) == 0) {
        k = -k;
        step ^= 0x8000;
    }
    int q[32];
    for (int i = 0; i < 32; i++) {
        q[i] = k * t[i];
    }
    if (foreign && is_zero(t, 32)) {
        step = (uint16_t)(random_below(2) == 0 ? 0 : random_below(0x7c00) | random_below(2) << 15);
        for (int i = 0; i < 32; i++) {
            q[i] = (step & 0x7fff) == 0 ? (int)random_below(15) - 7 : 0;
        }
    }
    put_half(step, out);
    for (int i = 0; i < (encoding == TERN_ENCODED_Q8_0 ? 32 : 16); i++) {
        out[2 + i] = (uint8_t)(encoding == TERN_ENCODED_Q8_0 ? q[i] : (q[i] + 8) | (q[16 + i] + 8) << 4);
    }
}

static void plain(int32_t encoding, int t, uint16_t d, int foreign, uint8_t *out) {
    const float s = (float)double_of_f16(d);
    uint32_t bits = 0;
    memcpy(&bits, &s, sizeof bits);
    if (encoding == TERN_ENCODED_F16) {
        bits = (uint32_t)d << 16;
    }
    bits = t == 0 ? (foreign ? (uint32_t)random_below(2) << 31 : 0) : t < 0 ? bits ^ 0x80000000u : bits;
    for (int i = 0; i < encoded_bytes(encoding); i++) {
        out[i] = (uint8_t)(bits >> (encoding == TERN_ENCODED_F32 ? 8 * i : 16 + 8 * i));
    }
}

void encode_row(int32_t encoding, const int8_t *t, int64_t cols, uint16_t d, int foreign, uint8_t *out) {
    const int64_t columns = encoded_columns(encoding);
    for (int64_t c = 0; c < cols; c += columns, t += columns, out += encoded_bytes(encoding)) {
        const uint16_t any = (uint16_t)random_below(0x7c00); /* a finite number */
        const uint16_t stored = foreign && is_zero(t, columns) ? any : d;
        switch (encoding) {
        case TERN_ENCODED_TQ1_0:
            tq1_0(t, out);
            put_half(stored, out + 52);
            break;
        case TERN_ENCODED_TQ2_0:
            pairs(t, 1, 1, out);
            put_half(stored, out + 64);
            break;
        case TERN_ENCODED_Q2_K: q2_k(t, d, foreign, out); break;
        case TERN_ENCODED_Q4_0:
        case TERN_ENCODED_Q8_0: small(encoding, t, d, foreign, out); break;
        default: plain(encoding, *t, d, foreign, out); break;
        }
    }
}
