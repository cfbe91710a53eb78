package dev.tern.kernels;

/** Native kernels were asked for and cannot be had. The message says what, why, and what to do about it. */
public final class KernelUnavailableException extends RuntimeException {
    /** @param message what is missing, the reason and the cure */
    public KernelUnavailableException(String message) {
        super(message);
    }
}
