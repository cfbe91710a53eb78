/*
 * tern_kernels.h: the kernels of Tern, and all that Java sees of them.
 *
 * Every kernel is a pure function over a range of rows, tokens or heads. C holds no state, allocates nothing and starts
 * no thread; the caller owns memory and threads, and has checked every size, offset and product before it calls. Two
 * calls that write disjoint ranges may run at once.
 *
 * ONE RESULT. All tiers give the same bits. Two rules make that possible.
 *
 *   Integers. The sum of T[i]*a[i] over a row is an exact int32 in any order: |T| <= 1 and |a| <= 128, so a row of fewer
 *   than 2^24 weights cannot overflow. The sum is converted to float once; up to 2^24 / 128 = 131,072 columns that is
 *   exact.
 *
 *   Floats. A sum over n floats is kept in 32 lanes that start at +0: element i belongs to lane i mod 32, and a lane takes
 *   its elements in ascending order. The last, partial group of 32 is filled up with zeros, and the lanes they stand in
 *   take part. A product enters by one fused multiply-add. The lanes are then folded in halves: lane j becomes lane j +
 *   lane j+16, then j + j+8, j + j+4, j + j+2, j + j+1. Everything else is written out below with its order; a
 *   multiplication followed by an addition is fused exactly where the text says fma. Division and square root are
 *   correctly rounded. The tiers are built with -ffp-contract=off and without fast-math. Payloads of NaNs are not part of
 *   the result.
 *
 *   expf. exp(x) here means: 0 unless x > -87 (so 0 for a NaN); x = min(x, 88); n = round-half-even(x * 1.44269504f);
 *   r = fma(n, -0.693359375f, x); r = fma(n, 2.12194440e-4f, r);
 *   p = 1.9875691500e-4f; then p = fma(p, r, c) for c = 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f,
 *   1.6666665459e-1f, 5.0000001201e-1f; p = fma(p, r*r, r) + 1; the result is p * 2^n.
 *   (The minimax polynomial of Cephes' expf; relative error below 2e-7.)
 *
 * Strides are counted in elements of the array they belong to unless said otherwise. "Token" is one row of activations.
 */
#ifndef TERN_KERNELS_H
#define TERN_KERNELS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define TERN_API __declspec(dllexport)
#else
#define TERN_API __attribute__((visibility("default")))
#endif

/* Changes whenever a signature, a struct or the meaning of a kernel does. */
#define TERN_ABI_VERSION 7

/*
 * Element types of float matrices; those of the KV cache are TERN_F32, TERN_F16 and TERN_Q8_0.
 *
 * TERN_Q8_0 and TERN_Q6_K are ggml's types. A row is whole blocks, so columns and strides are multiples of a block; a
 * block may begin at any even address, and its halves (fp16) are little-endian. Every element is exact in float32.
 *
 *   Q8_0: 32 elements in 34 bytes: d (fp16), then q (int8) of each. Element = d * q.
 *
 *   Q6_K: 256 elements in 210 bytes: `low` (128 bytes), `high` (64), `scales` (16 int8), d (fp16). Element i, with
 *   h = i / 128, p = i mod 128 / 32 and l = i mod 32: its code has the low four bits low[64 h + 32 (p mod 2) + l] >>
 *   4 (p / 2) & 15 and above them the two bits high[32 h + l] >> 2 p & 3. Element = (d * scales[i / 16]) * (code - 32).
 */
enum tern_float_type { TERN_F32 = 0, TERN_F16 = 1, TERN_BF16 = 2, TERN_Q8_0 = 3, TERN_Q6_K = 4 };

/* How RoPE pairs the elements of a head: (i, i + d/2) as in GPT-NeoX and Hugging Face, or (2i, 2i + 1) as in Llama's
 * original weights and GGUF's `llama` architecture. */
enum tern_rope_pairing { TERN_ROPE_HALVES = 0, TERN_ROPE_NEIGHBOURS = 1 };

/* Instruction-set levels: those of x86-64 ascending, then those of AArch64 ascending. A library has the ones of the
 * architecture it was built for, and scalar. */
enum tern_tier {
    TERN_TIER_SCALAR = 0,
    TERN_TIER_AVX2 = 1,
    TERN_TIER_AVXVNNI = 2,
    TERN_TIER_AVX512VNNI = 3,
    TERN_TIER_AMX = 4,
    TERN_TIER_NEON = 5,
    TERN_TIER_NEONDOT = 6
};

/* Columns of one group of packed ternary codes; rows are padded up to whole groups. */
#define TERN_GROUP 128

/*
 * Layouts of a ternary matrix. Code = T + 1; code 3 does not occur. Rows and columns that pad a matrix have code 1 (T = 0).
 * Every tier computes with every layout; with which one it is fast is its own affair.
 *
 *   ROWS: the layout of an I2_S tensor's rows. A row is `groups = ceil(cols / 128)` groups of 32 bytes; byte p of a group
 *   holds the codes of its columns p, p+32, p+64 and p+96 in bits 7:6, 5:4, 3:2 and 1:0.
 *
 *   PANELS_2BIT: 32 rows lie interleaved in a panel. A panel is ceil(cols / 16) groups of 128 bytes; byte 4 r + j of group
 *   g (r = 0 ... 31, j = 0 ... 3) holds in bits 2k+1 : 2k the code of the panel's row r, column 16 g + 4 k + j.
 *   So a 32-bit lane belongs to one row, and a shift brings out four neighbouring columns of all rows.
 *
 *   PANELS_5TRIT: the same with five trits a byte, 1.6 bits a weight. A panel is ceil(cols / 20) groups of 128 bytes; byte
 *   4 r + j of group g holds ceil(256 q / 243), q being the number whose base-3 digits, the highest first, are the codes of
 *   row r, columns 20 g + 4 k + j for k = 0 ... 4. With v_0 = that byte, 3 v_k = 256 digit_k + v_{k+1}: a product by 3
 *   shifts a digit out. (The byte of ggml's TQ1_0; other columns.) At most 65,535 columns.
 *
 *   PANELS_MIXED: 32 rows interleaved, two bits and trits side by side, 1.92 bits a weight, for kernels that multiply and
 *   look up at once. A group is 25 columns in 192 bytes: 16 columns as a group of PANELS_2BIT, then 32 words of 16 bits,
 *   little-endian, for the nine others; word 2 i + h belongs to row 16 h + i (i < 16, h < 2) and is n_0 + 32 n_1 +
 *   1024 n_2, where n_k = c_0 + 3 c_1 + 9 c_2 of the codes of columns 16 + 3 k, 17 + 3 k and 18 + 3 k of the group. The
 *   ceil(cols / 25) groups are cut into windows of 14, the last of which may have fewer. A window has its groups of all
 *   panels, panel after panel, and window comes after window. There is no stride from panel to panel.
 */
enum tern_ternary_layout { TERN_ROWS = 0, TERN_PANELS_2BIT = 1, TERN_PANELS_5TRIT = 2, TERN_PANELS_MIXED = 3 };

/* Rows of a panel. */
#define TERN_PANEL_ROWS 32

/* A ternary matrix W = scale * T. */
typedef struct tern_ternary_matrix {
    const uint8_t *codes; /* panels begin at a multiple of 64 bytes */
    int64_t rows;
    int64_t cols;
    int64_t stride; /* bytes from one row (in TERN_ROWS) or panel to the next; of a panel a multiple of 64; not used in
                       TERN_PANELS_MIXED */
    float scale;
    int32_t layout; /* tern_ternary_layout */
} tern_ternary_matrix;

/*
 * How files store ternary matrices: types of ggml, row after row of whole blocks, little-endian, wherever they begin. Of
 * the blocks of scale * T, column i of a block:
 *
 *   TQ1_0: 256 columns in 54 bytes. Bytes are those of TERN_PANELS_5TRIT, ceil(256 q / 243): byte m < 32 has columns m,
 *   m + 32, ... m + 128; byte 32 + m (m < 16) 160 + m, 176 + m, ... 224 + m; byte 48 + j (j < 4) 240 + j, + 4, + 8, + 12
 *   and a fifth digit 0. Then d (fp16).
 *
 *   TQ2_0: 256 columns in 66 bytes: byte 32 h + m (h < 2, m < 32) has the codes of columns 128 h + m, + 32, + 64, + 96 from
 *   the lowest bits up. Then d (fp16).
 *
 *   Q2_K: 256 columns in 84 bytes: 16 bytes of factors, codes q as of TQ2_0, d and d_min (fp16).
 *   w = d * (factors[i / 16] & 15) * q - d_min * (factors[i / 16] >> 4), each operation rounded to float32.
 *
 *   Q4_0: 32 columns in 18 bytes: d (fp16), then byte j has q of column j in its low, of column j + 16 in its high half.
 *   w = d * (q - 8).
 *
 *   Q8_0: as of tern_float_type. F16, BF16, F32: columns by themselves.
 */
enum tern_ternary_encoding {
    TERN_ENCODED_TQ1_0 = 0,
    TERN_ENCODED_TQ2_0 = 1,
    TERN_ENCODED_Q2_K = 2,
    TERN_ENCODED_Q4_0 = 3,
    TERN_ENCODED_Q8_0 = 4,
    TERN_ENCODED_F16 = 5,
    TERN_ENCODED_BF16 = 6,
    TERN_ENCODED_F32 = 7
};

/*
 * Activations quantized to int8, one scale a token (absmax).
 */
typedef struct tern_activations {
    int8_t *values; /* [tokens][stride]; columns past `cols` up to a multiple of 128 are zero */
    float *scales;  /* [tokens]: r, by which x was multiplied */
    int32_t *sums;  /* [tokens]: sum of the token's values */
    int64_t stride; /* bytes from one token to the next, a multiple of 128 */
} tern_activations;

/* A float matrix, row-major: the embedding, or the head. */
typedef struct tern_float_matrix {
    const void *values;
    int64_t rows;
    int64_t cols;
    int64_t stride; /* elements from one row to the next */
    int32_t type;   /* tern_float_type */
} tern_float_matrix;

/* Rotation tables: entry [position][i] is the cosine (sine) of position * frequency i. */
typedef struct tern_rope {
    const float *cosines; /* [positions][dims / 2] */
    const float *sines;
    int64_t dims;    /* leading elements of a head that are rotated; even */
    int32_t pairing; /* tern_rope_pairing */
} tern_rope;

/* One layer's cache of keys and values, each [kv_heads][capacity][head_dim]; of Q8_0 head_dim is a multiple of 32. */
typedef struct tern_kv_layer {
    void *keys;
    void *values;
    int64_t kv_heads;
    int64_t capacity; /* positions */
    int64_t head_dim;
    int32_t type; /* TERN_F32, TERN_F16 or TERN_Q8_0 */
} tern_kv_layer;

/*
 * Floats of scratch that `attention` needs for `items` items, the longest of which attends to `positions` positions: a
 * row of scores for each of the items that share keys and values while these lie in a cache.
 */
#define TERN_ATTENTION_ROWS 64
#define TERN_ATTENTION_SCORES(items, positions)                                                                        \
    (((items) < TERN_ATTENTION_ROWS ? (items) : TERN_ATTENTION_ROWS) * (((positions) + 15) / 16 * 16))

/*
 * A screen of a float matrix: a copy of few bits, from which follow an approximation of every product and a bound of its
 * error, so that only rows that can still be among the largest need be multiplied in full. A row w is kept as integer
 * levels c of at most 63 in magnitude and one step: w = step * c + a remainder whose Euclidean norm is known.
 *
 * 32 rows lie interleaved in a panel, as in TERN_PANELS_2BIT. Rows that fill up the last panel have codes, step and norms 0.
 *
 *   4 bits: code 8 + i has the i-th level of 3, 9, 15, 21, 28, 36, 46, 61 (i = 0 ... 7), code 7 - i its negative. (The
 *   integers that come next to the best 16 levels for a normal distribution, Lloyd and Max.) A panel is ceil(cols / 8)
 *   groups of 128 bytes; byte 4 r + j of group g holds in its low half the code of the panel's row r, column 8 g + j, in
 *   its high half that of column 8 g + 4 + j.
 *
 *   6 bits: code k has the level 2 k - 63. A panel is ceil(cols / 16) groups of 384 bytes: two groups of the layout above
 *   for the low four bits of columns 16 g ... 16 g + 15, then 128 bytes whose byte 4 r + j holds in bits 2 k + 1 : 2 k the
 *   high two bits of column 16 g + 4 k + j. Columns that fill up a group have code 0.
 */
typedef struct tern_screen {
    uint8_t *codes;   /* at a multiple of 64 bytes */
    float *steps;     /* of each row, whole panels, at a multiple of 64 bytes, as the two below */
    float *residuals; /* at least |w - step * c|_2; infinite where w has no such norm in float32 */
    float *norms;     /* at least |step * c|_2 */
    int64_t rows;
    int64_t cols;   /* at most 131,072, so that a sum fits in int32 */
    int64_t stride; /* bytes from one panel to the next, a multiple of 128 */
    int32_t bits;   /* 4 or 6 */
} tern_screen;

/*
 * Inputs of a screen: tokens x = unit * (64 * high + low) + a remainder. high is at most 63 in magnitude, low from -32 to 31;
 * they are 0 past the columns up to a multiple of 16. Inputs of 7 bits have no low, as if it were zeros, and high is at
 * most 127 in magnitude.
 */
typedef struct tern_screen_inputs {
    const int8_t *high;   /* [tokens][stride] */
    const int8_t *low;    /* [tokens][stride], or null in inputs of 7 bits */
    const int32_t *sums;  /* [tokens][2]: of high, of low (0 where there is none) */
    const float *factors; /* [tokens][4]: unit, then what residual and norm are multiplied by in a bound, and its rest */
    int64_t stride;       /* a multiple of 16 */
} tern_screen_inputs;

/* What a screen gives: for each token whole panels of scores and upper bounds, and the largest of each of every panel. */
typedef struct tern_screen_scores {
    float *scores;
    float *uppers;
    float *peaks;    /* largest score of a panel's rows */
    float *ceilings; /* largest upper bound of a panel's rows */
    int64_t stride;       /* floats from one token to the next of scores and uppers, a multiple of 32 */
    int64_t panel_stride; /* of peaks and ceilings */
} tern_screen_scores;

/* Tokens of screen_select and float_matmul_rows: bits of a mask. */
#define TERN_LISTED_TOKENS 32

/* The repetitions of `dot_peak` come in multiples of this, and the bytes of `memory_read` of the other: no tier needs code
 * for a rest. */
#define TERN_PEAK_UNIT 1536
#define TERN_READ_UNIT 256

/*
 * The kernel table: X(name, result, parameters). The struct below, the declarations of each tier, the dispatch and the
 * tests are all made from this list.
 *
 * quantize: for tokens [token_begin, token_end): m = max(max |x|, 1e-5) over the token's cols (a NaN is passed over);
 *   r = (1 / m) * 127, two roundings; a = round-half-even(x * r), clamped to [-128, 127], NaN giving -128. Writes values
 *   (zeros up to the next multiple of 128), scales and sums. x has `x_stride` floats from token to token.
 *
 * ternary_matmul: y[t * y_stride + row] = (float)(sum over columns of T * a) * (w->scale / a->scales[t]) for t in
 *   [0, tokens) and row in [row_begin, row_end). Two float operations: the quotient, then the product.
 *
 * ternary_pack: rows [row_begin, row_end) of `w` in its layout of panels, from their codes in TERN_ROWS: row_begin's first
 *   byte at `codes`, `stride` bytes from row to row. row_begin is a multiple of 32, row_end is one or the number of rows,
 *   and then the panel is filled up. A code 3 gives some code from 0 to 2.
 *
 * ternary_unpack: the way back: rows [row_begin, row_end) of `w`, whatever its layout, in TERN_ROWS, padded.
 *
 * ternary_decode: `rows` rows of a matrix of `cols` columns, a multiple of a block, which a file stores in the way of
 *   `encoding` (tern_ternary_encoding), from `in` on, into TERN_ROWS, padded, `stride` bytes from row to row. The result is
 *   the first of these rows that is none of scale * T (a finite scale), from which on codes are undefined, or -1. A row of
 *   TQ1_0 or TQ2_0 is one when its bytes are five digits each, its codes 0, 1 and 2, and the d of each block is the scale,
 *   or any other finite number and the block's codes are all 1. A row of the other types is one when each of its weights is
 *   0 (code 1), equal to scale (code 2) or to -scale (code 0); NaN * 0 is none of them.
 *
 * float_matmul: y[t * y_stride + row] = dot(w[row], x[t]) in the 32-lane order, weights widened exactly to float32,
 *   each product entering as fma(weight, x, lane).
 *
 * float_row: widens row `row` of m into y[0 .. cols).
 *
 * rms_norm: for tokens [token_begin, token_end): q = (32-lane sum of x*x, by fma(x, x, lane)) / cols;
 *   f = 1 / sqrt(q + eps), two roundings; y = (x * f) * weight. y may be x.
 *
 * rope: rotates in place the first `rope->dims` elements of each of `heads` heads of tokens [token_begin, token_end);
 *   head h of token t starts at x + t * x_stride + h * head_dim, its position is position + t. For a pair (x0, x1) with
 *   cosine c and sine s: y0 = fma(x0, c, -(x1 * s)), y1 = fma(x1, c, x0 * s), the inner product rounded first.
 *
 * store_kv: writes keys k and values v ([tokens][stride], head h of token t at t * stride + h * head_dim) of tokens
 *   [token_begin, token_end) into the cache at position + t; F16 rounds half to even. A block of Q8_0: m = max |x| (a NaN
 *   is passed over); d = m / 127; r = 1 / d, or 0 where d is 0; q = round-half-even(x * r), clamped to [-127, 127], NaN
 *   giving -127; then d is rounded to fp16, half to even.
 *
 * attention: for items [item_begin, item_end), item = t * heads + h: query head h of token t at
 *   q + t * q_stride + h * head_dim attends to positions [0, position + t] of key head h / (heads / kv_heads).
 *   score[p] = dot(q, key[p]) * scale, the dot in the 32-lane order by fma(q, key, lane); weights = softmax(score);
 *   out element d starts at 0 and takes fma(weight[p], value[p][d], out) for p ascending; it is written to
 *   out + t * out_stride + h * head_dim. `scores` is scratch of at least TERN_ATTENTION_SCORES(item_end - item_begin,
 *   position + t + 1) floats for the call's largest t.
 *
 * softmax: in place over n >= 1 floats: m = the largest (no NaN allowed); e = exp(x - m); s = 32-lane sum of e by plain
 *   additions; y = e * (1 / s).
 *
 * relu_squared_gate: g = gate > 0 ? gate : 0; out = (g * g) * up. out may be gate or up.
 *
 * silu_gate: out = (gate / (1 + exp(-gate))) * up. out may be gate or up.
 *
 * add: x = x + y over n floats.
 *
 * find_invalid_code: index of the first of n bytes of packed codes that holds a code 3, or -1.
 *
 * screen_pack: rows [row_begin, row_end) of w into their places in a screen. row_begin is a multiple of 32, row_end is one
 *   or the number of rows, and then the panel is filled up. For a row: q = (32-lane sum of w*w, by fma(w, w, lane)) / cols.
 *   Unless q is in [2^-80, 2^80], all codes, step and norm are 0, and residual = fma(sqrt(32-lane sum), 1 + 2^-11, 2^-60),
 *   infinity where that is a NaN. Else inverse = 1 / sqrt(q), two roundings, t = |w| * inverse, and the magnitude is the
 *   i-th level, i the number of thresholds that t reaches: 4 bits: 0.27088036f, 0.54176072f, 0.81264108f, 1.1061048f,
 *   1.4446953f, 1.8510158f, 2.4153499f; 6 bits: i = min(31, trunc(t * 9.606148f)), level 2 i + 1. It has w's sign, + for
 *   either zero. n = float(sum of c*c); step = (32-lane sum by fma(c, w, lane)) / n; residual = fma(sqrt(32-lane
 *   sum by fma(d, d, lane)), 1 + 2^-11, 2^-60) of d = fma(-step, c, w); norm = (step * sqrt(n)) * (1 + 2^-20).
 *
 *   The residual is a bound: k = ceil(cols / 32) + 5 <= 4101 additions of squares, each of which was rounded once as d and
 *   once as its square's sum, are off by less than (k + 3) 2^-24 of the whole, the root by less than 2^-12 of it and its
 *   own rounding; products that underflow take away at most cols * 2^-149 <= (2^-66)^2.
 *
 * screen_scores: for tokens [0, tokens) and rows [row_begin, row_end), which are whole panels as of screen_pack, with the
 *   exact int32 sums h of c*high and l of c*low: score = (fma(h, 64, l) * unit) * step + 0; upper = score + fma(residual,
 *   factor 1, fma(norm, factor 2, factor 3)), infinity where that is a NaN. Rows that fill up a panel are computed too.
 *   peak and ceiling of a panel are the largest score (-infinity where it is a NaN) and upper of the matrix's rows in it.
 *
 * screen_select: lists, ascending, those of rows [row_begin, row_end), which are whole panels as of screen_pack, that reach
 *   the threshold of at least one of `tokens` tokens, of which there are at most TERN_LISTED_TOKENS: upper >= threshold,
 *   and ceiling >= threshold for their panel; so a NaN reaches and is reached by nothing. masks[i] has bit t where rows[i]
 *   reaches token t's, no others. The result is their number; rows and masks have room for row_end - row_begin.
 *
 * float_matmul_rows: y[t * y_stride + rows[i]] as of float_matmul, for i in [0, count) and the tokens t whose bit masks[i]
 *   has; all are below `tokens`, at most TERN_LISTED_TOKENS. Nothing else is written. A row may be listed more than once.
 *
 * The last two are no part of a model: they measure what a machine allows, and return what no shorter way gives, so that
 * a loop that was not run is seen.
 *
 * memory_read: the sum modulo 2^64 of the little-endian 64-bit words of n bytes, a multiple of TERN_READ_UNIT, at a
 *   multiple of 64 bytes. Every byte is loaded once, from the first to the last, by the widest loads of the tier, and
 *   nothing else is done: the time is the memory's.
 *
 * dot_peak: sums[i] = n * (sum over j < 4 of codes[4 i + j] * values[j]) modulo 2^32 for i < 16; codes, 64 of them, are
 *   0, 1 or 2, n is a multiple of TERN_PEAK_UNIT. All 64 n products are made and added, operands in registers, by the
 *   instructions that the tier's ternary_matmul has for many tokens, in as many independent sums as hide their latency:
 *   128 n operations.
 */
#define TERN_KERNEL_TABLE(X)                                                                                               \
    X(quantize, void,                                                                                                      \
      (const float *x, int64_t x_stride, int64_t cols, int64_t token_begin, int64_t token_end,                             \
       const tern_activations *out))                                                                                       \
    X(ternary_matmul, void,                                                                                                \
      (const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin, int64_t row_end,        \
       float *y, int64_t y_stride))                                                                                        \
    X(ternary_pack, void,                                                                                                  \
      (const uint8_t *codes, int64_t stride, int64_t row_begin, int64_t row_end, const tern_ternary_matrix *w))             \
    X(ternary_unpack, void,                                                                                                \
      (const tern_ternary_matrix *w, int64_t row_begin, int64_t row_end, uint8_t *codes, int64_t stride))                  \
    X(ternary_decode, int64_t,                                                                                             \
      (int32_t encoding, const uint8_t *in, int64_t rows, int64_t cols, float scale, uint8_t *codes, int64_t stride))      \
    X(float_matmul, void,                                                                                                  \
      (const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens, int64_t row_begin, int64_t row_end,   \
       float *y, int64_t y_stride))                                                                                        \
    X(float_row, void, (const tern_float_matrix *m, int64_t row, float *y))                                                \
    X(rms_norm, void,                                                                                                      \
      (const float *x, int64_t x_stride, const float *weight, float eps, int64_t cols, int64_t token_begin,                \
       int64_t token_end, float *y, int64_t y_stride))                                                                     \
    X(rope, void,                                                                                                          \
      (float *x, int64_t x_stride, int64_t heads, int64_t head_dim, const tern_rope *rope, int64_t position,               \
       int64_t token_begin, int64_t token_end))                                                                            \
    X(store_kv, void,                                                                                                      \
      (const tern_kv_layer *kv, const float *k, const float *v, int64_t stride, int64_t position, int64_t token_begin,     \
       int64_t token_end))                                                                                                 \
    X(attention, void,                                                                                                     \
      (const tern_kv_layer *kv, const float *q, int64_t q_stride, int64_t heads, int64_t position, int64_t item_begin,     \
       int64_t item_end, float scale, float *scores, float *out, int64_t out_stride))                                      \
    X(softmax, void, (float *x, int64_t n))                                                                                \
    X(relu_squared_gate, void, (const float *gate, const float *up, float *out, int64_t n))                                \
    X(silu_gate, void, (const float *gate, const float *up, float *out, int64_t n))                                        \
    X(add, void, (float *x, const float *y, int64_t n))                                                                    \
    X(find_invalid_code, int64_t, (const uint8_t *codes, int64_t n))                                                       \
    X(screen_pack, void, (const tern_float_matrix *w, int64_t row_begin, int64_t row_end, const tern_screen *out))         \
    X(screen_scores, void,                                                                                                 \
      (const tern_screen *s, const tern_screen_inputs *x, int64_t tokens, int64_t row_begin, int64_t row_end,              \
       const tern_screen_scores *out))                                                                                     \
    X(screen_select, int64_t,                                                                                              \
      (const tern_screen_scores *s, const float *thresholds, int64_t tokens, int64_t row_begin, int64_t row_end,           \
       int32_t *rows, uint32_t *masks))                                                                                    \
    X(float_matmul_rows, void,                                                                                             \
      (const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens, const int32_t *rows,                  \
       const uint32_t *masks, int64_t count, float *y, int64_t y_stride))                                                  \
    X(memory_read, int64_t, (const uint8_t *x, int64_t n))                                                                 \
    X(dot_peak, void, (const uint8_t *codes, const int8_t *values, int64_t n, int32_t *sums))

/* The kernels of one tier. */
typedef struct tern_kernels {
    int64_t tier; /* tern_tier */
#define TERN_KERNEL_MEMBER(name, result, parameters) result(*name) parameters;
    TERN_KERNEL_TABLE(TERN_KERNEL_MEMBER)
#undef TERN_KERNEL_MEMBER
} tern_kernels;

/*
 * LOOK-UP-TABLE KERNELS. A second way to the same sums, over weights packed as TL1 or TL2 (bitnet.cpp's formats; the layout
 * stands in c-kernels/src/lut/layout.h). Instead of multiplying, all partial sums of two or three neighbouring activations
 * are tabulated once for a token, and each packed index takes one of them. Unlike the kernels above they are generated for
 * the matrix shapes and tiles of a plan, and a library may serve any number of plans: libtern has those of the published
 * models, others are built beside it.
 */

/* Formats of packed weights. */
enum tern_lut_format { TERN_LUT_TL1 = 1, TERN_LUT_TL2 = 2 };

/* What a library's kernels are compiled for. Portable is plain C. */
enum tern_lut_path { TERN_LUT_PORTABLE = 0, TERN_LUT_AVX2 = 1, TERN_LUT_NEON = 2 };

/* What became of a call. Nothing has been written unless it is TERN_LUT_OK. */
enum tern_lut_status {
    TERN_LUT_OK = 0,
    TERN_LUT_UNKNOWN_SHAPE = 1, /* the kernel named is not for this format, shape and tile, or there is no such format */
    TERN_LUT_RAGGED_ROWS = 2    /* the range of rows does not begin and end at multiples of 32 within the matrix */
};

/* A matrix shape, the tile it is packed with, and the format. */
typedef struct tern_lut_shape {
    int32_t format; /* tern_lut_format */
    int32_t rows;   /* M */
    int32_t cols;   /* K */
    int32_t bm;     /* BM: rows of a tile */
    int32_t bk;     /* BK: columns of a tile */
    int32_t bmm;    /* bm: rows that lie interleaved */
} tern_lut_shape;

/* A packed matrix W = scale * T. */
typedef struct tern_lut_matrix {
    const uint8_t *packed;
    tern_lut_shape shape;
    float scale;
    int64_t kernel; /* index of this shape among those of the tern_lut_kernels that are called */
} tern_lut_matrix;

/* Room for the tables of a batch. A table is 32 bytes, the low bytes of its 16 int16 entries and then the high bytes.
 * TL2: a table for each of the first cols / 24 * 8 triples of columns, then one for each pair of the last 224 columns (of
 * all, when there are fewer). TL1: one for each pair. */
typedef struct tern_lut_tables {
    uint8_t *values; /* [tokens][stride] */
    int64_t stride;  /* bytes from one token to the next, at least TERN_LUT_TABLE_BYTES */
} tern_lut_tables;

/* Bytes of a token's tables; cols is a multiple of 4 (TL1) or 8 (TL2). */
#define TERN_LUT_TABLE_BYTES(format, cols)                                                                                 \
    ((format) == TERN_LUT_TL2 ? (cols) / 24 * 8 * 32 + ((cols) < 224 ? (cols) : 224) / 2 * 32 : (cols) / 2 * 32)

/*
 * The table of look-up-table kernels, as TERN_KERNEL_TABLE.
 *
 * build_tables: the tables of quantized tokens [token_begin, token_end) for one format. Matrices of the same format and
 *   columns share them, whatever their rows and tiles.
 *
 * matmul: y as ternary_matmul writes it, to the bit, for rows [row_begin, row_end), from tables of tokens [0, tokens) and
 *   their scales. Correct for any number of tokens.
 *
 * unpack: rows [row_begin, row_end) in the layout of tern_ternary_matrix, row_begin's first byte at codes, `stride` bytes
 *   from row to row; so that a batch can unpack a few rows once and multiply them with many tokens. An index that stands
 *   for no weights gives some code from 0 to 3.
 */
#define TERN_LUT_KERNEL_TABLE(X)                                                                                           \
    X(build_tables, int32_t,                                                                                               \
      (int32_t format, const tern_activations *a, int64_t cols, int64_t token_begin, int64_t token_end,                    \
       const tern_lut_tables *out))                                                                                        \
    X(matmul, int32_t,                                                                                                     \
      (const tern_lut_matrix *w, const tern_activations *a, const tern_lut_tables *tables, int64_t tokens,                 \
       int64_t row_begin, int64_t row_end, float *y, int64_t y_stride))                                                    \
    X(unpack, int32_t,                                                                                                     \
      (const tern_lut_matrix *w, int64_t row_begin, int64_t row_end, uint8_t *codes, int64_t stride))

/* The look-up-table kernels of one path. */
typedef struct tern_lut_kernels {
    int64_t path;                 /* tern_lut_path */
    const char *plan;             /* SHA-256 of the plan, 64 lower-case hex digits */
    int64_t shape_count;
    const tern_lut_shape *shapes; /* in the plan's order */
#define TERN_LUT_KERNEL_MEMBER(name, result, parameters) result(*name) parameters;
    TERN_LUT_KERNEL_TABLE(TERN_LUT_KERNEL_MEMBER)
#undef TERN_LUT_KERNEL_MEMBER
} tern_lut_kernels;

/* TERN_ABI_VERSION of the library. */
TERN_API int32_t tern_abi_version(void);

/* SHA-256 of this header as the library was built with it, 64 lower-case hex digits. */
TERN_API const char *tern_abi_hash(void);

/* Name of a tier ("scalar", "avx2"), or null for an unknown one. */
TERN_API const char *tern_tier_name(int32_t tier);

/* Why this machine cannot run a tier (the CPU lacks it, the operating system does not save its registers, the library was
 * built without it, or no such tier exists) as a sentence without its full stop, or null when it can. */
TERN_API const char *tern_tier_obstacle(int32_t tier);

/* The highest tier that this machine can run, not above TERN_MAX_TIER of the environment when that is set and not empty.
 * -1 when the variable holds a word that is no tier's name. */
TERN_API int32_t tern_best_tier(void);

/* The kernels of a tier, or null when it is unknown or has an obstacle here. Valid for the life of the process. */
TERN_API const tern_kernels *tern_kernels_of(int32_t tier);

/* SHA-256 of this header as the look-up-table kernels were built with it. libtern and the libraries beside it export this
 * function and the next; all others are libtern's alone. */
TERN_API const char *tern_lut_abi_hash(void);

/* The look-up-table kernels of a path, or null when the library was built without it or this machine cannot run it. Valid
 * for the life of the process. */
TERN_API const tern_lut_kernels *tern_lut_kernels_of(int32_t path);

#ifdef __cplusplus
}
#endif

#endif /* TERN_KERNELS_H */
