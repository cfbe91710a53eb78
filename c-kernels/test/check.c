/*
 * check.c: see check.h.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */
#include "check.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int failure_count;

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("FAILED: ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    if (++failure_count == 20) {
        puts("20 failures, stopping");
        exit(1);
    }
}

int failures(void) {
    return failure_count;
}

static uint64_t random_state = 1;

void seed_random(uint64_t seed) {
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

uint64_t random_bits(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

int64_t random_below(int64_t n) {
    return (int64_t)(random_bits() >> 33) % n;
}

float random_uniform(void) {
    return (float)((double)(random_bits() >> 40) / (double)(1 << 23) - 1.0);
}

enum { PATTERN = 0xa7 };

guarded guarded_new(size_t bytes, edge side) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t inner = (bytes + page - 1) / page * page;
    uint8_t *all = mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || (inner > 0 && mprotect(all + page, inner, PROT_READ | PROT_WRITE) != 0)) {
        perror("mmap of a guarded buffer");
        exit(2);
    }
    guarded buffer = {all + page, bytes, all + page, inner};
    if (side == AT_END) {
        buffer.data = all + page + inner - bytes;
    }
    guarded_refill(&buffer);
    return buffer;
}

void guarded_free(guarded *buffer) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(buffer->pages - page, buffer->page_bytes + 2 * page);
    buffer->data = NULL;
}

void guarded_refill(guarded *buffer) {
    memset(buffer->pages, PATTERN, buffer->page_bytes);
}

bool guarded_is_pattern(const void *at, size_t bytes, const guarded *buffer) {
    (void)buffer;
    const uint8_t *p = at;
    for (size_t i = 0; i < bytes; i++) {
        if (p[i] != PATTERN) {
            return false;
        }
    }
    return true;
}

bool guarded_slack_intact(const guarded *buffer) {
    const uint8_t *data = buffer->data;
    const size_t before = (size_t)(data - buffer->pages);
    return guarded_is_pattern(buffer->pages, before, buffer) &&
           guarded_is_pattern(data + buffer->bytes, buffer->page_bytes - before - buffer->bytes, buffer);
}

bool same_float(float a, float b) {
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

bool same_half(uint16_t a, uint16_t b) {
    return a == b || ((a & 0x7fff) > 0x7c00 && (b & 0x7fff) > 0x7c00);
}

int64_t first_difference(const float *a, const float *b, int64_t n) {
    if (memcmp(a, b, (size_t)n * sizeof(float)) == 0) {
        return -1;
    }
    for (int64_t i = 0; i < n; i++) {
        if (!same_float(a[i], b[i])) {
            return i;
        }
    }
    return -1;
}

static float random_of_kind(fill kind) {
    const float u = random_uniform();
    switch (kind) {
    case FILL_ZERO: return u < 0 ? -0.0f : 0.0f;
    case FILL_SUBNORMAL: return u * 0x1p-125f;
    case FILL_TINY: return u * 1e-22f;
    case FILL_HUGE: return u * 1e30f;
    case FILL_SPECIAL: {
        static const float specials[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, -NAN};
        return random_below(40) == 0 ? specials[random_below(6)] : u;
    }
    case FILL_UNIFORM:
    case FILL_COUNT: break;
    }
    return u;
}

void fill_floats(float *x, int64_t n, fill kind) {
    for (int64_t i = 0; i < n; i++) {
        x[i] = random_of_kind(kind);
    }
}

size_t size_of_type(int32_t type) {
    return type == TERN_F32 ? 4 : 2;
}

int64_t block_of_type(int32_t type) {
    return type == TERN_Q8_0 ? 32 : type == TERN_Q6_K ? 256 : 1;
}

size_t bytes_of_elements(int32_t type, int64_t n) {
    static const size_t block_bytes[] = {4, 2, 2, 34, 210};
    return (size_t)(n / block_of_type(type)) * block_bytes[type];
}

static void fill_blocks(uint8_t *x, int32_t type, int64_t n, fill kind) {
    const size_t bytes = bytes_of_elements(type, n);
    const size_t block = bytes_of_elements(type, block_of_type(type));
    for (size_t i = 0; i < bytes; i++) {
        x[i] = (uint8_t)random_bits();
    }
    for (size_t i = type == TERN_Q8_0 ? 0 : 208; i < bytes; i += block) {
        const uint16_t d =
            f16_of_double((double)(kind == FILL_SUBNORMAL ? random_uniform() * 0x1p-13f : random_of_kind(kind)));
        memcpy(x + i, &d, sizeof d);
    }
}

void fill_typed(void *x, int32_t type, int64_t n, fill kind) {
    if (type == TERN_F32) {
        fill_floats(x, n, kind);
        return;
    }
    if (type == TERN_Q8_0 || type == TERN_Q6_K) {
        fill_blocks(x, type, n, kind);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        float value = random_of_kind(kind);
        if (type == TERN_F16 && kind == FILL_SUBNORMAL) {
            value = random_uniform() * 0x1p-13f; /* half the f16 range of these is subnormal */
        }
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        ((uint16_t *)x)[i] = type == TERN_F16 ? f16_of_double((double)value) : (uint16_t)(bits >> 16);
    }
}

double double_of_f16(uint16_t half) {
    const int exponent = half >> 10 & 31;
    const int mantissa = half & 0x3ff;
    double value;
    if (exponent == 31) {
        value = mantissa != 0 ? (double)NAN : (double)INFINITY;
    } else if (exponent == 0) {
        value = ldexp(mantissa, -24);
    } else {
        value = ldexp(1024 + mantissa, exponent - 25);
    }
    return half & 0x8000 ? -value : value;
}

uint16_t f16_of_double(double value) {
    const uint16_t sign = signbit(value) ? 0x8000 : 0;
    const double magnitude = fabs(value);
    if (isnan(value)) {
        return (uint16_t)(sign | 0x7e00);
    }
    int exponent = magnitude == 0 ? -13 : ilogb(magnitude);
    exponent = exponent < -14 ? -14 : exponent;
    if (magnitude >= 65520) { /* the middle between 65504 and 65536 goes to the even one, which is infinity */
        return (uint16_t)(sign | 0x7c00);
    }
    /* In units of the last place; 1024 and above is a normal number, and 2048 the next binade. */
    const int units = (int)nearbyint(ldexp(magnitude, 10 - exponent));
    return (uint16_t)(sign | (units < 1024 ? units : (exponent + 14) * 1024 + units));
}

static double q8_0_double(const uint8_t *block, int64_t i) {
    return double_of_f16((uint16_t)(block[0] + 256 * block[1])) * (double)(int8_t)block[2 + i];
}

/* As ggml unpacks a block: 128 columns at a time, four columns of each l. */
static double q6_k_double(const uint8_t *block, int64_t wanted) {
    double y[256];
    for (int n = 0; n < 2; n++) {
        const uint8_t *ql = block + 64 * n;
        const uint8_t *qh = block + 128 + 32 * n;
        const uint8_t *scales = block + 192 + 8 * n;
        for (int l = 0; l < 32; l++) {
            const int q[] = {ql[l] % 16 + qh[l] % 4 * 16, ql[l + 32] % 16 + qh[l] / 4 % 4 * 16,
                             ql[l] / 16 + qh[l] / 16 % 4 * 16, ql[l + 32] / 16 + qh[l] / 64 * 16};
            for (int p = 0; p < 4; p++) {
                y[128 * n + 32 * p + l] = (double)(int8_t)scales[l / 16 + 2 * p] * (double)(q[p] - 32);
            }
        }
    }
    return double_of_f16((uint16_t)(block[208] + 256 * block[209])) * y[wanted];
}

double double_of_typed(const void *values, int32_t type, int64_t i) {
    if (type == TERN_Q8_0) {
        return q8_0_double((const uint8_t *)values + i / 32 * 34, i % 32);
    }
    if (type == TERN_Q6_K) {
        return q6_k_double((const uint8_t *)values + i / 256 * 210, i % 256);
    }
    if (type == TERN_F16) {
        return double_of_f16(((const uint16_t *)values)[i]);
    }
    float value;
    if (type == TERN_BF16) {
        const uint32_t bits = (uint32_t)((const uint16_t *)values)[i] << 16;
        memcpy(&value, &bits, sizeof value);
    } else {
        value = ((const float *)values)[i];
    }
    return (double)value;
}

void *sparse_new(size_t bytes) {
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
        perror("mmap of a sparse buffer");
        exit(2);
    }
    return at;
}

void sparse_free(void *at, size_t bytes) {
    munmap(at, bytes);
}
