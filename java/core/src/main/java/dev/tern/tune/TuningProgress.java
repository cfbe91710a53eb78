package dev.tern.tune;

/**
 * Hears how far tuning is, at points where it can be ended: what it throws, reaches the caller of {@link
 * KernelTuner#tune}.
 */
@FunctionalInterface
public interface TuningProgress {
    /** For those who do not care. */
    TuningProgress NONE = (part, done, total) -> {};

    /**
     * Called some times a second.
     *
     * @param part {@code build} or {@code tune}
     * @param done hundredths of shapes; 0 while the library is built
     * @param total of them
     */
    void at(String part, long done, long total);
}
