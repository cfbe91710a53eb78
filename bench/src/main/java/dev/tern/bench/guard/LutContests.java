package dev.tern.bench.guard;

import dev.tern.bench.RandomMemory;
import dev.tern.bench.guard.Contest.Way;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.KernelPlanner;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.kernels.Activations;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.LutPath;
import dev.tern.kernels.LutShape;
import dev.tern.kernels.LutTables;
import dev.tern.kernels.LutWeights;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.TernaryWeights;
import dev.tern.kernels.Tier;
import dev.tern.lut.LutSource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Look-up tables for one token, tables included: vector code against plain C, and against multiply-add on the same
 * weights (TL2 against I2_S; on ARM TL1). The shape is one of a published model, which libtern has.
 */
final class LutContests {
    private static final MatrixShape SHAPE = new MatrixShape(640, 2560);

    private LutContests() {}

    /** Both; none where the tier's path has no vector code for either format, or the library lacks the shape. */
    static List<Contest> of(Arena arena, Tier tier) {
        boolean tl2 = LutPath.of(tier).isFastFor(LutShape.Format.TL2);
        if (!tl2 && !LutPath.of(tier).isFastFor(LutShape.Format.TL1)) {
            return List.of();
        }
        LutFormat format = tl2 ? LutFormat.TL2 : LutFormat.TL1;
        KernelPlan plan = KernelPlanner.plan(List.of(SHAPE), format);
        if (LutSource.inLibtern(plan).isEmpty()) {
            return List.of();
        }
        RandomMemory memory = new RandomMemory(arena);
        Kernels kernels = KernelChoice.of(tier);
        LutKernels vectors = LutSource.find(plan, tier, false).kernels().orElseThrow();
        LutKernels plain = LutSource.find(plan, Tier.SCALAR, false).kernels().orElseThrow();
        LutShape shape = LutSource.shape(plan.kernels().getFirst());
        Activations activations = memory.activations(kernels, 1, SHAPE.cols());
        MemorySegment codes = memory.codes(SHAPE.rows() * TernaryWeights.rowBytes(SHAPE.cols()));
        TernaryWeights rows = TernaryWeights.of(arena, codes, SHAPE.rows(), SHAPE.cols(), 0.02f);
        MemorySegment y = memory.bytes(4L * SHAPE.rows());
        Way fast = lookUp(format + " " + vectors.path().label(), memory, vectors, shape, activations, y);
        return List.of(
                new Contest(
                        "look-up tables, 1 token",
                        fast,
                        lookUp(format + " " + plain.path().label(), memory, plain, shape, activations, y),
                        6), // 65
                new Contest(
                        "look-up against multiply-add, 1 token",
                        fast,
                        new Way("I2_S " + tier.label(), 1, () ->
                                kernels.ternaryMatmul(rows, activations, 1, 0, SHAPE.rows(), y, SHAPE.rows())),
                        0.2)); // 0.7
    }

    private static Way lookUp(
            String name,
            RandomMemory memory,
            LutKernels lut,
            LutShape shape,
            Activations activations,
            MemorySegment y) {
        LutWeights w = memory.lookedUp(lut, shape);
        LutTables tables = LutTables.allocate(memory.arena(), 1, shape.cols());
        return new Way(name, 1, () -> {
            lut.buildTables(shape.format(), activations, 0, 1, tables);
            lut.matmul(w, activations, tables, 1, 0, shape.rows(), y, shape.rows());
        });
    }
}
