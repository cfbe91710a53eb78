package dev.tern.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * Weights that a kernel read, from which JMH derives rates: secondary results of a benchmark in throughput mode, whose
 * unit of time is the second. {@code readShare} is the rate as a part of what as many threads read from memory
 * ({@link Limits}): near 1 the kernel cannot become faster. From a cache it may be more.
 */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class ReadWork {
    public double weightBytes;
    private double limit = Double.NaN;

    /** Of as many threads as JMH runs. */
    @Setup(Level.Trial)
    public void limit(BenchmarkParams params) {
        limit(Limits.ofThisProcess(), params.getThreads());
    }

    void limit(Limits limits, int threads) {
        limit = limits.readBytes(threads);
    }

    /** Part of the machine's read bandwidth; not a number where that was not measured. */
    public double readShare() {
        return weightBytes / limit;
    }
}
