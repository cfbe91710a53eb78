/*
 * check.h: what the kernel tests share. Random numbers, buffers between guard pages, comparison to the bit.
 */
#ifndef TERN_CHECK_H
#define TERN_CHECK_H

#include "tern_kernels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Prints what is wrong, counts it, and stops the program after 20. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
int failures(void);

#define CHECK(condition, ...)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fail(__VA_ARGS__);                                                                                         \
        }                                                                                                              \
    } while (0)

/* xorshift64*, seeded per test so that a failure repeats. */
void seed_random(uint64_t seed);
uint64_t random_bits(void);
int64_t random_below(int64_t n);
float random_uniform(void); /* [-1, 1) */

/*
 * A buffer whose first byte follows, or whose last byte precedes, a page that faults. All bytes of its pages, the slack
 * on the open side included, are filled with one pattern.
 */
typedef enum edge { AT_BEGIN, AT_END } edge;

typedef struct guarded {
    void *data;
    size_t bytes;
    uint8_t *pages; /* the accessible ones */
    size_t page_bytes;
} guarded;

guarded guarded_new(size_t bytes, edge side);
void guarded_free(guarded *buffer);
void guarded_refill(guarded *buffer);             /* the pattern again, everywhere */
bool guarded_slack_intact(const guarded *buffer); /* the pattern still stands outside of [data, data + bytes) */
bool guarded_is_pattern(const void *at, size_t bytes, const guarded *buffer);

/* Equal to the bit, except that any NaN equals any NaN. */
bool same_float(float a, float b);
bool same_half(uint16_t a, uint16_t b);
int64_t first_difference(const float *a, const float *b, int64_t n); /* -1 if none */

/* Kinds of float input. */
typedef enum fill {
    FILL_UNIFORM,   /* [-1, 1) */
    FILL_ZERO,      /* +0 and -0 */
    FILL_SUBNORMAL, /* subnormals and the smallest normals: products underflow */
    FILL_TINY,      /* around 1e-23, so that products round to subnormals and to -0 */
    FILL_HUGE,      /* around 1e30: sums of squares overflow */
    FILL_SPECIAL,   /* uniform, with a NaN, infinities and zeros strewn in */
    FILL_COUNT
} fill;

void fill_floats(float *x, int64_t n, fill kind);
/* n elements of a tern_float_type, converted from what fill_floats gives; in Q8_0 and Q6_K that is d, the rest is
 * random. */
void fill_typed(void *x, int32_t type, int64_t n, fill kind);
size_t size_of_type(int32_t type); /* of F32, F16 and BF16 */
int64_t block_of_type(int32_t type); /* elements of a block: 1 of plain floats, 32 of Q8_0, 256 of Q6_K */
size_t bytes_of_elements(int32_t type, int64_t n); /* n is a multiple of a block */

/* Conversions written independently of the kernels (by arithmetic, not by bits). */
double double_of_f16(uint16_t half);
uint16_t f16_of_double(double value);
double double_of_typed(const void *values, int32_t type, int64_t i);

/* An anonymous mapping of `bytes` that takes memory only where it is touched. */
void *sparse_new(size_t bytes);
void sparse_free(void *at, size_t bytes);

#endif /* TERN_CHECK_H */
