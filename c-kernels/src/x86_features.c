/*
 * x86_features.c: CPUID and XGETBV, and what they mean for the tiers.
 */
#define _GNU_SOURCE /* syscall */
#include "x86_features.h"
#include "tern_kernels.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__x86_64__)
#include <cpuid.h>

/* XGETBV as an instruction: its intrinsic would need -mxsave, and this file is built for the baseline. */
static uint64_t read_xcr0(void) {
    uint32_t low;
    uint32_t high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

#define OSXSAVE (UINT32_C(1) << 27)

tern_x86_features tern_read_x86_features(void) {
    tern_x86_features features = {0, 0, 0, 0, 0, 0};
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx)) {
        features.leaf1_ecx = ecx;
        if (ecx & OSXSAVE) {
            features.xcr0 = read_xcr0();
        }
    }
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
        features.leaf7_ebx = ebx;
        features.leaf7_ecx = ecx;
        features.leaf7_edx = edx;
        if (eax >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx)) {
            features.leaf7_1_eax = eax;
        }
    }
    return features;
}

static bool read_prefetch_pays(void) {
    uint32_t eax;
    uint32_t vendor[3] = {0, 0, 0};
    __get_cpuid(0, &eax, &vendor[0], &vendor[2], &vendor[1]);
    return tern_prefetch_pays_on((const char *)vendor);
}

#else

tern_x86_features tern_read_x86_features(void) {
    return (tern_x86_features){0, 0, 0, 0, 0, 0};
}

static bool read_prefetch_pays(void) {
    return false;
}

#endif

bool tern_prefetch_pays_on(const char vendor[12]) {
    return memcmp(vendor, "GenuineIntel", 12) == 0;
}

bool tern_prefetch_pays(void) {
    enum { UNKNOWN, NO, YES };
    static atomic_int known = UNKNOWN; /* kept, since CPUID is slow under a hypervisor */
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == UNKNOWN) {
        answer = read_prefetch_pays() ? YES : NO;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == YES;
}

const char *tern_avx2_obstacle(tern_x86_features features) {
    const uint32_t ecx = features.leaf1_ecx;
    if (!(ecx >> 28 & 1)) {
        return "the CPU has no AVX";
    }
    if (!(features.leaf7_ebx >> 5 & 1)) {
        return "the CPU has AVX but no AVX2";
    }
    if (!(ecx >> 12 & 1)) {
        return "the CPU has AVX2 but no FMA";
    }
    if (!(ecx >> 29 & 1)) {
        return "the CPU has AVX2 but no F16C";
    }
    if (!(ecx >> 27 & 1)) {
        return "the CPU has AVX2, but the operating system has not switched on XSAVE (OSXSAVE is 0)";
    }
    if ((features.xcr0 & 6) != 6) {
        return "the CPU has AVX2, but the operating system does not save the AVX registers (XCR0 bits 1 and 2)";
    }
    return NULL;
}

static const char *avxvnni_obstacle(tern_x86_features features) {
    return features.leaf7_1_eax >> 4 & 1 ? NULL : "the CPU has AVX2 but no AVX-VNNI";
}

static const char *avx512vnni_obstacle(tern_x86_features features) {
    if (!(features.leaf7_ebx >> 16 & 1)) {
        return "the CPU has no AVX-512";
    }
    if (!(features.leaf7_ebx >> 17 & features.leaf7_ebx >> 30 & features.leaf7_ebx >> 31 & 1)) {
        return "the CPU has AVX-512 but not its DQ, BW and VL";
    }
    if (!(features.leaf7_ecx >> 11 & 1)) {
        return "the CPU has AVX-512 but no VNNI";
    }
    if ((features.xcr0 & 0xe6) != 0xe6) {
        return "the CPU has AVX-512, but the operating system does not save its registers (XCR0 bits 5 to 7)";
    }
    return NULL;
}

static const char *amx_obstacle(tern_x86_features features) {
    if (!(features.leaf7_edx >> 24 & 1)) {
        return "the CPU has no AMX";
    }
    if (!(features.leaf7_edx >> 25 & 1)) {
        return "the CPU has AMX but not its products of int8 (AMX-INT8)";
    }
    if ((features.xcr0 >> 17 & 3) != 3) {
        return "the CPU has AMX, but the operating system does not save its tiles (XCR0 bits 17 and 18)";
    }
    return NULL;
}

/* A tier needs what the one has that it takes kernels over from: avxvnni and avx512vnni from avx2, amx from avx512vnni.
 */
const char *tern_x86_obstacle(int32_t tier, tern_x86_features features) {
    if (tier == TERN_TIER_SCALAR) {
        return NULL;
    }
    const char *obstacle = tern_avx2_obstacle(features);
    if (obstacle != NULL || tier == TERN_TIER_AVX2) {
        return obstacle;
    }
    if (tier == TERN_TIER_AVXVNNI) {
        return avxvnni_obstacle(features);
    }
    obstacle = avx512vnni_obstacle(features);
    return obstacle != NULL || tier == TERN_TIER_AVX512VNNI ? obstacle : amx_obstacle(features);
}

#if defined(__x86_64__) && defined(__linux__)
/* Of Linux' asm/prctl.h, which is missing where the headers are older than 5.16. */
enum { REQUEST_STATE_COMPONENT = 0x1023 /* ARCH_REQ_XCOMP_PERM */, TILE_DATA = 18 };

const char *tern_amx_permission(void) {
    return tern_amx_refusal(syscall(SYS_arch_prctl, REQUEST_STATE_COMPONENT, TILE_DATA) == 0 ? 0 : errno);
}

const char *tern_amx_refusal(int error) {
    switch (error) {
    case 0: return NULL;
    case EINVAL: return "the CPU has AMX, but Linux is older than 5.16 and gives no permission to use it";
    case EOPNOTSUPP: return "the CPU has AMX, but this Linux was built or started without it";
    case ENOSPC: return "the CPU has AMX, but a thread's alternate signal stack is too small for its tiles";
    default: return "the CPU has AMX, but Linux refuses the permission to use it (arch_prctl ARCH_REQ_XCOMP_PERM)";
    }
}
#else
const char *tern_amx_permission(void) {
    return "Tern uses AMX on Linux only";
}
#endif
