package dev.tern.kernels;

/** Which elements of a head RoPE rotates together. {@link #code} is {@code tern_rope_pairing} of the C header. */
public enum RopePairing {
    /** (i, i + d/2): GPT-NeoX, Hugging Face, GGUF's {@code bitnet} architectures. */
    HALVES(0),
    /** (2i, 2i + 1): GGUF's {@code llama} architecture, whose q and k rows are permuted to match. */
    NEIGHBOURS(1);

    private final int code;

    RopePairing(int code) {
        this.code = code;
    }

    /** The C header's number of this pairing. */
    public int code() {
        return code;
    }
}
