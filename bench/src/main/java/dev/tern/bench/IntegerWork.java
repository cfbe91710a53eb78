package dev.tern.bench;

import dev.tern.kernels.Tier;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * Multiplications and additions of integers, each counted, from which JMH derives rates as in {@link ReadWork}.
 * {@code peakShare} is the rate as a part of what the units of the benchmark's tier do from registers.
 */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class IntegerWork {
    public double integerOps;
    private double limit = Double.NaN;

    /** Of as many threads as JMH runs, and of the tier that is measured. */
    @Setup(Level.Trial)
    public void limit(BenchmarkParams params) {
        limit(Limits.ofThisProcess(), Tier.valueOf(params.getParam("tier")), params.getThreads());
    }

    void limit(Limits limits, Tier tier, int threads) {
        limit = limits.integerOperations(tier, threads);
    }

    /** Part of the machine's integer peak; not a number where that was not measured. */
    public double peakShare() {
        return integerOps / limit;
    }
}
