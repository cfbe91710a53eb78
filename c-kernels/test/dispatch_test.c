/*
 * dispatch_test.c: tiers, obstacles and TERN_MAX_TIER.
 */
#define _POSIX_C_SOURCE 200809L /* setenv */
#include "arm_features.h"
#include "check.h"
#include "x86_features.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Registers with the bits that count here as these CPUs have them under Linux. */
static const tern_x86_features skylake_server = {.leaf1_ecx = 0x7ffefbff, .leaf7_ebx = 0xd39ffffb, .xcr0 = 0x2ff};
static const tern_x86_features alder_lake = {
    .leaf1_ecx = 0x7ffafbbf, .leaf7_ebx = 0x239c27eb, .xcr0 = 0x207, .leaf7_ecx = 0x98c027bc, .leaf7_1_eax = 0x400810};
static const tern_x86_features zen4 = {.leaf1_ecx = 0xfff8320b,
                                       .leaf7_ebx = 0xf1bf97a9,
                                       .xcr0 = 0x2e7,
                                       .leaf7_ecx = 0x405fce,
                                       .leaf7_edx = 0x10000010,
                                       .leaf7_1_eax = 0x20};
static const tern_x86_features sapphire_rapids = {.leaf1_ecx = 0x7ffefbff,
                                                  .leaf7_ebx = 0xf3bfbfeb,
                                                  .xcr0 = 0x602e7,
                                                  .leaf7_ecx = 0x1b415fde,
                                                  .leaf7_edx = 0xffdd4432,
                                                  .leaf7_1_eax = 0x1c30};

static void test_obstacles(void) {
    const tern_x86_features good = zen4;
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
        const tern_x86_features features = {
            good.leaf1_ecx & ~bad[i].ecx, good.leaf7_ebx & ~bad[i].ebx, good.xcr0 & ~bad[i].xcr0, 0, 0, 0};
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

static const tern_x86_features none = {0, 0, 0, 0, 0, 0};

static void expect_obstacle(const char *machine, int32_t tier, tern_x86_features features, const char *words) {
    const char *obstacle = tern_x86_obstacle(tier, features);
    CHECK(words == NULL ? obstacle == NULL : obstacle != NULL && strstr(obstacle, words) != NULL,
          "%s, tier %s: %s, expected %s", machine, tern_tier_name(tier), obstacle == NULL ? "(no obstacle)" : obstacle,
          words == NULL ? "no obstacle" : words);
}

static void test_obstacles_of_real_cpus(void) {
    static const struct {
        const char *name;
        const tern_x86_features *features;
        const char *words[TERN_TIER_AMX + 1]; /* by tier */
    } machines[] = {
        {"Skylake server", &skylake_server, {NULL, NULL, "no AVX-VNNI", "AVX-512 but no VNNI", "AVX-512 but no VNNI"}},
        {"Alder Lake", &alder_lake, {NULL, NULL, NULL, "no AVX-512", "no AVX-512"}},
        {"Zen 4", &zen4, {NULL, NULL, "no AVX-VNNI", NULL, "no AMX"}},
        {"Sapphire Rapids", &sapphire_rapids, {NULL, NULL, NULL, NULL, NULL}},
        {"no x86-64", &none, {NULL, "no AVX", "no AVX", "no AVX", "no AVX"}},
    };
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        for (int32_t tier = TERN_TIER_SCALAR; tier <= TERN_TIER_AMX; tier++) {
            expect_obstacle(machines[i].name, tier, *machines[i].features, machines[i].words[tier]);
        }
    }
}

/* A Sapphire Rapids that lacks one bit after the other: the tiers that need it say so, the others run. */
static void test_missing_bits(void) {
    static const struct {
        const char *name;
        tern_x86_features missing;
        const char *words[TERN_TIER_AMX + 1];
    } bits[] = {
        {"without AVX-VNNI", {.leaf7_1_eax = 1 << 4}, {NULL, NULL, "no AVX-VNNI", NULL, NULL}},
        {"without F", {.leaf7_ebx = 1 << 16}, {NULL, NULL, NULL, "no AVX-512", "no AVX-512"}},
        {"without DQ", {.leaf7_ebx = 1 << 17}, {NULL, NULL, NULL, "DQ, BW and VL", "DQ, BW and VL"}},
        {"without BW", {.leaf7_ebx = 1 << 30}, {NULL, NULL, NULL, "DQ, BW and VL", "DQ, BW and VL"}},
        {"without VL", {.leaf7_ebx = UINT32_C(1) << 31}, {NULL, NULL, NULL, "DQ, BW and VL", "DQ, BW and VL"}},
        {"without VNNI", {.leaf7_ecx = 1 << 11}, {NULL, NULL, NULL, "no VNNI", "no VNNI"}},
        {"masks not saved", {.xcr0 = 1 << 5}, {NULL, NULL, NULL, "bits 5 to 7", "bits 5 to 7"}},
        {"upper halves not saved", {.xcr0 = 1 << 6}, {NULL, NULL, NULL, "bits 5 to 7", "bits 5 to 7"}},
        {"upper registers not saved", {.xcr0 = 1 << 7}, {NULL, NULL, NULL, "bits 5 to 7", "bits 5 to 7"}},
        {"without tiles", {.leaf7_edx = 1 << 24}, {NULL, NULL, NULL, NULL, "no AMX"}},
        {"without AMX-INT8", {.leaf7_edx = 1 << 25}, {NULL, NULL, NULL, NULL, "AMX-INT8"}},
        {"tile sizes not saved", {.xcr0 = 1 << 17}, {NULL, NULL, NULL, NULL, "bits 17 and 18"}},
        {"tiles not saved", {.xcr0 = 1 << 18}, {NULL, NULL, NULL, NULL, "bits 17 and 18"}},
        {"without FMA", {.leaf1_ecx = 1 << 12}, {NULL, "no FMA", "no FMA", "no FMA", "no FMA"}},
        {"AVX not saved", {.xcr0 = 1 << 2}, {NULL, "bits 1 and 2", "bits 1 and 2", "bits 1 and 2", "bits 1 and 2"}},
    };
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        tern_x86_features features = sapphire_rapids;
        features.leaf1_ecx &= ~bits[i].missing.leaf1_ecx;
        features.leaf7_ebx &= ~bits[i].missing.leaf7_ebx;
        features.leaf7_ecx &= ~bits[i].missing.leaf7_ecx;
        features.leaf7_edx &= ~bits[i].missing.leaf7_edx;
        features.leaf7_1_eax &= ~bits[i].missing.leaf7_1_eax;
        features.xcr0 &= ~bits[i].missing.xcr0;
        for (int32_t tier = TERN_TIER_SCALAR; tier <= TERN_TIER_AMX; tier++) {
            expect_obstacle(bits[i].name, tier, features, bits[i].words[tier]);
        }
    }
}

/* Every answer of Linux to the request for the tiles; and that this machine's CPU decides before it is asked. */
static void test_amx_permission(void) {
#if defined(__x86_64__) && defined(__linux__)
    CHECK(tern_amx_refusal(0) == NULL, "a permission is an obstacle");
    static const struct {
        int error;
        const char *words;
    } refusals[] = {
        {EINVAL, "older than 5.16"}, {EOPNOTSUPP, "without it"}, {ENOSPC, "signal stack"}, {EPERM, "refuses"}};
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const char *refusal = tern_amx_refusal(refusals[i].error);
        CHECK(refusal != NULL && strstr(refusal, refusals[i].words) != NULL, "error %d of the request: %s",
              refusals[i].error, refusal == NULL ? "(none)" : refusal);
    }
    if (tern_x86_obstacle(TERN_TIER_AMX, tern_read_x86_features()) == NULL) {
        CHECK(tern_amx_permission() == tern_amx_permission(), "a second request is answered otherwise");
    }
#else
    CHECK(tern_amx_permission() != NULL, "AMX on a machine without it");
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
    test_obstacles_of_real_cpus();
    test_missing_bits();
    test_amx_permission();
    test_arm_obstacles();
    test_prefetch();
    test_tiers();
    test_cap();
    printf("%d failures\n", failures());
    return failures() == 0 ? 0 : 1;
}
