package dev.tern.sampling;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * How the next token is chosen. Logits go through these, in this order:
 *
 * <ol>
 *   <li>{@code logitBias}: is added; -infinity bans a token
 *   <li>a {@link TokenConstraint}, if the sampler has one: bans what may not come next
 *   <li>{@code samplers}: the stages in the order given, each of which does what its options say. A stage that is not in
 *       the list is not used, one that is there twice is used twice
 *   <li>the choice: at random, as likely as the softmax says
 * </ol>
 *
 * Where {@code mirostat} is on it stands in place of the stages and the choice, behind the temperature. Defaults and
 * formulas are llama.cpp's. Immutable; made by {@link #builder}.
 */
public record SamplingOptions(
        Temperature temperature,
        Truncation truncation,
        Penalties penalties,
        Dry dry,
        Xtc xtc,
        Mirostat mirostat,
        Map<Integer, Float> logitBias,
        List<SamplerStage> samplers,
        Probabilities probabilities) {

    /** @throws IllegalArgumentException when a bias is NaN or +infinity, or of a negative id */
    public SamplingOptions {
        logitBias = Map.copyOf(logitBias);
        logitBias.forEach((id, bias) -> {
            require(id >= 0, "logit bias", "token ids from 0 on", id);
            require(bias < Float.POSITIVE_INFINITY, "logit bias", "a number or -infinity", bias + " for token " + id);
        });
        samplers = List.copyOf(samplers);
    }

    /** Always the most likely token. */
    public static SamplingOptions greedy() {
        return builder().temperature(0).build();
    }

    /** Starts from temperature 0.8, top-k 40, top-p 0.95, min-p 0.05, all else off. */
    public static SamplingOptionsBuilder builder() {
        return new SamplingOptionsBuilder();
    }

    /** Starts from these options. */
    public SamplingOptionsBuilder toBuilder() {
        return new SamplingOptionsBuilder(this);
    }

    /**
     * How many of the largest logits decide: where these, and all that equal the least of them, are what they are, any
     * of the others may be -infinity and the same token is chosen, with the same probabilities told. 0 where all logits
     * matter.
     */
    public int decisiveLogits() {
        if (probabilities.wanted() && !probabilities.afterSampling()) {
            return 0;
        }
        int lowered = 0; // so many of the largest may fall behind others
        for (float bias : logitBias.values()) {
            if (bias > 0) {
                return 0; // which may lift one from anywhere
            }
            lowered++;
        }
        for (SamplerStage stage : activeStages()) {
            switch (stage) {
                case TOP_K -> {
                    return decisive(truncation.topK(), lowered);
                }
                case TEMPERATURE -> {
                    if (temperature.isGreedy()) {
                        return decisive(1, lowered);
                    }
                    if (temperature.range() > 0) {
                        return 0; // the entropy of all
                    }
                }
                case MIN_P -> {} // looks at the largest alone, and keeps the order
                default -> {
                    return 0;
                }
            }
        }
        return 0;
    }

    /** Their sum; 0, for all logits, where that is more than any vocabulary has. */
    private static int decisive(int kept, int lowered) {
        return kept > Integer.MAX_VALUE - lowered ? 0 : kept + lowered;
    }

    /** Whether random numbers decide anything, so that the seed matters. */
    public boolean isRandom() {
        List<SamplerStage> stages = activeStages();
        return stages.isEmpty()
                || stages.contains(SamplerStage.XTC)
                || stages.getLast() != SamplerStage.TEMPERATURE
                || !temperature.isGreedy();
    }

    /**
     * The stages that do something, in order. Nothing matters behind a temperature of 0, which leaves one token; and
     * directly in front of it nothing that always leaves the most likely one.
     */
    List<SamplerStage> activeStages() {
        List<SamplerStage> active = new ArrayList<>();
        for (SamplerStage stage : mirostat.active() ? List.of(SamplerStage.TEMPERATURE) : samplers) {
            if (stage == SamplerStage.TEMPERATURE && temperature.isGreedy()) {
                while (!active.isEmpty() && leavesTheLikeliest(active.getLast())) {
                    active.removeLast();
                }
                active.add(stage);
                return active;
            }
            if (isActive(stage)) {
                active.add(stage);
            }
        }
        return active;
    }

    private boolean isActive(SamplerStage stage) {
        return switch (stage) {
            case PENALTIES -> penalties.active();
            case DRY -> dry.active();
            case TOP_N_SIGMA -> truncation.topNSigma() > 0;
            case TOP_K -> truncation.topK() > 0;
            case TYPICAL_P -> truncation.typicalP() < 1;
            case TOP_P -> truncation.topP() < 1;
            case MIN_P -> truncation.minP() > 0;
            case XTC -> xtc.active();
            case TEMPERATURE -> temperature.value() != 1 || temperature.range() > 0;
        };
    }

    private static boolean leavesTheLikeliest(SamplerStage stage) {
        return switch (stage) {
            case TOP_N_SIGMA, TOP_K, TOP_P, MIN_P -> true;
            case PENALTIES, DRY, TYPICAL_P, XTC, TEMPERATURE -> false;
        };
    }

    static void require(boolean condition, String name, String expected, Object found) {
        if (!condition) {
            throw new IllegalArgumentException(name + ": expected " + expected + ", found " + found);
        }
    }
}
