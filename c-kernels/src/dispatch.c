/*
 * dispatch.c: which tiers exist, which of them this machine can run, and their tables of kernels.
 */
#include "arm_features.h"
#include "tiers.h"
#include "x86_features.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SCALAR_MEMBER(name, result, parameters) .name = tern_scalar_##name,
static const tern_kernels scalar_kernels = {.tier = TERN_TIER_SCALAR, TERN_KERNEL_TABLE(SCALAR_MEMBER)};
#undef SCALAR_MEMBER

#if TERN_HAS_AVX2
#define AVX2_MEMBER(name, result, parameters) .name = tern_avx2_##name,
static const tern_kernels avx2_kernels = {.tier = TERN_TIER_AVX2, TERN_KERNEL_TABLE(AVX2_MEMBER)};
#undef AVX2_MEMBER
#define AVX2_KERNELS (&avx2_kernels)
#define AVX512_MEMBER(name, result, parameters) .name = tern_avx512_##name,
static const tern_kernels avx512vnni_kernels = {.tier = TERN_TIER_AVX512VNNI, TERN_KERNEL_TABLE(AVX512_MEMBER)};
#undef AVX512_MEMBER
#define AVX512VNNI_KERNELS (&avx512vnni_kernels)
#else
#define AVX2_KERNELS NULL
#define AVX512VNNI_KERNELS NULL
#endif

#if TERN_HAS_AVXVNNI
#define AVXVNNI_MEMBER(name, result, parameters) .name = tern_avxvnni_##name,
static const tern_kernels avxvnni_kernels = {.tier = TERN_TIER_AVXVNNI, TERN_KERNEL_TABLE(AVXVNNI_MEMBER)};
#undef AVXVNNI_MEMBER
#define AVXVNNI_KERNELS (&avxvnni_kernels)
#else
#define AVXVNNI_KERNELS NULL
#endif

#if TERN_HAS_AMX
#define AMX_MEMBER(name, result, parameters) .name = tern_amx_##name,
static const tern_kernels amx_kernels = {.tier = TERN_TIER_AMX, TERN_KERNEL_TABLE(AMX_MEMBER)};
#undef AMX_MEMBER
#define AMX_KERNELS (&amx_kernels)
#else
#define AMX_KERNELS NULL
#endif

#if TERN_HAS_NEON
#define NEON_MEMBER(name, result, parameters) .name = tern_neon_##name,
static const tern_kernels neon_kernels = {.tier = TERN_TIER_NEON, TERN_KERNEL_TABLE(NEON_MEMBER)};
#undef NEON_MEMBER
#define NEON_KERNELS (&neon_kernels)
#define NEONDOT_MEMBER(name, result, parameters) .name = tern_neondot_##name,
static const tern_kernels neondot_kernels = {.tier = TERN_TIER_NEONDOT, TERN_KERNEL_TABLE(NEONDOT_MEMBER)};
#undef NEONDOT_MEMBER
#define NEONDOT_KERNELS (&neondot_kernels)
#else
#define NEON_KERNELS NULL
#define NEONDOT_KERNELS NULL
#endif

typedef struct tier_entry {
    const char *name;
    const tern_kernels *kernels; /* null when the library was built without the tier */
} tier_entry;

/* By tern_tier, which ascends. */
static const tier_entry tiers[] = {
    [TERN_TIER_SCALAR] = {"scalar", &scalar_kernels},
    [TERN_TIER_AVX2] = {"avx2", AVX2_KERNELS},
    [TERN_TIER_AVXVNNI] = {"avxvnni", AVXVNNI_KERNELS},
    [TERN_TIER_AVX512VNNI] = {"avx512vnni", AVX512VNNI_KERNELS},
    [TERN_TIER_AMX] = {"amx", AMX_KERNELS},
    [TERN_TIER_NEON] = {"neon", NEON_KERNELS},
    [TERN_TIER_NEONDOT] = {"neondot", NEONDOT_KERNELS},
};

#define TIER_COUNT ((int32_t)(sizeof tiers / sizeof tiers[0]))

/* Under a hypervisor every CPUID leaves the guest (tens of microseconds), so answers are kept. Threads that meet here
 * for the first time all store the same pointer. */
static const char *obstacle_once(int32_t tier) {
    static const char unknown[] = "";
    static _Atomic(const char *) known[] = {unknown, unknown, unknown, unknown, unknown, unknown, unknown};
    _Static_assert(sizeof known / sizeof known[0] == sizeof tiers / sizeof tiers[0], "an answer for each tier");
    const char *obstacle = atomic_load_explicit(&known[tier], memory_order_relaxed);
    if (obstacle == unknown) {
        obstacle = tier >= TERN_TIER_NEON ? tern_arm_obstacle(tier, tern_read_arm_hwcap())
                                          : tern_x86_obstacle(tier, tern_read_x86_features());
        if (obstacle == NULL && tier == TERN_TIER_AMX) {
            obstacle = tern_amx_permission();
        }
        atomic_store_explicit(&known[tier], obstacle, memory_order_relaxed);
    }
    return obstacle;
}

const char *tern_tier_name(int32_t tier) {
    return tier >= 0 && tier < TIER_COUNT ? tiers[tier].name : NULL;
}

const char *tern_tier_obstacle(int32_t tier) {
    if (tier < 0 || tier >= TIER_COUNT) {
        return "this library knows no such tier";
    }
    if (tiers[tier].kernels == NULL) {
        return "this library was built without the tier: for another kind of CPU, or by a compiler "
               "that does not know it";
    }
    return obstacle_once(tier);
}

int32_t tern_best_tier(void) {
    int32_t best = TIER_COUNT - 1;
    const char *cap = getenv("TERN_MAX_TIER");
    if (cap != NULL && *cap != '\0') {
        while (best >= 0 && strcmp(cap, tiers[best].name) != 0) {
            best--;
        }
        if (best < 0) {
            return -1;
        }
    }
    while (tern_tier_obstacle(best) != NULL) { /* ends at the latest with scalar, which has none */
        best--;
    }
    return best;
}

const tern_kernels *tern_kernels_of(int32_t tier) {
    return tern_tier_obstacle(tier) == NULL ? tiers[tier].kernels : NULL;
}

int32_t tern_abi_version(void) {
    return TERN_ABI_VERSION;
}

const char *tern_abi_hash(void) {
    return TERN_ABI_HASH; /* from the build, which hashes the header */
}
