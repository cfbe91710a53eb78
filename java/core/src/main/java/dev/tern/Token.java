package dev.tern;

/**
 * One token of a generation.
 *
 * @param id the token, or {@link #NO_ID}
 * @param text what it adds to the text; empty while a character is incomplete or the text may be the beginning of a stop
 *     string
 */
public record Token(int id, String text) {
    /** The id of the last element of a generation when text had been held back that turned out to be text after all. */
    public static final int NO_ID = -1;
}
