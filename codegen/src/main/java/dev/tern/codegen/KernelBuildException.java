package dev.tern.codegen;

/** A library of kernels cannot be built; the message says why, ends with what the tools printed, and names the cure. */
public final class KernelBuildException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public KernelBuildException(String message) {
        super(message);
    }

    public KernelBuildException(String message, Throwable cause) {
        super(message, cause);
    }
}
