package dev.tern.kernels;

import java.util.List;
import java.util.Optional;

/**
 * Who computes, and why not better. Immutable and thread-safe.
 */
public final class KernelChoice {
    private static final String NO_LIBRARY =
            "native kernels: this build has none; using the Java reference, which is many times slower";

    private final Kernels kernels;
    private final List<String> notes;

    private KernelChoice(Kernels kernels, List<String> notes) {
        this.kernels = kernels;
        this.notes = List.copyOf(notes);
    }

    /** The fastest kernels this machine can run; the Java reference, with the reason in {@link #notes}, failing those. */
    public static KernelChoice best() {
        return new KernelChoice(new ReferenceKernels(), List.of(NO_LIBRARY));
    }

    /**
     * The fastest native kernels this machine can run.
     *
     * @throws KernelUnavailableException when there are none, with the reason
     */
    public static KernelChoice requireNative() {
        throw new KernelUnavailableException(NO_LIBRARY);
    }

    /**
     * Exactly this tier.
     *
     * @throws KernelUnavailableException when it cannot be had, with the reason
     */
    public static Kernels of(Tier tier) {
        if (tier == Tier.JAVA) {
            return new ReferenceKernels();
        }
        throw new KernelUnavailableException(NO_LIBRARY);
    }

    /** What became of the native library. */
    public static LibraryStatus status() {
        return new LibraryStatus(
                LibraryStatus.Origin.PACKAGED,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Tier.JAVA,
                Optional.empty(),
                Optional.of(NO_LIBRARY));
    }

    /** The kernels chosen. */
    public Kernels kernels() {
        return kernels;
    }

    /** Why nothing better was chosen, a sentence each; empty when nothing was held back. */
    public List<String> notes() {
        return notes;
    }
}
