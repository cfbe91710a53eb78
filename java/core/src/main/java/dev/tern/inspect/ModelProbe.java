package dev.tern.inspect;

import dev.tern.inspect.Inspection.Finding;
import dev.tern.inspect.Inspection.ProbeFacts;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.kernels.Kernels;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.ThreadTeam;
import dev.tern.probe.Blocks;
import dev.tern.probe.BlockwiseModel;
import dev.tern.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Runs the model on a short text. What the statistics of weights cannot tell shows here: a model whose weights lie in
 * another order, whose scales are inverted or whose activation is another one predicts badly as it is read, and well when
 * it is read as it was meant. A good model is run once; a bad one once more for each reading that might explain it.
 */
final class ModelProbe {
    /** The opening of Alice's Adventures in Wonderland (1865), which all training sets hold, then the plainest of words. */
    private static final String TEXT =
            """
            Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do: once or \
            twice she had peeped into the book her sister was reading, but it had no pictures or conversations in it, "and \
            what is the use of a book," thought Alice, "without pictures or conversations?"

            So she was considering in her own mind (as well as she could, for the hot day made her feel very sleepy and \
            stupid), whether the pleasure of making a daisy-chain would be worth the trouble of getting up and picking the \
            daisies, when suddenly a White Rabbit with pink eyes ran close by her.

            Once upon a time there was a little girl who lived with her mother in a small house near the forest. One day her \
            mother said to her: "Take this basket to your grandmother, who is ill."
            """;

    private final int[] ids;
    private final Kernels kernels;
    private final ThreadTeam team;
    private final double chance;

    /**
     * Another way to read the weights, or to run the graph.
     *
     * @param words what is read otherwise
     * @param gross whether a model that is read wrongly in this respect says nothing at all
     * @param blocks the model read so
     * @param finding what is wrong when it was meant so
     * @param explains findings that this one makes needless
     */
    record Reading(String words, boolean gross, Blocks blocks, Finding finding, FindingKind... explains) {}

    /**
     * What the probe found.
     *
     * @param meant the reading that is the right one, empty when the stored one is or none is
     * @param finding what is wrong, for want of a reading that explains it
     */
    record Outcome(ProbeFacts facts, Optional<Reading> meant, @Nullable Finding finding) {}

    /** Tokens of the text, as many as the model has room for. */
    static int[] tokens(Tokenizer tokenizer, ModelHyperparameters model) {
        int[] all = tokenizer.encode(TEXT, true, false);
        return Arrays.copyOf(all, Math.min(all.length, Math.min(ProbeLimits.MOST_TOKENS, model.contextLength())));
    }

    ModelProbe(int[] ids, int vocabSize, Kernels kernels, ThreadTeam team) {
        this.ids = ids;
        this.kernels = kernels;
        this.team = team;
        this.chance = Math.log(vocabSize);
    }

    /**
     * Runs the model as it is stored, and in other readings when it predicts badly.
     *
     * @param readings to be tried, those first that are tried at all
     */
    Outcome run(Blocks stored, List<Reading> readings) {
        long start = System.nanoTime();
        double[] own = negativeLog(stored);
        double mean = mean(own);
        List<ProbeFacts.Trial> trials = new ArrayList<>();
        Reading best = null;
        double least = mean;
        boolean silent = !(mean < ProbeLimits.NEAR_CHANCE * chance);
        if (!(mean < ProbeLimits.CLEARLY_GOOD * chance)) {
            for (Reading reading : readings) {
                if (reading.gross() && !silent) {
                    continue;
                }
                double[] other = negativeLog(reading.blocks());
                boolean better = ProbeLimits.better(own, other, chance);
                trials.add(new ProbeFacts.Trial(reading.words(), mean(other), better));
                if (better && mean(other) < least) {
                    best = reading;
                    least = mean(other);
                }
            }
        }
        ProbeFacts facts = new ProbeFacts(own.length, mean, chance, trials, (System.nanoTime() - start) / 1e9);
        return new Outcome(
                facts, Optional.ofNullable(best), silent && best == null ? unexplained(mean, !trials.isEmpty()) : null);
    }

    private Finding unexplained(double mean, boolean tried) {
        if (!Double.isFinite(mean)) {
            return new Finding(
                    FindingKind.NOT_FINITE,
                    Severity.ERROR,
                    "The model computes values that are no numbers: weights, norms or scales are damaged, or training"
                            + " diverged.",
                    "Convert the original checkpoint with `tern convert --validate`; if it is the same, take an earlier one.");
        }
        return new Finding(
                FindingKind.UNTRAINED,
                Severity.WARNING,
                String.format(
                        Locale.ROOT,
                        "The model predicts plain English no better than chance (%.1f nats a token; chance is %.1f)%s. Its"
                                + " weights are random or untrained, it lost a part (a head of its own, norms), or it was"
                                + " trained for something else.",
                        mean,
                        chance,
                        tried ? ", as it is stored and in every other reading that Tern knows" : ""),
                "Compare it with its checkpoint (`tern validate FILE --against CHECKPOINT`), and inspect the checkpoint.");
    }

    private double[] negativeLog(Blocks blocks) {
        try (BlockwiseModel model = new BlockwiseModel(blocks, kernels, team, ids.length)) {
            return model.negativeLog(ids);
        }
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElse(Double.NaN);
    }
}
