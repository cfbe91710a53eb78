package dev.tern.bench;

import dev.tern.kernels.Activations;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What happens to activations between the products: quantization to int8, the norm, the gates, on one thread. Columns
 * are the hidden and intermediate sizes of BitNet-b1.58-2B-4T (2560, 6912) and BitNet 3B (3200, 8640).
 *
 * <p>A token is decoding: 10 to 35 KB, which the products before left in the L1 or L2 cache. 128 tokens of 2560 columns
 * are 1.3 MB, 512 of 8640 are 18 MB: a prompt's pass reads them from the last-level cache or from memory.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ActivationBenchmark {
    static final float EPSILON = 1e-5f;

    @Param({"AVX2", "SCALAR"})
    public Tier tier;

    @Param({"2560", "6912", "3200", "8640"})
    public int cols;

    @Param({"1", "128", "512"})
    public int tokens;

    MemorySegment x;
    MemorySegment up;
    MemorySegment weight;
    private final Arena arena = Arena.ofConfined();
    private Kernels kernels;
    private MemorySegment y;
    private Activations quantized;

    @Setup
    public void allocate() {
        kernels = KernelChoice.of(tier);
        RandomMemory memory = new RandomMemory(arena);
        x = memory.floats((long) tokens * cols);
        up = memory.floats((long) tokens * cols);
        weight = memory.floats(cols);
        y = memory.bytes(x.byteSize());
        quantized = Activations.allocate(arena, tokens, cols);
    }

    @TearDown
    public void free() {
        arena.close();
    }

    @Benchmark
    public Activations quantize() {
        kernels.quantize(x, cols, cols, 0, tokens, quantized);
        return quantized;
    }

    @Benchmark
    public MemorySegment rmsNorm() {
        kernels.rmsNorm(x, cols, weight, EPSILON, cols, 0, tokens, y, cols);
        return y;
    }

    @Benchmark
    public MemorySegment reluSquaredGate() {
        kernels.reluSquaredGate(x, up, y, 0, (long) tokens * cols);
        return y;
    }

    @Benchmark
    public MemorySegment siluGate() {
        kernels.siluGate(x, up, y, 0, (long) tokens * cols);
        return y;
    }
}
