package dev.tern.inspect;

import dev.tern.codegen.PlannedKernel;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.TernaryCounts;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a file or folder is.
 *
 * @param kind a GGUF file or a checkpoint
 * @param path as given
 * @param bytes of the file, or of the weight files
 * @param format "GGUF version 3", or how the checkpoint stores its matrices
 * @param architecture as GGUF names it
 * @param model the hyperparameters, null when they cannot be read: then a finding says why
 * @param types number and bytes of tensors by element type, in order of appearance
 * @param tiles that TL1 and TL2 matrices are packed with, stored in the file or named by the user
 * @param ternary all ternary tensors together, null when none could be decoded
 * @param tokenizer the vocabulary, null when it cannot be read: then a finding says why
 * @param outtypes labels of the outtypes that can hold every ternary tensor; empty when none are known
 * @param probe how well the model predicts a text, null when it was not run: then a finding says why, unless nobody
 *     asked for it
 * @param tensors every tensor
 * @param findings what is wrong or worth knowing, errors first
 */
public record Inspection(
        Kind kind,
        Path path,
        long bytes,
        String format,
        String architecture,
        @Nullable ModelHyperparameters model,
        SequencedMap<String, TypeTotal> types,
        List<PlannedKernel> tiles,
        @Nullable TernaryOverview ternary,
        @Nullable TokenizerFacts tokenizer,
        List<String> outtypes,
        @Nullable ProbeFacts probe,
        List<TensorFacts> tensors,
        List<Finding> findings) {

    public Inspection {
        types = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(types));
        tiles = List.copyOf(tiles);
        outtypes = List.copyOf(outtypes);
        tensors = List.copyOf(tensors);
        findings = List.copyOf(findings);
    }

    public enum Kind {
        GGUF,
        CHECKPOINT
    }

    /** Number and bytes of the tensors of one type. */
    public record TypeTotal(int tensors, long bytes) {}

    /**
     * All ternary tensors together.
     *
     * @param tensors how many
     * @param counts of -1, 0 and +1
     * @param leastScale the smallest s
     * @param largestScale the largest s
     */
    public record TernaryOverview(int tensors, TernaryCounts counts, float leastScale, float largestScale) {}

    /**
     * One tensor.
     *
     * @param name under GGUF
     * @param source under Hugging Face, null in a GGUF file
     * @param type element type
     * @param dims {@code ne[0]} (input features) first
     * @param bytes in the file; of a packed matrix without its scale
     * @param counts of -1, 0 and +1, null when it is not ternary
     * @param scale s, null when it is not ternary
     */
    public record TensorFacts(
            String name,
            @Nullable String source,
            String type,
            List<Long> dims,
            long bytes,
            @Nullable TernaryCounts counts,
            @Nullable Float scale) {}

    /**
     * The vocabulary.
     *
     * @param tokens number of tokens
     * @param merges number of merges
     * @param preTokenizer how text is cut into words
     * @param addBos whether a BOS goes in front of a text
     * @param bos its spelling, if there is one
     * @param eos likewise
     * @param endTokens spellings of all tokens that end a generation
     * @param chatTemplate whether there is one
     */
    public record TokenizerFacts(
            int tokens,
            int merges,
            String preTokenizer,
            boolean addBos,
            @Nullable String bos,
            @Nullable String eos,
            List<String> endTokens,
            boolean chatTemplate) {}

    /**
     * How well the model predicts a short English text.
     *
     * @param tokens tokens predicted
     * @param negativeLogLikelihood mean over them, in nats
     * @param chance the same of a model that knows nothing: the logarithm of the vocabulary's size
     * @param trials other readings of the file that were tried, because the model as it is stored predicts badly
     * @param seconds wall time of all runs
     */
    public record ProbeFacts(
            int tokens, double negativeLogLikelihood, double chance, List<Trial> trials, double seconds) {
        public ProbeFacts {
            trials = List.copyOf(trials);
        }

        /**
         * Another reading.
         *
         * @param reading in words
         * @param negativeLogLikelihood mean, in nats
         * @param better whether it predicts so much better that the model was meant to be read so
         */
        public record Trial(String reading, double negativeLogLikelihood, boolean better) {}
    }

    /** How bad a finding is. */
    public enum Severity {
        /** The file is broken: a model made of it would fail or answer nonsense. */
        ERROR,
        /** Something that is probably not as it was meant. */
        WARNING,
        /** Worth knowing. */
        NOTE
    }

    /**
     * Something found, in sentences for people.
     *
     * @param kind what it is, for programs
     * @param text what it is
     * @param cure what to do about it; empty for notes that need nothing
     */
    public record Finding(FindingKind kind, Severity severity, String text, String cure) {
        public Finding {
            text = printable(text);
            cure = printable(cure);
        }

        /** Names come from files; control characters in them must not reach a terminal. */
        private static String printable(String text) {
            return text.chars().noneMatch(Character::isISOControl)
                    ? text
                    : text.codePoints()
                            .mapToObj(c -> Character.isISOControl(c) ? String.format("\\u%04x", c) : Character.toString(c))
                            .collect(Collectors.joining());
        }
    }

    /** Whether there is a finding of {@link Severity#ERROR}. */
    public boolean broken() {
        return findings.stream().anyMatch(finding -> finding.severity() == Severity.ERROR);
    }
}
