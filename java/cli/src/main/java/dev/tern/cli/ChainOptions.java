package dev.tern.cli;

import dev.tern.sampling.Dry;
import dev.tern.sampling.SamplerStage;
import dev.tern.sampling.SamplingOptionsBuilder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Stages of sampling that are off unless asked for, and their order; under llama.cpp's names. */
final class ChainOptions {
    private static final Pattern BIAS = Pattern.compile("(\\d+)([+-](?:inf|\\d*\\.?\\d+))");

    @Option(
            names = "--samplers",
            paramLabel = "A;B;C",
            description = "The stages in this order, and no others (default:"
                    + " penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature).")
    private @Nullable String samplers;

    @Option(
            names = {"-l", "--logit-bias"},
            paramLabel = "ID(+|-)X",
            description = "Add X to the logit of token ID: 15043+1, 15043-0.5; 15043-inf bans it. Can be given several"
                    + " times.")
    private List<String> logitBias = new ArrayList<>();

    @Option(
            names = "--presence-penalty",
            paramLabel = "X",
            description = "Subtract X from the logits of tokens of the recent text (default: 0, off).")
    private double presencePenalty;

    @Option(
            names = "--frequency-penalty",
            paramLabel = "X",
            description = "Subtract X as often as a token stands in the recent text (default: 0, off).")
    private double frequencyPenalty;

    @Option(
            names = "--dry-multiplier",
            paramLabel = "X",
            description = "Make tokens that would prolong a repetition less likely, by X * BASE^(its length - the"
                    + " length allowed) (default: 0, off).")
    private double dryMultiplier;

    @Option(names = "--dry-base", paramLabel = "BASE", description = "Of that (default: 1.75).")
    private double dryBase = 1.75;

    @Option(names = "--dry-allowed-length", paramLabel = "N", description = "Of that, tokens (default: 2).")
    private int dryAllowedLength = 2;

    @Option(
            names = "--dry-penalty-last-n",
            paramLabel = "N",
            description = "How many tokens back that looks; -1 is all (default: -1).")
    private int dryPenaltyLastN = -1;

    @Option(
            names = "--dry-sequence-breaker",
            paramLabel = "TEXT",
            description = "No repetition reaches over TEXT; none: over any. Can be given several times (default: the"
                    + " ends of lines, colons, quotation marks and asterisks).")
    private List<String> dryBreakers = new ArrayList<>();

    @Option(
            names = {"--top-nsigma", "--top-n-sigma"},
            paramLabel = "N",
            description = "Leave out tokens more than N standard deviations of the logits below the largest (default:"
                    + " -1, off).")
    private double topNSigma = -1;

    @Option(
            names = {"--typical", "--typical-p"},
            paramLabel = "P",
            description = "Choose among the tokens of the most usual surprise that together have probability P"
                    + " (default: 1, off).")
    private double typicalP = 1;

    @Option(
            names = "--xtc-probability",
            paramLabel = "P",
            description = "With probability P leave out all top choices but the least likely (default: 0, off).")
    private double xtcProbability;

    @Option(
            names = "--xtc-threshold",
            paramLabel = "P",
            description = "From which probability a token is a top choice (default: 0.1).")
    private double xtcThreshold = 0.1;

    @Option(
            names = "--min-keep",
            paramLabel = "N",
            description = "Filters by probability leave at least N tokens (default: 0).")
    private int minKeep;

    @Option(
            names = "--dynatemp-range",
            paramLabel = "X",
            description = "Temperature from T - X where the model is certain to T + X where it is not (default: 0,"
                    + " off).")
    private double dynatempRange;

    @Option(
            names = "--dynatemp-exp",
            paramLabel = "X",
            description = "Exponent of the entropy in that (default: 1).")
    private double dynatempExponent = 1;

    @Option(
            names = "--mirostat",
            paramLabel = "0|1|2",
            description = "Keep the text's surprise steady, with this version of the algorithm; then no other stage but"
                    + " the temperature is used (default: 0, off).")
    private int mirostat;

    @Option(
            names = "--mirostat-ent",
            paramLabel = "TAU",
            description = "The surprise that it keeps, bits a token (default: 5).")
    private double mirostatTau = 5;

    @Option(names = "--mirostat-lr", paramLabel = "ETA", description = "How fast it learns (default: 0.1).")
    private double mirostatEta = 0.1;

    /** @throws IllegalArgumentException when a bias or a stage's name cannot be read */
    void addTo(SamplingOptionsBuilder options) {
        if (samplers != null) {
            options.samplers(Arrays.stream(samplers.split("[;,]"))
                    .filter(name -> !name.isBlank())
                    .map(name -> SamplerStage.of(name.strip()))
                    .toList());
        }
        options.logitBias(biases())
                .presencePenalty(presencePenalty)
                .frequencyPenalty(frequencyPenalty)
                .dryMultiplier(dryMultiplier)
                .dryBase(dryBase)
                .dryAllowedLength(dryAllowedLength)
                .dryPenaltyLastN(dryPenaltyLastN)
                .drySequenceBreakers(breakers())
                .topNSigma(topNSigma)
                .typicalP(typicalP)
                .xtcProbability(xtcProbability)
                .xtcThreshold(xtcThreshold)
                .minKeep(minKeep)
                .dynatempRange(dynatempRange)
                .dynatempExponent(dynatempExponent)
                .mirostat(mirostat)
                .mirostatTau(mirostatTau)
                .mirostatEta(mirostatEta);
    }

    private List<String> breakers() {
        if (dryBreakers.isEmpty()) {
            return Dry.DEFAULT_BREAKERS;
        }
        return dryBreakers.stream().filter(text -> !text.equals("none")).toList();
    }

    private Map<Integer, Float> biases() {
        Map<Integer, Float> biases = new HashMap<>();
        for (String text : logitBias) {
            Matcher matcher = BIAS.matcher(text);
            if (!matcher.matches() || matcher.group(1).length() > 9) {
                throw new IllegalArgumentException(
                        "logit bias: expected a token id and a signed number, such as 15043+1 or 15043-inf, found "
                                + text);
            }
            String bias = matcher.group(2);
            biases.put(
                    Integer.parseInt(matcher.group(1)),
                    bias.endsWith("inf")
                            ? bias.charAt(0) == '-' ? Float.NEGATIVE_INFINITY : Float.POSITIVE_INFINITY
                            : Float.parseFloat(bias));
        }
        return biases;
    }
}
