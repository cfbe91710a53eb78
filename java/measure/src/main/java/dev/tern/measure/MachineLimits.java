package dev.tern.measure;

import java.util.List;

/**
 * What a machine can do at most, measured: decode is held against the first, prefill against the second.
 *
 * @param reads bandwidth of plain reads of memory that no cache holds
 * @param peaks dot products of 8-bit integers from registers alone
 */
public record MachineLimits(List<Read> reads, List<Peak> peaks) {

    /**
     * @param gigabytesPerSecond 10^9 bytes a second, of all threads together
     * @param largePages whether the memory lay in pages of 2 MiB
     */
    public record Read(int threads, boolean largePages, double gigabytesPerSecond) {}

    /**
     * @param tier the instruction set, as {@code TERN_MAX_TIER} spells it
     * @param gigaOperationsPerSecond 10^9 multiplications and additions a second, each counted, of all threads together
     */
    public record Peak(String tier, int threads, double gigaOperationsPerSecond) {}

    public MachineLimits {
        reads = List.copyOf(reads);
        peaks = List.copyOf(peaks);
    }
}
