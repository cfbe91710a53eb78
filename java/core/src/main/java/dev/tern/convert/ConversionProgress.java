package dev.tern.convert;

/** Hears how far a conversion is; called on the converting thread, a few times a second at most by large tensors. */
@FunctionalInterface
public interface ConversionProgress {

    /** What is being done. */
    enum Phase {
        WRITE,
        VALIDATE
    }

    /**
     * A tensor is done.
     *
     * @param doneBytes bytes of tensor data of the GGUF file done so far
     * @param totalBytes bytes of tensor data of the GGUF file
     */
    void advance(Phase phase, String tensor, long doneBytes, long totalBytes);
}
