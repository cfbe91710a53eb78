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
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
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
 * The ternary product on one thread, for the four shapes of BitNet-b1.58-2B-4T.
 *
 * <p>Read the secondary results: {@code weightBytes} a second against the machine's read bandwidth when there is one
 * token, {@code integerOps} (a multiplication and an addition are two) against its integer peak when there are many. The
 * matrices of one run fill 256 MiB, more than any last-level cache a virtual machine is given, and take turns, so that
 * one token streams weights from memory as decoding does. 8 tokens is a small batch of slots, 128 a prefill batch, 512
 * one whose activations no longer fit the L2 cache.
 *
 * <pre>
 * java -jar bench/target/benchmarks.jar TernaryMatmul -p tier=AVX512VNNI -p layout=PANELS_2BIT,PANELS_5TRIT
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

    @Param({"2560x2560", "640x2560", "6912x2560", "2560x6912"})
    public String shape;

    @Param({"1", "8", "128", "512"})
    public int tokens;

    /** Bytes of all matrices together. */
    long workingSet = 256L << 20;

    TernaryWeights[] weights;
    Activations activations;
    private final Arena arena = Arena.ofConfined();
    private Kernels kernels;
    private MemorySegment y;
    private int next;

    /** Work done, from which JMH derives rates. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Work {
        public double weightBytes;
        public double integerOps;
    }

    @Setup
    public void allocate() {
        String[] sides = shape.split("x");
        MatrixShape matrix = new MatrixShape(Integer.parseInt(sides[0]), Integer.parseInt(sides[1]));
        kernels = KernelChoice.of(tier);
        SplittableRandom random = new SplittableRandom(1);
        long bytes = matrix.rows() * TernaryWeights.rowBytes(matrix.cols());
        weights = new TernaryWeights[
                Math.toIntExact(Math.ceilDiv(workingSet, layout.bytes(matrix.rows(), matrix.cols())))];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = laidOut(randomCodes(random, bytes), matrix);
        }
        MemorySegment x = arena.allocate(4L * tokens * matrix.cols(), 64);
        for (long i = 0; i < (long) tokens * matrix.cols(); i++) {
            x.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
        }
        activations = Activations.allocate(arena, tokens, matrix.cols());
        kernels.quantize(x, matrix.cols(), matrix.cols(), 0, tokens, activations);
        y = arena.allocate(4L * tokens * matrix.rows(), 64);
    }

    private TernaryWeights laidOut(MemorySegment codes, MatrixShape matrix) {
        if (layout == TernaryLayout.ROWS) {
            return TernaryWeights.of(arena, codes, matrix.rows(), matrix.cols(), 0.02f);
        }
        MemorySegment panels = arena.allocate(layout.bytes(matrix.rows(), matrix.cols()), 64);
        TernaryWeights w = TernaryWeights.of(arena, panels, matrix.rows(), matrix.cols(), 0.02f, layout);
        kernels.ternaryPack(codes, 0, matrix.rows(), w);
        return w;
    }

    private MemorySegment randomCodes(SplittableRandom random, long bytes) {
        MemorySegment codes = arena.allocate(bytes, 64);
        for (long i = 0; i < bytes; i += 8) {
            // Where both bits of a code are set, the higher one is cleared: 3 becomes 1, and 0, 1, 2 stay.
            long bits = random.nextLong();
            codes.set(ValueLayout.JAVA_LONG, i, bits & ~((bits & bits << 1) & 0xAAAA_AAAA_AAAA_AAAAL));
        }
        return codes;
    }

    @TearDown
    public void free() {
        arena.close();
    }

    @Benchmark
    public MemorySegment matmul(Work work) {
        TernaryWeights w = weights[next];
        next = next + 1 == weights.length ? 0 : next + 1;
        kernels.ternaryMatmul(w, activations, tokens, 0, w.rows(), y, w.rows());
        work.weightBytes += w.byteSize();
        work.integerOps += 2.0 * w.rows() * w.cols() * tokens;
        return y;
    }
}
