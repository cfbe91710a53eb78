/*
 * check_limits.c: memory_read, dot_peak.
 */
#include "check.h"

#include <string.h>

void check_memory_read(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int64_t n = 0; n <= 20 * TERN_READ_UNIT; n += TERN_READ_UNIT) {
        for (int edge_of = 0; edge_of < 2; edge_of++) {
            guarded memory = guarded_new((size_t)n, (edge)edge_of);
            uint8_t *bytes = memory.data;
            uint64_t sum = 0;
            for (int64_t i = 0; i < n; i++) {
                bytes[i] = (uint8_t)random_bits();
                sum += (uint64_t)bytes[i] << i % 8 * 8;
            }
            CHECK((uint64_t)scalar->memory_read(bytes, n) == sum, "memory_read: %lld bytes, scalar", (long long)n);
            CHECK((uint64_t)tier->memory_read(bytes, n) == sum, "memory_read: %lld bytes", (long long)n);
            for (int64_t at = 0; at < n && n <= 2 * TERN_READ_UNIT; at++) { /* each byte counts */
                bytes[at]++;
                const uint64_t changed = (uint64_t)tier->memory_read(bytes, n);
                CHECK(changed != sum, "memory_read: byte %lld of %lld", (long long)at, (long long)n);
                bytes[at]--;
            }
            guarded_free(&memory);
        }
    }
}

static void compare_peaks(const tern_kernels *scalar, const tern_kernels *tier, const uint8_t *codes,
                          const int8_t *values, int64_t n) {
    guarded sums[2];
    for (int side = 0; side < 2; side++) {
        sums[side] = guarded_new(16 * sizeof(int32_t), (edge)side);
        (side == 0 ? scalar : tier)->dot_peak(codes, values, n, sums[side].data);
        CHECK(guarded_slack_intact(&sums[side]), "dot_peak: writes beside its sums");
    }
    for (int i = 0; i < 16; i++) {
        int64_t dot = 0;
        for (int j = 0; j < 4; j++) {
            dot += codes[4 * i + j] * values[j];
        }
        const int32_t expected = (int32_t)(uint32_t)(uint64_t)(n * dot);
        const int32_t found[2] = {((int32_t *)sums[0].data)[i], ((int32_t *)sums[1].data)[i]};
        CHECK(found[0] == expected && found[1] == expected, "dot_peak: sum %d of %lld is %d and %d, expected %d", i,
              (long long)n, found[0], found[1], expected);
    }
    guarded_free(&sums[0]);
    guarded_free(&sums[1]);
}

void check_dot_peak(const tern_kernels *scalar, const tern_kernels *tier) {
    guarded codes = guarded_new(64, AT_END);
    guarded values = guarded_new(4, AT_END);
    for (int64_t units = 0; units <= 12; units++) {
        for (int i = 0; i < 64; i++) {
            ((uint8_t *)codes.data)[i] = (uint8_t)random_below(3);
        }
        for (int j = 0; j < 4; j++) {
            ((int8_t *)values.data)[j] = (int8_t)(random_below(256) - 128);
        }
        compare_peaks(scalar, tier, codes.data, values.data, units * TERN_PEAK_UNIT);
    }
    /* What lanes of int16 must just hold, and sums that leave int32. */
    memset(codes.data, 2, 64);
    memset(values.data, 127, 4);
    compare_peaks(scalar, tier, codes.data, values.data, TERN_PEAK_UNIT);
    memset(values.data, -128, 4);
    compare_peaks(scalar, tier, codes.data, values.data, TERN_PEAK_UNIT);
    compare_peaks(scalar, tier, codes.data, values.data, 1400 * TERN_PEAK_UNIT);
    guarded_free(&codes);
    guarded_free(&values);
}
