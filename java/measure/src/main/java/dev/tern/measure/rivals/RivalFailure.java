package dev.tern.measure.rivals;

/** An engine is not there, or did not do what it was asked to; the message says so in a clause. */
final class RivalFailure extends Exception {
    private static final long serialVersionUID = 1L;

    RivalFailure(String reason) {
        super(reason);
    }
}
