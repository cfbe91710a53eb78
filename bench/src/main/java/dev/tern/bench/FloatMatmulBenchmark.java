package dev.tern.bench;

import dev.tern.codegen.MatrixShape;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.Tier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
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
 * The float product, which the head is, on each of JMH's threads: an eighth of the rows of BitNet-b1.58-2B-4T's. BitNet
 * 3B's is {@code -p shape=4000x3200}, whose columns are no multiple of Q6_K's 256.
 *
 * <p>The matrices of one run fill 256 MiB, more than any last-level cache a virtual machine is given, and take turns,
 * as a head streams from memory for each token. One token is decoding, 8 a batch of slots or a draft, 128 a text whose
 * every position is scored. Read {@code weightBytes} and its {@code readShare} for few tokens, {@code floatOps} for
 * many.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class FloatMatmulBenchmark {
    @Param({"AVX2", "SCALAR"})
    public Tier tier;

    @Param({"Q6_K", "Q8_0", "F16"})
    public FloatType type;

    @Param("16032x2560")
    public String shape;

    @Param({"1", "8", "128"})
    public int tokens;

    /** Bytes of all matrices together. */
    long workingSet = 256L << 20;

    MatricesInTurns<FloatWeights> weights;
    MemorySegment x;
    private final Arena arena = Arena.ofConfined();
    private Kernels kernels;
    private MemorySegment y;

    /** Multiplications and additions, each counted. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Work {
        public double floatOps;
    }

    @Setup
    public void allocate() {
        MatrixShape matrix = MatrixShape.parse(shape);
        kernels = KernelChoice.of(tier);
        RandomMemory memory = new RandomMemory(arena);
        weights = MatricesInTurns.filling(
                workingSet, type.bytes(matrix.weights()), () -> memory.matrix(matrix.rows(), matrix.cols(), type));
        x = memory.floats((long) tokens * matrix.cols());
        y = memory.bytes(4L * tokens * matrix.rows());
    }

    @TearDown
    public void free() {
        arena.close();
    }

    @Benchmark
    public MemorySegment matmul(ReadWork read, Work work) {
        FloatWeights w = weights.next();
        kernels.floatMatmul(w, x, w.cols(), tokens, 0, w.rows(), y, w.rows());
        read.weightBytes += w.values().byteSize();
        work.floatOps += 2.0 * w.rows() * w.cols() * tokens;
        return y;
    }
}
