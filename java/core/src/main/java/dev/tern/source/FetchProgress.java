package dev.tern.source;

/**
 * Hears how far a fetch is; called some times a second, on the thread that called {@link ModelSource#fetch}. What it
 * throws ends the fetch and comes out of it; what was fetched until then is kept, and the next fetch goes on from
 * there.
 */
@FunctionalInterface
public interface FetchProgress {

    /**
     * So far.
     *
     * @param task what is being done, a word or two: {@code fetch}, {@code check}, {@code wait}
     * @param doneBytes bytes of {@code totalBytes} that are there
     * @param totalBytes bytes of all files that have to be fetched, as far as their sizes are known
     */
    void advance(String task, long doneBytes, long totalBytes);
}
