package dev.tern.model;

/** Unwinds a pass that nobody wants any more. Carries nothing, so there is one. */
final class PassAbandoned extends RuntimeException {
    private static final long serialVersionUID = 1L;
    static final PassAbandoned INSTANCE = new PassAbandoned();

    private PassAbandoned() {
        super("the pass was abandoned", null, false, false);
    }
}
