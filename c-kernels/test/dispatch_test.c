/*
 * dispatch_test.c: tiers, obstacles and TERN_MAX_TIER.
 */
#define _POSIX_C_SOURCE 200809L /* setenv */
#include "arm_features.h"
#include "check.h"
#include "x86_features.h"

#include <stdlib.h>
#include <string.h>

static void test_obstacles(void) {
    /* As Zen 4 reports them. */
    const tern_x86_features good = {0xfff8320b, 0xf1bf97a9, 0x2e7, 0x405fce, 0x10000010, 0x20};
    CHECK(tern_avx2_obstacle(good) == NULL, "a Zen 4 cannot run AVX2: %s", tern_avx2_obstacle(good));
    static const struct {
        uint32_t ecx;
        uint32_t ebx;
        uint64_t xcr0;
        const char *words;
    } bad[] = {
        {UINT32_C(1) << 28, 0, 0, "no AVX"},
        {0, UINT32_C(1) << 5, 0, "no AVX2"},
        {UINT32_C(1) << 12, 0, 0, "no FMA"},
        {UINT32_C(1) << 29, 0, 0, "no F16C"},
        {UINT32_C(1) << 27, 0, 0, "OSXSAVE"},
        {0, 0, 1 << 1, "XCR0"},
        {0, 0, 1 << 2, "XCR0"},
        {UINT32_C(1) << 12 | UINT32_C(1) << 27, 0, 7, "no FMA"}, /* the CPU's obstacle is told first */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const tern_x86_features features = {good.leaf1_ecx & ~bad[i].ecx, good.leaf7_ebx & ~bad[i].ebx,
                                            good.xcr0 & ~bad[i].xcr0, 0, 0, 0};
        const char *obstacle = tern_avx2_obstacle(features);
        CHECK(obstacle != NULL && strstr(obstacle, bad[i].words) != NULL, "machine %zu: %s, expected %s", i,
              obstacle == NULL ? "(no obstacle)" : obstacle, bad[i].words);
    }
    CHECK(tern_avx2_obstacle((tern_x86_features){0, 0, 0, 0, 0, 0}) != NULL, "a machine without CPUID runs AVX2");
#if defined(__x86_64__)
    /* The compiler's own detection is a second opinion on this machine. */
    __builtin_cpu_init();
    const bool expected = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    CHECK((tern_tier_obstacle(TERN_TIER_AVX2) == NULL) == expected, "AVX2 here: %s",
          expected ? tern_tier_obstacle(TERN_TIER_AVX2) : "no obstacle, though the compiler's run time sees one");
#endif
}

static void test_arm_obstacles(void) {
    const uint64_t cortex_a72 = 0x887;       /* Raspberry Pi 4: fp, asimd, evtstrm, crc32, cpuid */
    const uint64_t neoverse_n1 = 0x10119fff; /* with asimddp, bit 20 */
    CHECK(tern_arm_obstacle(TERN_TIER_NEON, 0) == NULL, "a 64-bit ARM cannot run NEON");
    CHECK(tern_arm_obstacle(TERN_TIER_NEONDOT, neoverse_n1) == NULL, "a Neoverse N1 cannot run the dot product");
    const char *obstacle = tern_arm_obstacle(TERN_TIER_NEONDOT, cortex_a72);
    CHECK(obstacle != NULL && strstr(obstacle, "asimddp") != NULL, "a Cortex-A72 runs the dot product");
}

static void test_prefetch(void) {
    CHECK(tern_prefetch_pays_on("GenuineIntel"), "no prefetch on Intel");
    CHECK(!tern_prefetch_pays_on("AuthenticAMD") && !tern_prefetch_pays_on("HygonGenuine"), "prefetch on AMD");
#if defined(__x86_64__)
    CHECK(tern_prefetch_pays() == (__builtin_cpu_is("intel") != 0), "this machine's vendor is mistaken");
#else
    CHECK(!tern_prefetch_pays(), "prefetch on a machine that is no x86-64");
#endif
    CHECK(tern_prefetch_pays() == tern_prefetch_pays(), "the answer changes");
}

static void test_tiers(void) {
    CHECK(strcmp(tern_tier_name(TERN_TIER_SCALAR), "scalar") == 0 &&
              strcmp(tern_tier_name(TERN_TIER_AVX2), "avx2") == 0 &&
              strcmp(tern_tier_name(TERN_TIER_AVX512VNNI), "avx512vnni") == 0,
          "names of tiers");
    CHECK(tern_tier_obstacle(TERN_TIER_SCALAR) == NULL, "scalar has an obstacle");
    static const int32_t unknown[] = {-1, TERN_TIER_NEONDOT + 1, 1000, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        CHECK(tern_tier_name(unknown[i]) == NULL && tern_tier_obstacle(unknown[i]) != NULL &&
                  tern_kernels_of(unknown[i]) == NULL,
              "tier %d is known", unknown[i]);
    }
    for (int32_t tier = 0; tern_tier_name(tier) != NULL; tier++) {
        const tern_kernels *kernels = tern_kernels_of(tier);
        CHECK((kernels == NULL) == (tern_tier_obstacle(tier) != NULL), "tier %d: table and obstacle disagree", tier);
        if (kernels != NULL) {
            CHECK(kernels->tier == tier, "the table of tier %d says %lld", tier, (long long)kernels->tier);
#define CHECK_MEMBER(name, result, parameters) CHECK(kernels->name != NULL, "tier %d has no " #name, tier);
            TERN_KERNEL_TABLE(CHECK_MEMBER)
#undef CHECK_MEMBER
        }
    }
}

static int32_t best_with(const char *cap) {
    if (cap == NULL) {
        unsetenv("TERN_MAX_TIER");
    } else {
        setenv("TERN_MAX_TIER", cap, 1);
    }
    return tern_best_tier();
}

/* The best tier up to one, looked for from below. */
static int32_t best_up_to(int32_t cap) {
    int32_t best = TERN_TIER_SCALAR;
    for (int32_t tier = 0; tier <= cap; tier++) {
        best = tern_tier_obstacle(tier) == NULL ? tier : best;
    }
    return best;
}

static void test_cap(void) {
    const int32_t best = best_up_to(TERN_TIER_NEONDOT);
    CHECK(best_with(NULL) == best, "the best tier is not %d", best);
    CHECK(best_with("") == best, "an empty TERN_MAX_TIER is a cap");
    for (int32_t tier = 0; tern_tier_name(tier) != NULL; tier++) {
        CHECK(best_with(tern_tier_name(tier)) == best_up_to(tier), "TERN_MAX_TIER=%s gives %d", tern_tier_name(tier),
              tern_best_tier());
    }
    static const char *const words[] = {"avx3", "AVX2", "scalar ", "0"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        CHECK(best_with(words[i]) == -1, "TERN_MAX_TIER=%s is taken for a tier", words[i]);
    }
}

int main(void) {
    test_obstacles();
    test_arm_obstacles();
    test_prefetch();
    test_tiers();
    test_cap();
    printf("%d failures\n", failures());
    return failures() == 0 ? 0 : 1;
}
