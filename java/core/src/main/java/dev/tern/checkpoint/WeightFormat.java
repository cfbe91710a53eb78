package dev.tern.checkpoint;

/** How a checkpoint stores its ternary matrices. */
public enum WeightFormat {
    /** Continuous master weights (bf16, f16 or f32), made ternary by absmean over the whole matrix. */
    ONLINE("online"),
    /** Two bits a weight in uint8 {@code [ceil(N/4), K]}, with one {@code weight_scale}. */
    PACKED("packed"),
    /** Floats that are already ternary: no values but -s, 0 and +s. */
    TERNARY_FLOATS("ternary-floats");

    private final String label;

    WeightFormat(String label) {
        this.label = label;
    }

    /** Its name for people and options. */
    public String label() {
        return label;
    }
}
