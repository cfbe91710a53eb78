package dev.tern.model;

/** What the time of forward passes goes to, by {@link PassProfile}; {@link #label} is its name in tables. */
public enum PassStage {
    /** Embedding, residual additions, norms, quantization: what is done to each token by itself. */
    TOKENS("norm, quantize"),
    QKV("q, k, v"),
    /** Rotation and the cache included. */
    ATTENTION("attention"),
    OUTPUT("output"),
    /** The gate's activation included. */
    GATE_UP("gate, up"),
    DOWN("down"),
    HEAD("head"),
    /** For other members at the end of a stage, and for the start and end of a pass. */
    WAITING("waiting");

    private final String label;

    PassStage(String label) {
        this.label = label;
    }

    /** In words. */
    public String label() {
        return label;
    }
}
