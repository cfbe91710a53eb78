/*
 * x86_features.h: what this CPU has and what the operating system lets a process use of it.
 */
#ifndef TERN_X86_FEATURES_H
#define TERN_X86_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

/* The registers that decide about the tiers, as CPUID and XGETBV return them. */
typedef struct tern_x86_features {
    uint32_t leaf1_ecx; /* CPUID 1: FMA bit 12, OSXSAVE bit 27, AVX bit 28, F16C bit 29 */
    uint32_t leaf7_ebx; /* CPUID 7.0: AVX2 bit 5, AVX-512 F 16, DQ 17, BW 30, VL 31; zero when the CPU has no leaf 7 */
    uint64_t xcr0;      /* XGETBV 0: SSE state bit 1, AVX 2, AVX-512 5 to 7, AMX 17 and 18; zero unless OSXSAVE */
    uint32_t leaf7_ecx; /* CPUID 7.0: AVX-512 VNNI bit 11 */
    uint32_t leaf7_edx; /* CPUID 7.0: AMX-TILE bit 24, AMX-INT8 bit 25 */
    uint32_t leaf7_1_eax; /* CPUID 7.1: AVX-VNNI bit 4 */
} tern_x86_features;

/* Reads the registers of the CPU this runs on; all zero when that is no x86-64. */
tern_x86_features tern_read_x86_features(void);

/* Why a machine with these registers cannot run the AVX2 tier, or null when it can. A missing feature of the CPU is
 * told before a missing permission of the operating system, for without the first the second cures nothing. */
const char *tern_avx2_obstacle(tern_x86_features features);

/* Why a machine with these registers cannot run a tier, or null when it can. Of AMX it may still lack the permission.
 */
const char *tern_x86_obstacle(int32_t tier, tern_x86_features features);

/* Asks the operating system to let this process use AMX's tiles, which Linux grants on request only, since a thread
 * that uses them needs 8 KiB more wherever its registers are saved. Null when it does, or has before, else why not. For
 * a CPU that has AMX. */
const char *tern_amx_permission(void);

#if defined(__x86_64__) && defined(__linux__)
/* What the request's errno means; null for 0. */
const char *tern_amx_refusal(int error);
#endif

/* Whether a kernel that streams a matrix from memory gains by software prefetch on this CPU: yes on Intel's, where the
 * hardware prefetcher leaves one core at 6 GB/s of 2-bit weights and a prefetch 4 KiB ahead gives 11.5 (Sapphire
 * Rapids); no on AMD's, where it costs up to a fifth (Zen 4), nor on one we do not know. */
bool tern_prefetch_pays(void);

/* The same for a CPU whose CPUID 0 names this vendor in EBX, EDX, ECX. */
bool tern_prefetch_pays_on(const char vendor[12]);

#endif /* TERN_X86_FEATURES_H */
