package dev.tern.measure.rivals;

import java.util.OptionalDouble;

/** Numbers that engines print, none of which is believed unseen. */
final class Numbers {
    /** Tokens a second that no processor reaches with any model: what is beyond is another unit. */
    private static final double MOST_RATE = 1e6;

    private Numbers() {}

    /** Tokens a second. */
    static OptionalDouble rate(double tokensPerSecond, String name) throws RivalFailure {
        if (!(tokensPerSecond > 0 && tokensPerSecond <= MOST_RATE)) {
            throw new RivalFailure("its " + name + " is no speed: " + tokensPerSecond + " tokens a second");
        }
        return OptionalDouble.of(tokensPerSecond);
    }

    /** A decimal number as C and Java print it; not a number where the text is none. */
    static double decimal(String text) {
        try {
            return Double.parseDouble(text.strip());
        } catch (NumberFormatException e) {
            return Double.NaN;
        }
    }
}
