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

    /**
     * The path that goes with a tier on this machine: AVX2 from tier avx2 on; on 64-bit ARM NEON, unless
     * {@code TERN_MAX_TIER=scalar} asks for plain C; else plain C.
     */
    public static LutPath of(Tier tier) {
        if (tier.compareTo(Tier.AVX2) >= 0) {
            return AVX2;
        }
        NativeSetting setting = NativeSetting.ofThisProcess();
        boolean arm = setting.platform().endsWith("-aarch64") && tier != Tier.JAVA;
        boolean plain = setting.variable("TERN_MAX_TIER").filter("scalar"::equals).isPresent();
        return arm && !plain ? NEON : PORTABLE;
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
