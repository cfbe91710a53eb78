/*
 * encoded_rows.h: ternary_decode in plain C, but for what a tier does by itself.
 *
 * The loops run over bytes in the order of the bytes they become, one step for each, so that a compiler makes vectors
 * of them; the scalar tier compiles the same text without. What decodes a block or a group returns 0, or something else
 * when that is no part of the matrix.
 */
#ifndef TERN_ENCODED_ROWS_H
#define TERN_ENCODED_ROWS_H

#include "scalar/floats.h"
#include "tern_kernels.h"

#include <float.h>
#include <string.h>

#define ROWS_INLINE static inline __attribute__((always_inline))

enum { GROUP_BYTES = 32, CODES_OF_ZERO = 0x55, TQ1_0_BYTES = 54, TQ2_0_BYTES = 66, Q2_K_BYTES = 84, Q4_0_BYTES = 18 };
enum { TQ1_0_D = 52, TQ2_0_D = 64, Q2_K_CODES = 16, Q2_K_D = 80, Q2_K_D_MIN = 82, K_COLUMNS = 256, SMALL_COLUMNS = 32 };

/* The two groups of a block of TQ1_0. */
typedef unsigned tq1_0_decoder(const uint8_t *in, uint8_t *out);

/* A block of Q4_0 or Q8_0, whose codes are put behind those that are in the group. |q| is 0 or k; `flip` is 1 where q
 * and T have opposite signs, else 0. */
typedef unsigned small_decoder(int32_t encoding, const uint8_t *in, uint8_t k, uint8_t flip, uint8_t *out);

/* A block's d, whose bits are mostly those of the block before. */
typedef struct block_scale {
    uint16_t bits;
    uint8_t k; /* Q4_0 and Q8_0: what |q| is where |w| is the scale, 0 where it never is */
    float d;
} block_scale;

/* Whether the bits are others than before. */
ROWS_INLINE int read_scale(block_scale *scale, const uint8_t *at) {
    const uint16_t bits = (uint16_t)(at[0] | at[1] << 8);
    if (bits == scale->bits) {
        return 0;
    }
    scale->bits = bits;
    scale->d = float_of_f16(bits);
    return 1;
}

ROWS_INLINE int is_finite(float x) {
    return fabsf(x) <= FLT_MAX;
}

/* Whether a block's d is not the matrix's scale, and its codes are not all 1 either. */
ROWS_INLINE unsigned has_other_scale(float d, float scale, const uint8_t *codes) {
    if (d == scale) {
        return 0;
    }
    unsigned other = !is_finite(d);
    for (int m = 0; m < 2 * GROUP_BYTES; m++) {
        other |= codes[m] ^ (unsigned)CODES_OF_ZERO;
    }
    return other;
}

/* ---- trits ------------------------------------------------------------------------------------------------------ */

/* The leading trit of a byte of five: 3 v = 256 digit + next v. */
ROWS_INLINE uint8_t trit_of_byte(uint8_t v) {
    return (uint8_t)((v >= 86) + (v >= 171));
}

ROWS_INLINE uint8_t next_byte(uint8_t v) {
    return (uint8_t)(3 * v);
}

/* What five trits leave of ceil(256 q / 243) is 243 times it - 256 q, at most 242; of any other byte it is more. */
ROWS_INLINE uint8_t is_no_rest(uint8_t v) {
    return v > 242;
}

ROWS_INLINE uint8_t with_code(uint8_t codes, uint8_t code) {
    return (uint8_t)(4 * codes + code);
}

ROWS_INLINE unsigned decode_tq1_0(const uint8_t *in, uint8_t *out) {
    uint8_t wrong = 0;
    uint8_t fifth[32]; /* columns 128 ... 159 */
    uint8_t last[16];  /* columns 240 ... 255 */
    for (int m = 0; m < 32; m++) {
        uint8_t v = in[m];
        uint8_t codes = trit_of_byte(v);
        for (int k = 1; k < 4; k++) {
            v = next_byte(v);
            codes = with_code(codes, trit_of_byte(v));
        }
        v = next_byte(v);
        out[m] = codes;
        fifth[m] = trit_of_byte(v);
        wrong = (uint8_t)(wrong | is_no_rest(next_byte(v)));
    }
    for (int j = 0; j < 4; j++) {
        uint8_t v = in[48 + j];
        for (int k = 0; k < 4; k++) {
            last[4 * k + j] = trit_of_byte(v);
            v = next_byte(v);
        }
        wrong = (uint8_t)(wrong | trit_of_byte(v) | is_no_rest(next_byte(v)));
    }
    for (int m = 0; m < 16; m++) {
        const uint8_t v0 = in[32 + m]; /* columns 160 + m, + 16, ... + 64 */
        const uint8_t v1 = next_byte(v0);
        const uint8_t v2 = next_byte(v1);
        const uint8_t v3 = next_byte(v2);
        const uint8_t v4 = next_byte(v3);
        const uint8_t even = with_code(with_code(fifth[m], trit_of_byte(v0)), trit_of_byte(v2));
        const uint8_t odd = with_code(with_code(fifth[16 + m], trit_of_byte(v1)), trit_of_byte(v3));
        out[32 + m] = with_code(even, trit_of_byte(v4));
        out[48 + m] = with_code(odd, last[m]);
        wrong = (uint8_t)(wrong | is_no_rest(next_byte(v4)));
    }
    return wrong;
}

/* Codes from the lowest bits up, which TERN_ROWS has from the highest down. */
ROWS_INLINE unsigned decode_pairs(const uint8_t *in, uint8_t *out) {
    uint8_t wrong = 0;
    for (int m = 0; m < 2 * GROUP_BYTES; m++) {
        const uint8_t x = in[m];
        const uint8_t halves = (uint8_t)(x << 4 | x >> 4);
        out[m] = (uint8_t)((halves & 0x33) << 2 | (halves >> 2 & 0x33));
        wrong = (uint8_t)(wrong | (x & x >> 1 & 0x55));
    }
    return wrong;
}

ROWS_INLINE unsigned tq1_0_row(const uint8_t *in, int64_t cols, float scale, uint8_t *out, tq1_0_decoder *decode) {
    block_scale own = {0, 0, 0};
    unsigned wrong = 0;
    for (int64_t c = 0; c < cols; c += K_COLUMNS, in += TQ1_0_BYTES, out += 2 * GROUP_BYTES) {
        wrong |= decode(in, out);
        read_scale(&own, in + TQ1_0_D);
        wrong |= has_other_scale(own.d, scale, out);
    }
    return wrong;
}

ROWS_INLINE unsigned tq2_0_row(const uint8_t *in, int64_t cols, float scale, uint8_t *out) {
    block_scale own = {0, 0, 0};
    unsigned wrong = 0;
    for (int64_t c = 0; c < cols; c += K_COLUMNS, in += TQ2_0_BYTES, out += 2 * GROUP_BYTES) {
        wrong |= decode_pairs(in, out);
        read_scale(&own, in + TQ2_0_D);
        wrong |= has_other_scale(own.d, scale, out);
    }
    return wrong;
}

/* ---- weights that are products ---------------------------------------------------------------------------------- */

/* The code of a weight; 3 when it is no 0 and not the scale or its negative. */
ROWS_INLINE unsigned code_of_weight(float w, float scale) {
    return w == 0 ? 1 : w == scale ? 2 : w == -scale ? 0 : 3;
}

/* A block of Q2_K as ggml may have made it: sixteen columns after the other, each with its own meaning of the codes. */
ROWS_INLINE unsigned decode_q2_k(const uint8_t *in, float d, float d_min, float scale, uint8_t *out) {
    unsigned wrong = 0;
    memset(out, 0, 2 * GROUP_BYTES);
    for (int first = 0; first < K_COLUMNS; first += 16) {
        const int factors = in[first / 16];
        const int quarter = first % TERN_GROUP / 32;
        const int at = first / TERN_GROUP * GROUP_BYTES + first % 32;
        unsigned code[4];
        for (int q = 0; q < 4; q++) {
            code[q] = code_of_weight(d * (float)(factors & 15) * (float)q - d_min * (float)(factors >> 4), scale);
        }
        for (int m = at; m < at + 16; m++) {
            const unsigned c = code[in[Q2_K_CODES + m] >> 2 * quarter & 3];
            wrong |= c == 3;
            out[m] = (uint8_t)(out[m] | c << (6 - 2 * quarter));
        }
    }
    return wrong;
}

ROWS_INLINE unsigned q2_k_row(const uint8_t *in, int64_t cols, float scale, uint8_t *out) {
    block_scale own = {0, 0, 0};
    unsigned wrong = 0;
    for (int64_t c = 0; c < cols; c += K_COLUMNS, in += Q2_K_BYTES, out += 2 * GROUP_BYTES) {
        unsigned uneven = 0; /* not what Tern writes: q = T + 1, all factors 1, d = d_min = s */
        for (int j = 0; j < Q2_K_CODES; j++) {
            uneven |= in[j] ^ 0x11u;
        }
        read_scale(&own, in + Q2_K_D);
        const float d_min = f16_at(in + Q2_K_D_MIN);
        if (uneven == 0 && own.d == scale && d_min == scale && scale != 0) {
            wrong |= decode_pairs(in + Q2_K_CODES, out);
        } else {
            wrong |= decode_q2_k(in, own.d, d_min, scale, out);
        }
    }
    return wrong;
}

/* k with |d| k = |scale|, a product that float32 holds exactly; 0 when there is none of 1 ... most. */
ROWS_INLINE uint8_t step_of_scale(float d, float scale, float most) {
    const float k = fabsf(scale) / fabsf(d);
    return k >= 1 && k <= most && (float)(int)k * fabsf(d) == fabsf(scale) ? (uint8_t)k : 0;
}

/* Puts a quarter of a group behind what is there. */
ROWS_INLINE unsigned add_quarter(const uint8_t *q, uint8_t k, uint8_t flip, uint8_t *out) {
    uint8_t wrong = 0;
    for (int m = 0; m < SMALL_COLUMNS; m++) {
        const uint8_t negative = q[m] >> 7;
        const uint8_t magnitude = (uint8_t)((q[m] ^ (uint8_t)-negative) + negative);
        const uint8_t set = magnitude == 0 ? 0 : 1;
        wrong = (uint8_t)(wrong | (magnitude == k ? 0 : set));
        out[m] = (uint8_t)(4 * out[m] + 1 + set - 2 * (set & (negative ^ flip)));
    }
    return wrong;
}

ROWS_INLINE unsigned decode_small(int32_t encoding, const uint8_t *in, uint8_t k, uint8_t flip, uint8_t *out) {
    uint8_t q[SMALL_COLUMNS];
    if (encoding == TERN_ENCODED_Q8_0) {
        return add_quarter(in + Q8_0_VALUES, k, flip, out);
    }
    for (int j = 0; j < 16; j++) {
        q[j] = (uint8_t)((in[2 + j] & 15) - 8);
        q[16 + j] = (uint8_t)((in[2 + j] >> 4) - 8);
    }
    return add_quarter(q, k, flip, out);
}

/* A quarter of zeros: where there are no columns, or every weight is 0 * q. */
ROWS_INLINE void add_zeros(uint8_t *out) {
    for (int m = 0; m < SMALL_COLUMNS; m++) {
        out[m] = with_code(out[m], 1);
    }
}

ROWS_INLINE unsigned small_row(int32_t encoding, const uint8_t *in, int64_t cols, float scale, uint8_t *out,
                               small_decoder *decode) {
    const int64_t bytes = encoding == TERN_ENCODED_Q8_0 ? Q8_0_BYTES : Q4_0_BYTES;
    block_scale own = {0, 0, 0};
    unsigned wrong = 0;
    for (int64_t c = 0; c < cols; c += TERN_GROUP, out += GROUP_BYTES) {
        memset(out, 0, GROUP_BYTES);
        for (int64_t of = c; of < c + TERN_GROUP; of += SMALL_COLUMNS) {
            if (of >= cols) {
                add_zeros(out);
                continue;
            }
            if (read_scale(&own, in)) {
                own.k = step_of_scale(own.d, scale, encoding == TERN_ENCODED_Q8_0 ? 128 : 8);
            }
            if (own.d == 0) {
                add_zeros(out);
            } else {
                wrong |= decode(encoding, in, own.k, (own.d < 0) != (scale < 0), out);
                wrong |= !is_finite(own.d);
            }
            in += bytes;
        }
    }
    return wrong;
}

/* ---- floats ------------------------------------------------------------------------------------------------------ */

/* A group of floats of 16 bits: `magnitude` has the scale's bits without its sign, which is `flip`. */
ROWS_INLINE unsigned decode_16(const uint16_t x[TERN_GROUP], uint16_t magnitude, uint16_t flip, uint8_t *out) {
    uint16_t wrong = 0;
    for (int m = 0; m < GROUP_BYTES; m++) {
        uint16_t codes = 0;
        for (int quarter = 0; quarter < TERN_GROUP; quarter += GROUP_BYTES) {
            const uint16_t v = x[quarter + m];
            const uint16_t absolute = v & 0x7fff;
            const uint16_t set = absolute != 0;
            wrong = (uint16_t)(wrong | (set & (absolute != magnitude)));
            codes = (uint16_t)(4 * codes + 1 + set - 2 * (set & (v >> 15 ^ flip)));
        }
        out[m] = (uint8_t)codes;
    }
    return wrong;
}

ROWS_INLINE unsigned decode_32(const uint32_t x[TERN_GROUP], uint32_t magnitude, uint32_t flip, uint8_t *out) {
    uint32_t wrong = 0;
    for (int m = 0; m < GROUP_BYTES; m++) {
        uint32_t codes = 0;
        for (int quarter = 0; quarter < TERN_GROUP; quarter += GROUP_BYTES) {
            const uint32_t v = x[quarter + m];
            const uint32_t absolute = v & 0x7fffffff;
            const uint32_t set = absolute != 0;
            wrong |= set & (absolute != magnitude);
            codes = 4 * codes + 1 + set - 2 * (set & (v >> 31 ^ flip));
        }
        out[m] = (uint8_t)codes;
    }
    return wrong;
}

/* The bits of |scale| in a type; 0, which no weight but 0 has, when the type cannot hold it. */
ROWS_INLINE uint32_t magnitude_of(int32_t encoding, float scale) {
    const uint32_t bits = bits_of_float(fabsf(scale));
    if (encoding == TERN_ENCODED_F32) {
        return bits;
    }
    const uint32_t narrow = encoding == TERN_ENCODED_F16 ? f16_of_float(fabsf(scale)) : bits >> 16;
    const float back = encoding == TERN_ENCODED_F16 ? float_of_f16((uint16_t)narrow) : float_of_bits(narrow << 16);
    return back == fabsf(scale) ? narrow : 0;
}

ROWS_INLINE unsigned float_row_codes(int32_t encoding, const uint8_t *in, int64_t cols, float scale, uint8_t *out) {
    const uint32_t magnitude = magnitude_of(encoding, scale);
    const uint32_t flip = bits_of_float(scale) >> 31;
    const size_t bytes = encoding == TERN_ENCODED_F32 ? 4 : 2;
    unsigned wrong = 0;
    union {
        uint16_t x16[TERN_GROUP];
        uint32_t x32[TERN_GROUP];
    } group;
    for (int64_t c = 0; c < cols; c += TERN_GROUP, out += GROUP_BYTES, in += TERN_GROUP * bytes) {
        if (cols - c < TERN_GROUP) {
            memset(&group, 0, sizeof group);
            memcpy(&group, in, (size_t)(cols - c) * bytes);
        } else if (bytes == 2) {
            memcpy(group.x16, in, sizeof group.x16);
        } else {
            memcpy(group.x32, in, sizeof group.x32);
        }
        wrong |= bytes == 2 ? decode_16(group.x16, (uint16_t)magnitude, (uint16_t)flip, out)
                            : decode_32(group.x32, magnitude, flip, out);
    }
    return wrong;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

ROWS_INLINE int64_t encoded_row_bytes(int32_t encoding, int64_t cols) {
    switch (encoding) {
    case TERN_ENCODED_TQ1_0: return cols / K_COLUMNS * TQ1_0_BYTES;
    case TERN_ENCODED_TQ2_0: return cols / K_COLUMNS * TQ2_0_BYTES;
    case TERN_ENCODED_Q2_K: return cols / K_COLUMNS * Q2_K_BYTES;
    case TERN_ENCODED_Q4_0: return cols / SMALL_COLUMNS * Q4_0_BYTES;
    case TERN_ENCODED_Q8_0: return cols / SMALL_COLUMNS * Q8_0_BYTES;
    case TERN_ENCODED_F32: return 4 * cols;
    default: return 2 * cols;
    }
}

ROWS_INLINE unsigned decode_row(int32_t encoding, const uint8_t *in, int64_t cols, float scale, uint8_t *out,
                                tq1_0_decoder *tq1_0, small_decoder *small) {
    switch (encoding) {
    case TERN_ENCODED_TQ1_0: return tq1_0_row(in, cols, scale, out, tq1_0);
    case TERN_ENCODED_TQ2_0: return tq2_0_row(in, cols, scale, out);
    case TERN_ENCODED_Q2_K: return q2_k_row(in, cols, scale, out);
    case TERN_ENCODED_Q4_0: return small_row(TERN_ENCODED_Q4_0, in, cols, scale, out, small);
    case TERN_ENCODED_Q8_0: return small_row(TERN_ENCODED_Q8_0, in, cols, scale, out, small);
    case TERN_ENCODED_F32: return float_row_codes(TERN_ENCODED_F32, in, cols, scale, out);
    case TERN_ENCODED_F16: return float_row_codes(TERN_ENCODED_F16, in, cols, scale, out);
    default: return float_row_codes(TERN_ENCODED_BF16, in, cols, scale, out);
    }
}

/* ternary_decode with a tier's own way of some blocks. */
ROWS_INLINE int64_t decode_rows(int32_t encoding, const uint8_t *in, int64_t rows, int64_t cols, float scale,
                                uint8_t *codes, int64_t stride, tq1_0_decoder *tq1_0, small_decoder *small) {
    const int64_t bytes = encoded_row_bytes(encoding, cols);
    for (int64_t row = 0; row < rows; row++) {
        if (decode_row(encoding, in + row * bytes, cols, scale, codes + row * stride, tq1_0, small)) {
            return row;
        }
    }
    return -1;
}

#endif /* TERN_ENCODED_ROWS_H */
