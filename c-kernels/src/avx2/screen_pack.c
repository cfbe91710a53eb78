/*
 * screen_pack.c, AVX2: the rows of a screen.
 *
 * A row is passed over three times (its norm, its levels, its remainder), and widened once where it fits in the buffer.
 * Products of a level and its weight, and squares, are never negative, so the zeros that fill up a sum change no lane.
 */
#include "float_blocks_32.h"
#include "screen.h"
#include "tiers.h"

#include <math.h>

enum { STRETCH = 4096 }; /* columns in the buffer: whole blocks */

typedef struct row_reader {
    const tern_float_matrix *w;
    int64_t row;
    int64_t held; /* first column in the buffer, or -1 */
    float buffer[STRETCH];
} row_reader;

/* Columns from `first` on, a multiple of STRETCH, with zeros after the last up to a multiple of 32. */
static const float *read_stretch(row_reader *reader, int64_t first) {
    if (reader->held == first) {
        return reader->buffer;
    }
    const tern_float_matrix *w = reader->w;
    const int64_t at = reader->row * w->stride + first;
    const int64_t count = w->cols - first < STRETCH ? w->cols - first : STRETCH;
    if (w->type == TERN_Q8_0 || w->type == TERN_Q6_K) {
        widen_blocks(w->values, w->type, at, count, reader->buffer);
    } else {
        int64_t c = 0;
        for (; c + 32 <= count; c += 32) {
            for (int j = 0; j < 32; j += 8) {
                _mm256_storeu_ps(reader->buffer + c + j, load_8(w->values, w->type, at + c + j));
            }
        }
        if (c < count) {
            store_lanes(reader->buffer + c, load_partial_32(w->values, w->type, at + c, count - c));
        }
    }
    reader->held = first;
    return reader->buffer;
}

static int64_t stretch_count(const row_reader *reader, int64_t first) {
    return reader->w->cols - first < STRETCH ? reader->w->cols - first : STRETCH;
}

/* Index of the level of each t. */
TERN_INLINE __m256i indices_of(int bits, __m256 t) {
    if (bits == 6) {
        const __m256i i = _mm256_cvttps_epi32(_mm256_mul_ps(t, _mm256_set1_ps(SCREEN_PER_STEP_6)));
        return _mm256_min_epi32(i, _mm256_set1_epi32(31));
    }
    __m256i i = _mm256_setzero_si256();
    for (int k = 0; k < 7; k++) {
        const __m256 reached = _mm256_cmp_ps(t, _mm256_set1_ps(screen_thresholds_4[k]), _CMP_GE_OQ);
        i = _mm256_sub_epi32(i, _mm256_castps_si256(reached));
    }
    return i;
}

TERN_INLINE __m256i levels_of(int bits, __m256i indices) {
    if (bits == 6) {
        return _mm256_add_epi32(_mm256_add_epi32(indices, indices), _mm256_set1_epi32(1));
    }
    const __m256i levels = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)screen_levels_4));
    return _mm256_permutevar8x32_epi32(levels, indices);
}

/* Eight weights: magnitudes, and levels of those that are columns of the row. */
typedef struct eight {
    __m256 magnitudes;
    __m256i levels;
    __m256i codes;
} eight;

TERN_INLINE eight quantize_8(int bits, const float *weights, __m256 inverse, __m256i present) {
    const __m256 w = _mm256_loadu_ps(weights);
    const __m256 magnitudes = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), w);
    const __m256i i = indices_of(bits, _mm256_mul_ps(magnitudes, inverse));
    const __m256i negative = _mm256_castps_si256(_mm256_cmp_ps(w, _mm256_setzero_ps(), _CMP_LT_OQ));
    const __m256i all = _mm256_set1_epi32(bits == 4 ? 15 : 63);
    const __m256i positive_code = _mm256_add_epi32(i, _mm256_set1_epi32(bits == 4 ? 8 : 32));
    const __m256i codes = _mm256_xor_si256(positive_code, _mm256_and_si256(negative, all)); /* 8 + i becomes 7 - i */
    return (eight){magnitudes, _mm256_and_si256(levels_of(bits, i), present), _mm256_and_si256(codes, present)};
}

TERN_INLINE void store_bytes_of_lanes(uint8_t *at, __m128i lanes) {
    const __m128i first_bytes = _mm_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const int32_t four = _mm_cvtsi128_si32(_mm_shuffle_epi8(lanes, first_bytes));
    memcpy(at, &four, sizeof four);
}

/* Low four bits of eight columns' codes: those of column 4 + j above those of column j. */
TERN_INLINE void store_low(uint8_t *at, __m256i codes) {
    const __m256i low = _mm256_and_si256(codes, _mm256_set1_epi32(15));
    const __m128i upper = _mm_slli_epi32(_mm256_extracti128_si256(low, 1), 4);
    store_bytes_of_lanes(at, _mm_or_si128(_mm256_castsi256_si128(low), upper));
}

/* High two bits of sixteen columns' codes. */
TERN_INLINE void store_high(uint8_t *at, __m256i first, __m256i second) {
    const __m256i h = _mm256_or_si256(_mm256_srli_epi32(first, 4), _mm256_slli_epi32(_mm256_srli_epi32(second, 4), 4));
    const __m128i upper = _mm_slli_epi32(_mm256_extracti128_si256(h, 1), 2);
    store_bytes_of_lanes(at, _mm_or_si128(_mm256_castsi256_si128(h), upper));
}

TERN_INLINE __m256i present_of_8(int64_t c, int64_t count) {
    return first_of_8(c >= count ? 0 : count - c < 8 ? count - c : 8);
}

/* Codes of 32 columns from c on; groups past the panel's last are not written. */
TERN_INLINE void store_32(int bits, const tern_screen *out, uint8_t *panel, int64_t r, int64_t c,
                          const __m256i codes[4]) {
    const int64_t groups = bits == 4 ? (out->cols + 7) / 8 : (out->cols + 15) / 16 * 2;
    for (int j = 0; j < 4 && c / 8 + j < groups; j++) {
        store_low(panel + screen_low_lane(bits, c / 8 + j, r), codes[j]);
        if (bits == 6 && j % 2 == 1) {
            store_high(panel + screen_high_lane(c / 16 + j / 2, r), codes[j - 1], codes[j]);
        }
    }
}

static float residual_of(float square) {
    const float residual = fmaf(sqrtf(square), SCREEN_RESIDUAL_FACTOR, SCREEN_RESIDUAL_REST);
    return residual == residual ? residual : INFINITY;
}

static void clear_row(const tern_screen *out, uint8_t *panel, int64_t row, float residual) {
    const int64_t groups = out->bits == 4 ? (out->cols + 7) / 8 : (out->cols + 15) / 16 * 3;
    for (int64_t g = 0; g < groups; g++) {
        memset(panel + g * SCREEN_GROUP_BYTES + row % TERN_PANEL_ROWS * 4, 0, 4);
    }
    out->steps[row] = 0;
    out->norms[row] = 0;
    out->residuals[row] = residual;
}

static float square_of_row(row_reader *reader) {
    lanes32 sum = lanes_zero();
    for (int64_t first = 0; first < reader->w->cols; first += STRETCH) {
        const float *weights = read_stretch(reader, first);
        for (int64_t c = 0; c < stretch_count(reader, first); c += 32) {
            for (int j = 0; j < 4; j++) {
                const __m256 w = _mm256_loadu_ps(weights + c + 8 * j);
                sum.part[j] = _mm256_fmadd_ps(w, w, sum.part[j]);
            }
        }
    }
    return lanes_fold(sum);
}

/* Writes the codes of a row; sums level * weight and level * level. */
TERN_INLINE float code_row(int bits, row_reader *reader, float inverse, const tern_screen *out, uint8_t *panel,
                           float *levels_square) {
    const __m256 inverses = _mm256_set1_ps(inverse);
    lanes32 sum = lanes_zero();
    __m256i squares = _mm256_setzero_si256();
    for (int64_t first = 0; first < reader->w->cols; first += STRETCH) {
        const float *weights = read_stretch(reader, first);
        const int64_t count = stretch_count(reader, first);
        for (int64_t c = 0; c < count; c += 32) {
            __m256i codes[4];
            for (int j = 0; j < 4; j++) {
                const eight e = quantize_8(bits, weights + c + 8 * j, inverses, present_of_8(c + 8 * j, count));
                codes[j] = e.codes;
                sum.part[j] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(e.levels), e.magnitudes, sum.part[j]);
                squares = _mm256_add_epi32(squares, _mm256_mullo_epi32(e.levels, e.levels));
            }
            store_32(bits, out, panel, reader->row % TERN_PANEL_ROWS, first + c, codes);
        }
    }
    int32_t of_lanes[8];
    _mm256_storeu_si256((__m256i *)of_lanes, squares);
    int64_t total = 0;
    for (int i = 0; i < 8; i++) {
        total += of_lanes[i];
    }
    *levels_square = (float)total;
    return lanes_fold(sum);
}

/* Square of the norm of what the levels leave. Of magnitudes: the sign of a difference does not matter to its square.
 */
TERN_INLINE float square_of_rest(int bits, row_reader *reader, float inverse, float step) {
    const __m256 inverses = _mm256_set1_ps(inverse);
    const __m256 steps = _mm256_set1_ps(step);
    lanes32 sum = lanes_zero();
    for (int64_t first = 0; first < reader->w->cols; first += STRETCH) {
        const float *weights = read_stretch(reader, first);
        const int64_t count = stretch_count(reader, first);
        for (int64_t c = 0; c < count; c += 32) {
            for (int j = 0; j < 4; j++) {
                const eight e = quantize_8(bits, weights + c + 8 * j, inverses, present_of_8(c + 8 * j, count));
                const __m256 d = _mm256_fnmadd_ps(steps, _mm256_cvtepi32_ps(e.levels), e.magnitudes);
                sum.part[j] = _mm256_fmadd_ps(d, d, sum.part[j]);
            }
        }
    }
    return lanes_fold(sum);
}

TERN_INLINE void pack_row(int bits, row_reader *reader, const tern_screen *out, uint8_t *panel) {
    const int64_t row = reader->row;
    const float square = square_of_row(reader);
    const float mean = square / (float)reader->w->cols;
    if (!(mean >= SCREEN_LEAST_SQUARE && mean <= SCREEN_LARGEST_SQUARE)) {
        clear_row(out, panel, row, residual_of(square));
        return;
    }
    const float inverse = 1.0f / sqrtf(mean);
    float n;
    const float step = code_row(bits, reader, inverse, out, panel, &n) / n;
    out->steps[row] = step;
    out->norms[row] = step * sqrtf(n) * SCREEN_NORM_FACTOR;
    out->residuals[row] = residual_of(square_of_rest(bits, reader, inverse, step));
}

void tern_avx2_screen_pack(const tern_float_matrix *w, int64_t row_begin, int64_t row_end, const tern_screen *out) {
    row_reader reader;
    reader.w = w;
    for (int64_t row = row_begin; row < screen_panels_end(row_end); row++) {
        uint8_t *panel = out->codes + row / TERN_PANEL_ROWS * out->stride;
        reader.row = row;
        reader.held = -1;
        if (row >= row_end) {
            clear_row(out, panel, row, 0);
        } else if (out->bits == 4) {
            pack_row(4, &reader, out, panel);
        } else {
            pack_row(6, &reader, out, panel);
        }
    }
}
