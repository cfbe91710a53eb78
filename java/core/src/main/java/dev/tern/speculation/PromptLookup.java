package dev.tern.speculation;

import java.util.Arrays;

/**
 * Guesses how a sequence of tokens goes on: the way it went on after the last place where its end stood before
 * (prompt lookup decoding, A. Saxena, 2023). Texts that quote their prompt, code under revision and lists repeat
 * themselves; no second model is needed. A token costs a few look-ups in hash tables, whatever the length of the
 * text, and some 50 bytes of memory. Not thread-safe.
 */
public final class PromptLookup {
    /** Matches are not followed back further than this. */
    static final int LONGEST_MATCH = 32;

    private static final int LONGEST_NGRAM = 4;

    private final int shortest;
    private final NgramTable[] tables; // of n-grams from the shortest on, without the one at the end
    private int[] tokens = new int[256];
    private int size;
    private int source; // the token that is guessed to come next, where there is a match
    private int matched;
    private boolean looked; // source and matched are those of the sequence as it is

    /** @param shortest so many tokens at least must have stood before, 1 or more */
    public PromptLookup(int shortest) {
        if (shortest < 1) {
            throw new IllegalArgumentException("n-grams of " + shortest);
        }
        this.shortest = shortest;
        this.tables = new NgramTable[Math.max(LONGEST_NGRAM, shortest) - shortest + 1];
        for (int i = 0; i < tables.length; i++) {
            tables[i] = new NgramTable(shortest + i);
        }
    }

    /** Appends a token to the sequence. */
    public void add(int id) {
        for (int i = 0; i < tables.length && size >= shortest + i; i++) { // the n-grams at the end get a successor
            tables[i].put(tokens, size - 1);
        }
        if (size == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * size);
        }
        tokens[size++] = id;
        looked = false;
        if (matched > 0 && tokens[source] == id) {
            source++;
            matched = Math.min(matched + 1, LONGEST_MATCH);
        } else {
            matched = 0;
        }
    }

    /**
     * How many tokens at the end of the sequence stand before the place that guesses are taken from, at most {@value
     * #LONGEST_MATCH}; 0 when there is no such place. A place whose guesses come true is kept, else the longest
     * n-gram that is known decides, and of its occurrences the last.
     */
    public int match() {
        if (!looked) {
            looked = true;
            if (matched < shortest + tables.length - 1) {
                look();
            }
        }
        return matched;
    }

    private void look() {
        matched = 0;
        for (int i = tables.length - 1; i >= 0 && matched == 0; i--) {
            int end = tables[i].last(tokens, size - 1);
            if (end >= 0) {
                source = end + 1;
                matched = shortest + i;
            }
        }
        while (matched > 0
                && matched < Math.min(LONGEST_MATCH, source)
                && tokens[source - 1 - matched] == tokens[size - 1 - matched]) {
            matched++;
        }
    }

    /** Writes the next {@code count} tokens as guessed; there must be a {@link #match}. */
    public void draft(int[] into, int count) {
        if (match() == 0) {
            throw new IllegalStateException("nothing to draft from");
        }
        for (int i = 0; i < count; i++) { // where the source reaches the end, it goes on with what it has given
            into[i] = source + i < size ? tokens[source + i] : into[source + i - size];
        }
    }

    /** The next token as guessed; there must be a {@link #match}. */
    public int next() {
        if (match() == 0) {
            throw new IllegalStateException("nothing to draft from");
        }
        return tokens[source];
    }
}
