package dev.tern.measure;

import dev.tern.model.TokenWork;
import java.util.Optional;

/**
 * How much of a machine's limits a model reaches. A token that is generated waits for its weights: decode is held
 * against the bandwidth of memory. Tokens of a prompt share what is read: prefill is held against the peak of integer
 * products.
 *
 * @param limits of the machine
 * @param work what a token takes
 */
public record Roofline(MachineLimits limits, TokenWork work) {

    /** What is held against which limit. */
    public enum Bound {
        /** Bytes of weights and cache that tokens read, over the bandwidth of reads; 10^9 bytes a second. */
        READ,
        /** Operations of the ternary matrices, over the peak of 8-bit products; 10^9 operations a second. */
        PRODUCTS
    }

    /**
     * What a test reached of its limit.
     *
     * @param reached 10^9 bytes or operations a second, of the median run
     * @param limit of the machine in the same unit, with as many threads; of reads in the pages that give more
     */
    public record Share(Bound bound, double reached, double limit) {
        /** 1 at the limit. More is possible: caches hold part of what is read, tables spare products. */
        public double share() {
            return reached / limit;
        }
    }

    /**
     * The share that a test reached: of prompts without generation, and of generation without a prompt. Empty for both
     * in one, whose time is some of either, and where the limit was not measured.
     *
     * @param tier that computed, as {@code TERN_MAX_TIER} spells it
     */
    public Optional<Share> of(BenchResult result, String tier) {
        BenchTest test = result.test();
        double rate = result.samples().medianRate();
        if (test.prompt() == 0) {
            double reached = work.bytesPerToken(test.depth(), test.generated()) * rate * 1e-9;
            return read(result.threads()).map(limit -> new Share(Bound.READ, reached, limit));
        }
        if (test.generated() == 0) {
            // Of the last token all is computed, since there are logits of it.
            double operations = work.promptOperations() * (test.prompt() - 1.0) + work.ternaryOperations();
            double reached = operations / test.prompt() * rate * 1e-9;
            return peak(tier, result.threads()).map(limit -> new Share(Bound.PRODUCTS, reached, limit));
        }
        return Optional.empty();
    }

    private Optional<Double> read(int threads) {
        return limits.reads().stream()
                .filter(read -> read.threads() == threads)
                .map(MachineLimits.Read::gigabytesPerSecond)
                .max(Double::compare);
    }

    private Optional<Double> peak(String tier, int threads) {
        return limits.peaks().stream()
                .filter(peak -> peak.threads() == threads && peak.tier().equals(tier))
                .map(MachineLimits.Peak::gigaOperationsPerSecond)
                .findFirst();
    }
}
