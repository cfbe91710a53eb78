package dev.tern.ternary;

import dev.tern.io.InputException;

/**
 * A matrix whose weights are stored soundly and are not ternary: other values than 0, s and -s, or more than one s.
 * What is damaged or cannot be read is another {@link InputException}.
 */
public final class NotTernaryException extends InputException {
    private static final long serialVersionUID = 1L;

    NotTernaryException(InputException said) {
        super(said);
    }
}
