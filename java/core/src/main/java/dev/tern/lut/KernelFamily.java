package dev.tern.lut;

import java.util.Locale;

/** How ternary products are computed where a file leaves a choice, as TL1 and TL2 files do. The results are the same. */
public enum KernelFamily {
    /** What a short measurement on this machine found faster. */
    AUTO,
    /** Table look-ups, on the weights as they lie in the file. */
    LUT,
    /** Multiply-add, on weights that are repacked when the model is loaded. */
    MAD;

    /** As typed on the command line. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
