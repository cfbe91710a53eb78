package dev.tern.sampling;

import dev.tern.io.InputException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the tokens of one sequence, as {@link SamplingOptions} say. Random numbers are {@code SplitMix64}'s: for each
 * token one for each XTC stage that finds two candidates or more, in the order of the chain, and then one for the
 * choice, unless a temperature of 0 leaves none. Exponentials and logarithms are {@link StrictMath}'s, so a seed gives
 * the same tokens on every machine. Keeps its scratch memory, and allocates nothing per token once that has its size,
 * but where probabilities are asked for. Not thread-safe.
 */
public final class Sampler {
    private final SamplingOptions options;
    private final long seed;
    private final @Nullable TokenConstraint constraint;
    private final int[] biased; // ids
    private final float[] biases;
    private final Stage[] stages;
    private final @Nullable MirostatChoice mirostat;
    private final boolean draws;
    private final boolean onlyBest; // nothing but the largest logit decides, and no more is asked for
    private final int decisiveLogits;
    private final Candidates candidates;
    private final SplitMix random;
    private List<TokenProbability> probabilities = List.of();

    /**
     * A sampler of a vocabulary of {@code vocabSize} tokens, without breakers of repetitions and without constraint.
     */
    public Sampler(SamplingOptions options, int vocabSize, long seed) {
        this(options, vocabSize, seed, SequenceBreakers.NONE, null);
    }

    /**
     * A sampler for one sequence.
     *
     * @param vocabSize tokens of the vocabulary
     * @param seed of the random numbers: the same seed, logits and options give the same tokens on every machine
     * @param breakers those of {@link Dry#sequenceBreakers}, as tokens
     * @param constraint what the tokens chosen must follow, in its first state; null for none
     * @throws InputException when a bias is of a token that the vocabulary does not have
     */
    public Sampler(
            SamplingOptions options,
            int vocabSize,
            long seed,
            SequenceBreakers breakers,
            @Nullable TokenConstraint constraint) {
        this.options = options;
        this.seed = seed;
        this.constraint = constraint;
        this.candidates = new Candidates(vocabSize);
        this.random = new SplitMix(seed);
        this.decisiveLogits = constraint == null ? options.decisiveLogits() : 0;
        List<Map.Entry<Integer, Float>> bias =
                options.logitBias().entrySet().stream().sorted(Map.Entry.comparingByKey()).toList();
        if (!bias.isEmpty() && bias.getLast().getKey() >= vocabSize) {
            throw InputException.at("logit bias")
                    .problem("for a token that the model does not have")
                    .expected("ids from 0 to " + (vocabSize - 1))
                    .found(bias.getLast().getKey())
                    .exception();
        }
        this.biased = bias.stream().mapToInt(Map.Entry::getKey).toArray();
        this.biases = new float[biased.length];
        for (int i = 0; i < biased.length; i++) {
            biases[i] = bias.get(i).getValue();
        }
        List<Stage> chain = new ArrayList<>();
        for (SamplerStage stage : options.activeStages()) {
            chain.add(stage(stage, vocabSize, breakers));
        }
        this.stages = chain.toArray(Stage[]::new);
        this.draws = chain.isEmpty() || !(chain.getLast() instanceof GreedyStage);
        this.onlyBest = !draws
                && stages.length == 1
                && biased.length == 0
                && constraint == null
                && !options.probabilities().wanted();
        this.mirostat = draws && options.mirostat().active()
                ? new MirostatChoice(options.mirostat(), vocabSize, random)
                : null;
    }

    private Stage stage(SamplerStage stage, int vocabSize, SequenceBreakers breakers) {
        Truncation truncation = options.truncation();
        Temperature temperature = options.temperature();
        return switch (stage) {
            case PENALTIES -> new PenaltyStage(options.penalties(), vocabSize);
            case DRY -> new DryStage(options.dry(), breakers, vocabSize);
            case TOP_N_SIGMA -> new TopNSigmaStage(truncation.topNSigma());
            case TOP_K -> new TopKStage(truncation.topK());
            case TYPICAL_P -> new TypicalPStage(truncation.typicalP(), truncation.minKeep());
            case TOP_P -> new TopPStage(truncation.topP(), truncation.minKeep());
            case MIN_P -> new MinPStage(truncation.minP(), truncation.minKeep());
            case XTC -> new XtcStage(options.xtc(), truncation.minKeep(), random);
            case TEMPERATURE -> {
                if (temperature.isGreedy()) {
                    yield new GreedyStage();
                }
                yield temperature.range() > 0
                        ? new DynamicTemperatureStage(temperature)
                        : new TemperatureStage(temperature.value());
            }
        };
    }

    /** The seed in use. */
    public long seed() {
        return seed;
    }

    /** As {@link SamplingOptions#decisiveLogits}; 0 with a constraint, which may ban any of the largest. */
    public int decisiveLogits() {
        return decisiveLogits;
    }

    /** Tells the sampler that a token of the prompt stands in the sequence. */
    public void acceptPrompt(int id) {
        for (Stage stage : stages) {
            stage.accept(id);
        }
    }

    /**
     * Tells the sampler that a token that was chosen stands in the sequence.
     *
     * @throws IllegalArgumentException when the constraint does not allow it
     */
    public void accept(int id) {
        if (constraint != null) {
            constraint.accept(id);
        }
        acceptPrompt(id);
    }

    /**
     * The next token.
     *
     * @param row float32 {@code [vocab]}; not changed
     * @throws InputException when a logit is NaN or +infinity, or all are -infinity: the model's numbers are broken; or
     *     when biases and constraint together ban every token
     */
    public int sample(MemorySegment row) {
        float[] logits = candidates.load(row);
        int best = requireSound(logits);
        if (onlyBest) {
            return best;
        }
        Probabilities wanted = options.probabilities();
        List<TokenProbability> told = wanted.wanted() ? new ArrayList<>() : List.of();
        double rawLogSum = 0;
        if (wanted.wanted() && !wanted.afterSampling()) {
            candidates.start();
            float max = candidates.max();
            rawLogSum = max + StrictMath.log(candidates.sum(max));
            addLikeliest(told, max, rawLogSum - max);
            candidates.load(row);
        }
        restrict(logits);
        candidates.start();
        for (Stage stage : stages) {
            stage.apply(candidates);
        }
        int index = 0;
        if (draws) {
            index = mirostat == null ? candidates.draw(random.nextDouble()) : mirostat.choose(candidates);
        }
        int id = candidates.id(index);
        if (wanted.wanted()) {
            double logProbability;
            if (wanted.afterSampling()) {
                float max = candidates.max();
                double logSum = StrictMath.log(candidates.sum(max));
                logProbability = candidates.exponent(index, max) - logSum;
                addLikeliest(told, max, logSum);
            } else {
                logProbability = row.getAtIndex(ValueLayout.JAVA_FLOAT, id) - rawLogSum;
            }
            told.addFirst(new TokenProbability(id, (float) logProbability));
            probabilities = List.copyOf(told);
        }
        return id;
    }

    /**
     * Of the token sampled last, where {@link SamplingOptions#probabilities} asks for them: first the token itself,
     * then as many of the likeliest as are asked for and there are, the likeliest first; the token is among these again
     * where it is one. Else empty.
     */
    public List<TokenProbability> probabilities() {
        return probabilities;
    }

    /** Leaves only the likeliest candidates. */
    private void addLikeliest(List<TokenProbability> told, float max, double logSum) {
        if (options.probabilities().count() > 0) {
            candidates.keepBest(options.probabilities().count());
            for (int i = 0; i < candidates.size(); i++) {
                told.add(new TokenProbability(candidates.id(i), (float) (candidates.exponent(i, max) - logSum)));
            }
        }
    }

    /** Adds the biases and bans what the constraint does not allow. */
    private void restrict(float[] logits) {
        if (biased.length == 0 && constraint == null) {
            return;
        }
        for (int i = 0; i < biased.length; i++) {
            logits[biased[i]] += biases[i];
        }
        if (constraint != null) {
            constraint.mask(logits);
        }
        float max = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        if (max == Float.NEGATIVE_INFINITY) {
            throw InputException.at("prompt")
                    .problem("no token is left to go on with: all are banned by biases, by the constraint or by both")
                    .expected("at least one that may come next")
                    .exception();
        }
    }

    /** The most likely token, the first of equals, of logits that are numbers to choose from. */
    private static int requireSound(float[] logits) {
        int best = -1;
        float max = Float.NEGATIVE_INFINITY;
        for (int id = 0; id < logits.length; id++) {
            float logit = logits[id];
            if (logit > max) {
                max = logit;
                best = id;
            } else if (logit != logit) {
                throw broken(id, logit);
            }
        }
        if (best < 0 || max == Float.POSITIVE_INFINITY) {
            throw broken(Math.max(best, 0), max);
        }
        return best;
    }

    private static InputException broken(int id, float logit) {
        return InputException.at("model")
                .problem("its logits are no numbers to choose from")
                .expected("finite values")
                .found(logit + " for token " + id)
                .cure("Weights or norms of the file are damaged; validate it, or convert the checkpoint again.")
                .exception();
    }
}
