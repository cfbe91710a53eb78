package dev.tern.server.slots;

/** No more requests are taken: what computes them is coming to its end. */
public final class DrainingException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    public DrainingException() {
        super("no more requests are taken");
    }
}
