package dev.tern.model;

import java.util.List;

/**
 * What forward passes spent their time on, and what they read and computed meanwhile.
 *
 * @param passes number of passes
 * @param tokens evaluated by all of them
 * @param threads that computed
 * @param stages one entry for each {@link PassStage}, in its order; their times add up to that of the passes
 */
public record PassProfile(long passes, long tokens, int threads, List<Entry> stages) {

    public PassProfile {
        stages = List.copyOf(stages);
    }

    /**
     * One kind of work in all passes.
     *
     * @param nanos time of a thread, on the average over the threads
     * @param bytes of weights, or of the cache, that all threads together had to read; each once a pass
     * @param operations multiplications and additions of all threads together
     */
    public record Entry(PassStage stage, double nanos, long bytes, long operations) {
        /** 1e9 bytes a second; 0 where nothing is counted. */
        public double gigabytesPerSecond() {
            return bytes == 0 ? 0 : bytes / nanos;
        }

        /** 1e9 operations a second; 0 where none are counted. */
        public double gigaOperationsPerSecond() {
            return operations == 0 ? 0 : operations / nanos;
        }
    }

    /** The time of all passes. */
    public double nanos() {
        return stages.stream().mapToDouble(Entry::nanos).sum();
    }
}
