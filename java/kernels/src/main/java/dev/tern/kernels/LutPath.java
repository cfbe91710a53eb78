package dev.tern.kernels;

/** What look-up-table kernels are compiled for, {@code tern_lut_path} of the C header. */
public enum LutPath {
    /** Plain C. */
    PORTABLE(0, "portable"),
    /** AVX2; vector code for TL2. */
    AVX2(1, "avx2"),
    /** NEON; vector code for TL1. */
    NEON(2, "neon");

    private final int code;
    private final String label;

    LutPath(int code, String label) {
        this.code = code;
        this.label = label;
    }

    /** The path of a tier: AVX2 with those of x86-64, NEON with those of 64-bit ARM, plain C with the others. */
    public static LutPath of(Tier tier) {
        return switch (tier) {
            case JAVA, SCALAR -> PORTABLE;
            case AVX2, AVXVNNI, AVX512VNNI, AMX -> AVX2;
            case NEON, NEONDOT -> NEON;
        };
    }

    /** The C header's number. */
    public int code() {
        return code;
    }

    /** The name users know it by. */
    public String label() {
        return label;
    }

    /** Whether this path has vector code for a format; plain C computes all others. */
    public boolean isFastFor(LutShape.Format format) {
        return this == AVX2 && format == LutShape.Format.TL2 || this == NEON && format == LutShape.Format.TL1;
    }
}
