/*
 * arm_features.c: AT_HWCAP, and what it means for the tiers.
 */
#include "arm_features.h"
#include "tern_kernels.h"

#include <stddef.h>

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

uint64_t tern_read_arm_hwcap(void) {
    return getauxval(AT_HWCAP);
}

#else

uint64_t tern_read_arm_hwcap(void) {
    return 0;
}

#endif

/* HWCAP_ASIMDDP of Linux's arm64, which its headers name only there. */
#define ASIMDDP (UINT64_C(1) << 20)

const char *tern_arm_obstacle(int32_t tier, uint64_t hwcap) {
    if (tier == TERN_TIER_NEONDOT && !(hwcap & ASIMDDP)) {
        return "the CPU has no dot product instructions (asimddp), or the operating system is not Linux, which tells "
               "of them";
    }
    return NULL;
}
