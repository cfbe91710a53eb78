package dev.tern.source;

/** What a server has under an address changed while it was fetched: all of it must be looked at anew. */
final class SourceChangedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    SourceChangedException(String message) {
        super(message);
    }
}
