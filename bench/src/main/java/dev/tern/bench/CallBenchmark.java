package dev.tern.bench;

import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.Tier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What a kernel call costs beside its work: the smallest kernel on eight floats, argument checks included. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class CallBenchmark {
    @Param({"AVX2", "SCALAR", "JAVA"})
    public Tier tier;

    private Kernels kernels;
    MemorySegment x;
    MemorySegment y;

    @Setup
    public void allocate() {
        kernels = KernelChoice.of(tier);
        x = Arena.ofAuto().allocate(32, 64);
        y = Arena.ofAuto().allocate(32, 64);
    }

    @Benchmark
    public void addEightFloats() {
        kernels.add(x, y, 0, 8);
    }
}
