package dev.tern.codegen;

/** No kernels can be planned or a configuration cannot be used; the message tells a person which, why, and the cure. */
public final class KernelPlanException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public KernelPlanException(String message) {
        super(message);
    }
}
