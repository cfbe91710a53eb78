package dev.tern.measure.comparison;

/**
 * The checkpoint that was compared.
 *
 * @param source where it came from, as the user named it
 * @param architecture as its configuration names it
 * @param weights how its ternary weights are stored: {@code online}, {@code packed} ...
 * @param layers blocks
 * @param hidden width of the residual stream
 * @param intermediate width of the feed-forward network
 * @param heads of queries
 * @param kvHeads of keys and values
 * @param vocabulary tokens
 * @param parameters all weights
 * @param ternaryParameters those of ternary matrices
 * @param bytes of its safetensors
 */
public record ModelFacts(
        String source,
        String architecture,
        String weights,
        int layers,
        int hidden,
        int intermediate,
        int heads,
        int kvHeads,
        int vocabulary,
        long parameters,
        long ternaryParameters,
        long bytes) {}
