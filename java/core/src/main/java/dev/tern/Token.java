package dev.tern;

import dev.tern.sampling.TokenProbability;
import java.util.List;

/**
 * One token of a generation.
 *
 * @param id the token, or {@link #NO_ID}
 * @param text what it adds to the text; empty while a character is incomplete or the text may be the beginning of a
 *     stop string
 * @param probabilities of the token itself and then of the likeliest, where the options ask for them; else empty
 * @see dev.tern.sampling.Sampler#probabilities
 */
public record Token(int id, String text, List<TokenProbability> probabilities) {
    /** The id of the last element of a generation when text had been held back that turned out to be text after all. */
    public static final int NO_ID = -1;

    /** A token without probabilities. */
    public Token(int id, String text) {
        this(id, text, List.of());
    }
}
