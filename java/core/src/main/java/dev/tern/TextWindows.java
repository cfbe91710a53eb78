package dev.tern;

import dev.tern.io.InputException;
import dev.tern.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;

/**
 * The beginning of a text, cut into windows in which every token but the first is predicted from those before it, as
 * {@link Perplexity.Method#CHUNKED} cuts it: BOS, where the vocabulary begins texts with it, and the next tokens.
 *
 * @param windows ids of each, at least two; not to be changed
 */
public record TextWindows(List<int[]> windows) {

    public TextWindows {
        windows = List.copyOf(windows);
    }

    /**
     * Cuts a text.
     *
     * @param most tokens of the text that are used at most
     * @param context length of a window, BOS included
     * @throws InputException when nothing is left to predict
     */
    public static TextWindows of(Tokenizer tokenizer, String text, int most, int context) {
        int[] tokens = tokenizer.encode(text, false, false);
        int[][] all = Perplexity.windows(
                Arrays.copyOf(tokens, Math.min(most, tokens.length)),
                Perplexity.bos(tokenizer),
                context,
                Perplexity.Method.CHUNKED);
        List<int[]> windows = Arrays.stream(all).filter(window -> window.length > 1).toList();
        if (windows.isEmpty()) {
            throw InputException.at("text")
                    .problem("too short: it has no token that others precede")
                    .expected("at least 2 tokens")
                    .found(tokens.length)
                    .cure("Choose a longer text.")
                    .exception();
        }
        return new TextWindows(windows);
    }

    /** Positions at which the next token is known: all but the last of each window. */
    public int positions() {
        return windows.stream().mapToInt(window -> window.length - 1).sum();
    }
}
