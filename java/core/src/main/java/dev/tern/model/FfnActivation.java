package dev.tern.model;

/** The gate of the feed-forward network; {@link #label} is its name in {@code <arch>.hidden_activation}. */
public enum FfnActivation {
    SILU("silu"),
    RELU_SQUARED("relu2");

    private final String label;

    FfnActivation(String label) {
        this.label = label;
    }

    /** As in {@code <arch>.hidden_activation} and {@code hidden_act}. */
    public String label() {
        return label;
    }
}
