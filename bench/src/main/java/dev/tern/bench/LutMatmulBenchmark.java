package dev.tern.bench;

import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.KernelPlanner;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.Tile;
import dev.tern.kernels.Activations;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.LutShape;
import dev.tern.kernels.LutTables;
import dev.tern.kernels.LutWeights;
import dev.tern.kernels.TernaryWeights;
import dev.tern.kernels.Tier;
import dev.tern.lut.LutSource;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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
 * The generated TL2 kernels against multiply-add of the same tier, for the four shapes of BitNet-b1.58-2B-4T and the
 * three of BitNet 3B, on each of JMH's threads ({@code -t 2} for two).
 *
 * <p>Ways: {@code mad} multiplies weights in the run-time layout; {@code lut} builds the token's tables and looks up;
 * {@code unpack} unpacks 64 rows at a time and multiplies those. Tiles: {@code default} are the plan's, anything else
 * is the path of a kernel_config.ini, such as {@code tern kernels --tune} writes, for which a library is built when
 * need be.
 *
 * <p>Read {@code weights}, a second and thread: weights of a matrix times tokens; or shares ({@link ReadWork}, {@link
 * IntegerWork}). The matrices of one thread fill 256 MiB in the run-time layout, more than any last-level cache a
 * virtual machine is given, so that one token streams from memory as decoding does.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class LutMatmulBenchmark {
    private static final int SCRATCH_ROWS = 64;

    @Param({"2560x2560", "640x2560", "6912x2560", "2560x6912", "3200x3200", "8640x3200", "3200x8640"})
    public String shape;

    @Param({"1", "8", "128", "512"})
    public int tokens;

    @Param({"mad", "lut", "unpack"})
    public String way;

    @Param("default")
    public String tiles;

    @Param("AVX2")
    public Tier tier;

    /** Bytes of all matrices together, in the run-time layout. */
    long workingSet = 256L << 20;

    MatricesInTurns<Matrix> matrices;
    Activations activations;
    private final Arena arena = Arena.ofShared();
    private Kernels kernels;
    private LutTables tables;
    private TernaryWeights scratch;
    private MemorySegment y;

    /** One matrix, packed for look-up and unpacked for multiplication. */
    record Matrix(LutWeights packed, TernaryWeights plain) {}

    /** Work done, from which JMH derives a rate. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Work {
        public double weights;
    }

    @Setup
    public void allocate() throws IOException {
        MatrixShape matrix = MatrixShape.parse(shape);
        kernels = KernelChoice.of(tier);
        PlannedKernel planned = new PlannedKernel(LutFormat.TL2, matrix, tile(matrix));
        LutKernels lut = LutSource.find(new KernelPlan(List.of(planned)), tier, true).kernels().orElseThrow();
        LutShape lutShape = LutSource.shape(planned);
        RandomMemory memory = new RandomMemory(arena);
        long rowBytes = TernaryWeights.rowBytes(matrix.cols());
        matrices = MatricesInTurns.filling(workingSet, matrix.rows() * rowBytes, () -> {
            LutWeights packed = memory.lookedUp(lut, lutShape);
            MemorySegment codes = memory.bytes(matrix.rows() * rowBytes);
            lut.unpack(packed, 0, matrix.rows(), codes);
            return new Matrix(packed, TernaryWeights.of(arena, codes, matrix.rows(), matrix.cols(), 0.02f));
        });
        activations = memory.activations(kernels, tokens, matrix.cols());
        tables = LutTables.allocate(arena, tokens, matrix.cols());
        scratch = TernaryWeights.of(arena, memory.bytes(SCRATCH_ROWS * rowBytes), SCRATCH_ROWS, matrix.cols(), 0.02f);
        y = memory.bytes(4L * tokens * matrix.rows());
    }

    private Tile tile(MatrixShape matrix) throws IOException {
        if (tiles.equals("default")) {
            return KernelPlanner.plan(List.of(matrix), LutFormat.TL2)
                    .tile(LutFormat.TL2, matrix)
                    .orElseThrow();
        }
        Path ini = Path.of(tiles);
        KernelConfig config = KernelConfig.parse(Files.readString(ini), tiles, Optional.of(LutFormat.TL2));
        return config.plan()
                .tile(LutFormat.TL2, matrix)
                .orElseThrow(() -> new IllegalArgumentException(ini + " has no tile for " + matrix));
    }

    @TearDown
    public void free() {
        arena.close();
    }

    @Benchmark
    public MemorySegment matmul(Work work, ReadWork read, IntegerWork integers) {
        Matrix matrix = matrices.next();
        TernaryWeights plain = matrix.plain();
        LutWeights packed = matrix.packed();
        int rows = plain.rows();
        switch (way) {
            case "mad" -> kernels.ternaryMatmul(plain, activations, tokens, 0, rows, y, rows);
            case "lut" -> {
                LutKernels lut = packed.kernels();
                lut.buildTables(packed.shape().format(), activations, 0, tokens, tables);
                lut.matmul(packed, activations, tables, tokens, 0, rows, y, rows);
            }
            case "unpack" -> unpackAndMultiply(packed, rows);
            default -> throw new IllegalArgumentException("way " + way + ": expected mad, lut or unpack");
        }
        work.weights += (double) rows * plain.cols() * tokens;
        read.weightBytes += way.equals("mad") ? plain.byteSize() : packed.byteSize();
        integers.integerOps += 2.0 * rows * plain.cols() * tokens; // those of the product, however it is made
        return y;
    }

    private void unpackAndMultiply(LutWeights w, int rows) {
        for (int row = 0; row < rows; row += SCRATCH_ROWS) {
            int n = Math.min(SCRATCH_ROWS, rows - row);
            w.kernels().unpack(w, row, row + n, scratch.codes());
            kernels.ternaryMatmul(scratch, activations, tokens, 0, n, y.asSlice(4L * row), rows);
        }
    }
}
