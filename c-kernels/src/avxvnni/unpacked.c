/*
 * unpacked.c, AVX-VNNI: panels times a batch, from codes that are unpacked once for all tokens.
 *
 * Twelve registers of sums: 16 rows (two registers of codes) by six tokens. Four columns of a token are broadcast from
 * memory for both, so that twelve products cost eight loads, and twelve sums hide the five cycles of a product.
 */
#include "dot.h"
#include "panel_slices.h"
#include "panels.h"

enum { TOKENS = 6 };

/* 16 rows, those of `quads`, with `tokens` tokens; a token's sums at dots + 32 token. */
TERN_INLINE void tile(int tokens, const uint8_t (*codes)[4 * HALF_ROWS], int64_t quads, const int8_t *a,
                      int64_t a_stride, int32_t *dots) {
    __m256i sums[2][TOKENS];
    for (int t = 0; t < tokens; t++) {
        sums[0][t] = _mm256_setzero_si256();
        sums[1][t] = _mm256_setzero_si256();
    }
    for (int64_t q = 0; q < quads; q++) {
        const __m256i low = load_codes(codes[q]);
        const __m256i high = load_codes(codes[q] + 32);
        for (int t = 0; t < tokens; t++) {
            const __m256i quad = broadcast_quad(a + t * a_stride + 4 * q);
            sums[0][t] = dot_add(sums[0][t], low, quad);
            sums[1][t] = dot_add(sums[1][t], high, quad);
        }
    }
    for (int t = 0; t < tokens; t++) {
        _mm256_store_si256((__m256i *)(dots + t * TERN_PANEL_ROWS), sums[0][t]);
        _mm256_store_si256((__m256i *)(dots + t * TERN_PANEL_ROWS + 8), sums[1][t]);
    }
}

/* A slice_product of up to six tokens. */
static void multiply_tokens(const panel_slice *slice, int64_t quads, const int8_t *a, int64_t a_stride, int64_t tokens,
                            slice_dots *dots, void *state) {
    (void)state;
    for (int half = 0; half < 2; half++) {
        const uint8_t(*codes)[4 * HALF_ROWS] = slice->codes[half];
        int32_t *of_half = &dots->of[0][0] + HALF_ROWS * half;
        switch (tokens) {
        case 6: tile(6, codes, quads, a, a_stride, of_half); break;
        case 5: tile(5, codes, quads, a, a_stride, of_half); break;
        case 4: tile(4, codes, quads, a, a_stride, of_half); break;
        case 3: tile(3, codes, quads, a, a_stride, of_half); break;
        case 2: tile(2, codes, quads, a, a_stride, of_half); break;
        default: tile(1, codes, quads, a, a_stride, of_half); break;
        }
    }
}

void tern_avxvnni_unpacked(const tern_ternary_matrix *w, const tern_activations *a, int64_t tokens, int64_t row_begin,
                           int64_t row_end, float *y, int64_t y_stride) {
    multiply_in_slices(w, a, tokens, row_begin, row_end, y, y_stride, TOKENS, multiply_tokens, NULL);
}
