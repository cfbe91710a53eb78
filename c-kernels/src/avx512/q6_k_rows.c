/*
 * q6_k_rows.c, AVX-512: listed rows of a matrix times the tokens each has: what a screen leaves of the head.
 *
 * Two things made such rows cost seven times their products: the activations were ordered anew for each, and each was
 * waited for, since no hardware prefetcher knows the next one. Here they are ordered once for all rows. Rows are
 * taken a chunk at a time, which stays in L2 while the tokens pass by, so that a token's activations stay in L1 for all
 * rows that it has of a chunk; and each product asks for one row of the next chunk, a few lines with each block. In
 * pages of 4 KiB nearly every row is a walk of the page tables, which takes longer than its lines: both ends of a row
 * are asked for some chunks earlier.
 *
 * Other types than Q6_K are AVX2's.
 */
#include "avx2/listed_prefetch.h"
#include "avx2/one_token.h"
#include "q6_k_ordered.h"
#include "tiers.h"

/* Rows of a chunk are the bits of a mask; activations that are ordered at a time are on the stack: 60 KiB, six tokens
 * of 2560 columns, of which Java promises 80. */
enum { CHUNK = 32, WALKS_AHEAD = 96, ORDERED = 15360 };

/* The call, without its tokens. */
typedef struct listed_products {
    const tern_float_matrix *w;
    const float *x;
    int64_t x_stride;
    const int32_t *rows;
    const uint32_t *masks;
    int64_t count;
    float *y;
    int64_t y_stride;
} listed_products;

TERN_INLINE const uint8_t *listed_at(const listed_products *p, int64_t i) {
    return q6_k_block(p->w->values, p->rows[i] * p->w->stride);
}

/* Which of the rows [begin, end) of the list have a token, bit i for begin + i. */
TERN_INLINE uint32_t rows_of_token(const uint32_t *masks, int64_t begin, int64_t end, int64_t t) {
    const __m512i bit = _mm512_set1_epi32((int32_t)(UINT32_C(1) << t));
    const __mmask16 first = first_of_16(end - begin);
    const __mmask16 second = first_of_16(end - begin - 16);
    const __m512i low = _mm512_maskz_loadu_epi32(first, masks + begin);
    const __m512i high = _mm512_maskz_loadu_epi32(second, masks + begin + (second == 0 ? 0 : 16));
    return (uint32_t)_mm512_test_epi32_mask(low, bit) | (uint32_t)_mm512_test_epi32_mask(high, bit) << 16;
}

/* Asks for the two ends of a row of the list, if there is one. */
TERN_INLINE void ask_for_ends_of(const listed_products *p, int64_t i) {
    if (i < p->count) {
        ask_for_ends(p->w, p->rows[i]);
    }
}

/* The rows of a chunk that have token t, whose activations are ordered or, where that is null, cannot be. `ask` is the
 * next row of the list to be asked for, none from `ask_end` on. */
TERN_INLINE int64_t chunk_times_token(const listed_products *p, int64_t begin, int64_t end, int64_t t,
                                      const float *ordered, int64_t ask, int64_t ask_end) {
    uint32_t left = rows_of_token(p->masks, begin, end, t);
    const float *x = p->x + t * p->x_stride;
    float *y = p->y + t * p->y_stride;
    for (; left != 0 && ordered == NULL; left &= left - 1) {
        const int64_t row = p->rows[begin + __builtin_ctz(left)];
        tern_avx2_blocks_one_token(p->w, x, row, row + 1, y, false);
    }
    if (left == 0) {
        return ask;
    }
    int64_t i = begin + __builtin_ctz(left);
    const uint8_t *at = listed_at(p, i);
    q6_k_begun begun = q6_k_begin(at);
    while (left != 0) {
        left &= left - 1;
        const int64_t next = left == 0 ? i : begin + __builtin_ctz(left);
        const uint8_t *next_at = listed_at(p, next);
        const uint8_t *wanted = next_at;
        if (ask < ask_end) {
            ask_for_ends_of(p, ask + WALKS_AHEAD);
            wanted = listed_at(p, ask++);
        }
        unsigned bad = 0;
        const int64_t ahead = (int64_t)((uintptr_t)wanted - (uintptr_t)at);
        y[p->rows[i]] = q6_k_row(&begun, at, next_at, p->w->cols, ordered, ASK_INTO_L2, ahead, &bad);
        if (bad) {
            tern_avx2_blocks_one_token(p->w, x, p->rows[i], p->rows[i] + 1, y, false);
        }
        i = next;
        at = next_at;
    }
    return ask;
}

/* Asks for rows [begin, end) of the list. */
TERN_INLINE void ask_for(const listed_products *p, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        ask_for_row(p->w, p->rows[i]);
    }
}

/* All rows, times the tokens [first, first + some) they have. */
static void rows_times_tokens(const listed_products *p, int64_t first, int64_t some, uint32_t orderly,
                              const float *ordered) {
    const int64_t head = p->count < CHUNK ? p->count : CHUNK;
    for (int64_t i = 0; i < head + WALKS_AHEAD; i++) {
        ask_for_ends_of(p, i);
    }
    ask_for(p, 0, head);
    int64_t end = head;
    for (int64_t begin = 0; begin < p->count; begin = end, end = end + CHUNK < p->count ? end + CHUNK : p->count) {
        int64_t ask = end;
        const int64_t ask_end = end + CHUNK < p->count ? end + CHUNK : p->count;
        for (int64_t t = 0; t < some; t++) {
            const float *activations = (orderly >> t & 1) != 0 ? ordered + t * p->w->cols : NULL;
            ask = chunk_times_token(p, begin, end, first + t, activations, ask, ask_end);
        }
        ask_for(p, ask, ask_end);
    }
}

static uint32_t all_tokens(const uint32_t *masks, int64_t count) {
    uint32_t all = 0;
    for (int64_t i = 0; i < count; i++) {
        all |= masks[i];
    }
    return all;
}

void tern_avx512_float_matmul_rows(const tern_float_matrix *w, const float *x, int64_t x_stride, int64_t tokens,
                                   const int32_t *rows, const uint32_t *masks, int64_t count, float *y,
                                   int64_t y_stride) {
    if (w->type != TERN_Q6_K || w->cols > Q6_K_MOST_ORDERED) {
        tern_avx2_float_matmul_rows(w, x, x_stride, tokens, rows, masks, count, y, y_stride);
        return;
    }
    float ordered[ORDERED] __attribute__((aligned(64)));
    const listed_products products = {w, x, x_stride, rows, masks, count, y, y_stride};
    const uint32_t listed = all_tokens(masks, count);
    const int64_t most = ORDERED / w->cols;
    for (int64_t first = 0; first < tokens; first += most) {
        const int64_t some = tokens - first < most ? tokens - first : most;
        uint32_t orderly = 0;
        for (int64_t t = 0; t < some; t++) {
            if ((listed >> (first + t) & 1) != 0 &&
                order_columns(x + (first + t) * x_stride, w->cols, ordered + t * w->cols)) {
                orderly |= UINT32_C(1) << t;
            }
        }
        rows_times_tokens(&products, first, some, orderly, ordered);
    }
}
