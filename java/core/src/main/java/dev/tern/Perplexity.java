package dev.tern;

import dev.tern.io.InputException;
import dev.tern.tokenizer.SpecialToken;
import dev.tern.tokenizer.Tokenizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * How well a model predicts a text: exp of the mean negative log-likelihood of the scored tokens.
 *
 * @param value the perplexity
 * @param totalNll sum of the negative log-likelihoods, in nats
 * @param scored tokens scored
 * @param tokens tokens of the text, without BOS
 * @param context length of a window, BOS included
 * @param method how the text was cut
 */
public record Perplexity(double value, double totalNll, long scored, int tokens, int context, Method method) {

    /** How a text is cut into windows, and which tokens of a window are scored. */
    public enum Method {
        /**
         * As GGML's perplexity tool: BOS and the text are one stream, cut into full windows, the rest dropped; the first
         * token of each window is overwritten with BOS; only the predictions of the second half, positions
         * {@code context / 2 + 1} on, are scored.
         */
        SECOND_HALF,
        /** Each window is BOS and the next {@code context - 1} tokens; every token is scored, the short last window's too. */
        CHUNKED
    }

    /** Told after each window. */
    @FunctionalInterface
    public interface Progress {
        void window(int done, int all, double perplexitySoFar);
    }

    /**
     * Measures a text.
     *
     * @param context positions of a window, 2 to the model's context length
     * @throws InputException when the window does not fit the context or the text does not fill one window
     */
    public static Perplexity measure(Model model, String text, int context, Method method, Progress progress) {
        return measure(model, model.tokenizer().encode(text, false, false), context, method, progress);
    }

    /** As {@link #measure(Model, String, int, Method, Progress)} for a text already in tokens, without BOS. */
    public static Perplexity measure(Model model, int[] tokens, int context, Method method, Progress progress) {
        int limit = model.info().contextLength();
        if (context < 4 || context > limit) {
            throw InputException.at("context")
                    .problem("windows of " + context + " tokens do not fit")
                    .expected(limit < 4 ? "at least 4" : "4 to " + limit)
                    .found(context)
                    .cure("Choose other windows, or load the model with a longer context.")
                    .exception();
        }
        int[][] windows = windows(tokens, bos(model.tokenizer()), context, method);
        int firstScored = method == Method.SECOND_HALF ? context / 2 + 1 : 1;
        if (windows.length == 0) {
            throw InputException.at("text")
                    .problem("too short for one window")
                    .expected("at least " + context + " tokens")
                    .found(tokens.length)
                    .cure("Choose a longer text or a smaller context.")
                    .exception();
        }
        if (windows[0].length <= firstScored) {
            throw InputException.at("text")
                    .problem("a single token, before which nothing stands to predict it from")
                    .expected("at least 2 tokens")
                    .found(tokens.length)
                    .cure("Choose a longer text.")
                    .exception();
        }
        Sum sum = new Sum();
        try (Session session = model.session()) {
            for (int i = 0; i < windows.length; i++) {
                int[] window = windows[i];
                session.rewind(0);
                session.feed(window, firstScored - 1, (position, logits) -> {
                    if (position + 1 < window.length) {
                        sum.add(logits, window[position + 1]);
                    }
                });
                progress.window(i + 1, windows.length, sum.perplexity());
            }
        }
        return new Perplexity(sum.perplexity(), sum.nll, sum.count, tokens.length, context, method);
    }

    /** What each window begins with, if the vocabulary wants it so. */
    static OptionalInt bos(Tokenizer tokenizer) {
        return tokenizer.vocabulary().addBos() ? tokenizer.vocabulary().id(SpecialToken.BOS) : OptionalInt.empty();
    }

    /** Cuts tokens into windows. */
    static int[][] windows(int[] tokens, OptionalInt bos, int context, Method method) {
        int front = bos.isPresent() ? 1 : 0;
        if (method == Method.CHUNKED) {
            int piece = context - front;
            int[][] windows = new int[(tokens.length + piece - 1) / piece][];
            for (int i = 0; i < windows.length; i++) {
                int end = Math.min(tokens.length, (i + 1) * piece);
                windows[i] = withFront(Arrays.copyOfRange(tokens, i * piece, end), bos);
            }
            return windows;
        }
        int[] all = withFront(tokens, bos);
        int[][] windows = new int[all.length / context][];
        for (int i = 0; i < windows.length; i++) {
            windows[i] = Arrays.copyOfRange(all, i * context, (i + 1) * context);
            if (bos.isPresent()) {
                windows[i][0] = bos.getAsInt();
            }
        }
        return windows;
    }

    private static int[] withFront(int[] tokens, OptionalInt bos) {
        if (bos.isEmpty()) {
            return tokens;
        }
        int[] all = new int[tokens.length + 1];
        all[0] = bos.getAsInt();
        System.arraycopy(tokens, 0, all, 1, tokens.length);
        return all;
    }

    /** Negative log-likelihoods, summed in double. */
    private static final class Sum {
        private double nll;
        private long count;

        void add(MemorySegment logits, int target) {
            long n = logits.byteSize() / 4;
            float max = Float.NEGATIVE_INFINITY;
            for (long i = 0; i < n; i++) {
                max = Math.max(max, logits.getAtIndex(ValueLayout.JAVA_FLOAT, i));
            }
            double sum = 0;
            for (long i = 0; i < n; i++) {
                sum += Math.exp((double) logits.getAtIndex(ValueLayout.JAVA_FLOAT, i) - max);
            }
            nll += Math.log(sum) + max - logits.getAtIndex(ValueLayout.JAVA_FLOAT, target);
            count++;
        }

        double perplexity() {
            return Math.exp(nll / count);
        }
    }
}
