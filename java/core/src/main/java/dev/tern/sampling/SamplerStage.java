package dev.tern.sampling;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** A stage of the chain that logits go through, under llama.cpp's names. */
public enum SamplerStage {
    /** {@link Penalties}. */
    PENALTIES("penalties"),
    /** {@link Dry}. */
    DRY("dry"),
    /** {@link Truncation#topNSigma}. */
    TOP_N_SIGMA("top_n_sigma", "top-n-sigma"),
    /** {@link Truncation#topK}. */
    TOP_K("top_k", "top-k"),
    /** {@link Truncation#typicalP}. */
    TYPICAL_P("typ_p", "typical_p", "typical-p", "typical", "typ-p", "typ"),
    /** {@link Truncation#topP}. */
    TOP_P("top_p", "top-p", "nucleus"),
    /** {@link Truncation#minP}. */
    MIN_P("min_p", "min-p"),
    /** {@link Xtc}. */
    XTC("xtc"),
    /** {@link Temperature}. */
    TEMPERATURE("temperature", "temp");

    /** llama.cpp's order, which is that of this enumeration. */
    public static final List<SamplerStage> DEFAULT_ORDER = List.of(values());

    private final List<String> names;

    SamplerStage(String... names) {
        this.names = List.of(names);
    }

    /** The name: {@code top_k}. */
    public String label() {
        return names.getFirst();
    }

    /**
     * The stage of that name, or of another that llama.cpp also understands: {@code top-k}, {@code nucleus}.
     *
     * @throws IllegalArgumentException when there is none
     */
    public static SamplerStage of(String name) {
        return Arrays.stream(values())
                .filter(stage -> stage.names.contains(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("sampler: expected one of "
                        + DEFAULT_ORDER.stream().map(SamplerStage::label).collect(Collectors.joining(", ")) + ", found "
                        + name));
    }
}
