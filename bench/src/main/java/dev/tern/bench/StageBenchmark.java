package dev.tern.bench;

import dev.tern.model.ThreadTeam;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a stage of a forward pass costs beside its work: shares that are claimed and completed, and the end that all
 * wait for. A pass of thirty layers has some 150 of them for one token.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class StageBenchmark {
    private static final int STAGES = 1000;

    @Param({"1", "2"})
    public int threads;

    @Param({"1", "8", "16"})
    public int shares;

    private ThreadTeam team;

    @Setup
    public void start() {
        team = new ThreadTeam(threads);
    }

    @TearDown
    public void close() {
        team.close();
    }

    @Benchmark
    @OperationsPerInvocation(STAGES)
    public void emptyStage() {
        int n = shares;
        team.run(member -> {
            for (int stage = 0; stage < STAGES; stage++) {
                for (int i; (i = team.claim(member, n)) >= 0; ) {
                    team.complete(n);
                }
                team.endStage(member);
            }
        });
    }
}
