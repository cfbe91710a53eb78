package dev.tern.kernels;

/**
 * Who computes: the Java reference, or an instruction-set level of the native library, ascending.
 * {@link #code} is {@code tern_tier} of the C header.
 */
public enum Tier {
    /** The reference in Java; needs no native library. */
    JAVA(-1, "java"),
    /** Plain C. */
    SCALAR(0, "scalar"),
    /** C with AVX2, FMA and F16C. */
    AVX2(1, "avx2"),
    /** AVX2 and the AVX-VNNI dot product. */
    AVXVNNI(2, "avxvnni"),
    /** AVX-512 (F, BW, DQ, VL) with VNNI. */
    AVX512VNNI(3, "avx512vnni"),
    /** AVX-512 VNNI and AMX int8 tiles. */
    AMX(4, "amx"),
    /** AArch64 with NEON. */
    NEON(5, "neon"),
    /** NEON with the dot product extension. */
    NEONDOT(6, "neondot");

    private final int code;
    private final String label;

    Tier(int code, String label) {
        this.code = code;
        this.label = label;
    }

    /** The C header's number of this tier, -1 for {@link #JAVA}. */
    public int code() {
        return code;
    }

    /** The name users know it by, as in {@code TERN_MAX_TIER}. */
    public String label() {
        return label;
    }
}
