/*
 * arm_features.h: what this 64-bit ARM processor has beyond NEON, which all of them have.
 */
#ifndef TERN_ARM_FEATURES_H
#define TERN_ARM_FEATURES_H

#include <stdint.h>

/* AT_HWCAP of Linux's auxiliary vector: what the kernel lets processes use. Zero where there is none. */
uint64_t tern_read_arm_hwcap(void);

/* Why a machine with this AT_HWCAP cannot run a tier of 64-bit ARM, or null when it can. */
const char *tern_arm_obstacle(int32_t tier, uint64_t hwcap);

#endif /* TERN_ARM_FEATURES_H */
