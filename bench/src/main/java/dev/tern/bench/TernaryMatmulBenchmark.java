package dev.tern.bench;

import dev.tern.codegen.MatrixShape;
import dev.tern.kernels.Activations;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.TernaryWeights;
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
 * The ternary product on each of JMH's threads, for the four shapes of BitNet-b1.58-2B-4T and the three of BitNet 3B.
 *
 * <p>Read the secondary results ({@link ReadWork}, {@link IntegerWork}): {@code weightBytes} and {@code readShare} when
 * there is one token, {@code integerOps} and {@code peakShare} when there are many. The matrices of one run fill 256
 * MiB, more than any last-level cache a virtual machine is given, and take turns, so that one token streams weights
 * from memory as decoding does. 8 tokens is a small batch of slots, 128 a prefill batch, 512 one whose activations no
 * longer fit the L2 cache.
 *
 * <pre>
 * bench/run TernaryMatmul -p tier=AVX512VNNI -p layout=PANELS_2BIT,PANELS_5TRIT
 * </pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class TernaryMatmulBenchmark {
    @Param({"AVX2", "SCALAR"})
    public Tier tier;

    /** Those of panels are for the tiers from AVXVNNI on; below, plain C computes with them. */
    @Param("ROWS")
    public TernaryLayout layout;

    @Param({"2560x2560", "640x2560", "6912x2560", "2560x6912", "3200x3200", "8640x3200", "3200x8640"})
    public String shape;

    @Param({"1", "8", "128", "512"})
    public int tokens;

    /** Bytes of all matrices together. */
    long workingSet = 256L << 20;

    MatricesInTurns<TernaryWeights> weights;
    Activations activations;
    private final Arena arena = Arena.ofConfined();
    private Kernels kernels;
    private MemorySegment y;

    @Setup
    public void allocate() {
        MatrixShape matrix = MatrixShape.parse(shape);
        kernels = KernelChoice.of(tier);
        RandomMemory memory = new RandomMemory(arena);
        weights = MatricesInTurns.filling(
                workingSet,
                layout.bytes(matrix.rows(), matrix.cols()),
                () -> memory.ternary(kernels, matrix.rows(), matrix.cols(), layout));
        activations = memory.activations(kernels, tokens, matrix.cols());
        y = memory.bytes(4L * tokens * matrix.rows());
    }

    @TearDown
    public void free() {
        arena.close();
    }

    @Benchmark
    public MemorySegment matmul(ReadWork read, IntegerWork integers) {
        TernaryWeights w = weights.next();
        kernels.ternaryMatmul(w, activations, tokens, 0, w.rows(), y, w.rows());
        read.weightBytes += w.byteSize();
        integers.integerOps += 2.0 * w.rows() * w.cols() * tokens;
        return y;
    }
}
