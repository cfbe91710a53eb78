package dev.tern.ternary;

import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.Tile;
import java.util.ArrayList;
import java.util.List;

/** Tiles for tests that run over all outtypes: the middle one of those that are legal. */
public final class TestTiles {
    private TestTiles() {}

    /** Of these shapes; none when the outtype needs none. */
    public static LutTiles of(Outtype outtype, MatrixShape... shapes) {
        if (outtype.lutFormat().isEmpty()) {
            return LutTiles.none();
        }
        LutFormat format = outtype.lutFormat().get();
        List<PlannedKernel> kernels = new ArrayList<>();
        for (MatrixShape shape : shapes) {
            List<Tile> legal = format.legalTiles(shape);
            kernels.add(new PlannedKernel(format, shape, legal.get(legal.size() / 2)));
        }
        return LutTiles.of(new KernelPlan(kernels));
    }

    /** What encodes and decodes a matrix of these dimensions. */
    public static TernaryCodec codec(Outtype outtype, int rows, int cols) {
        MatrixShape shape = new MatrixShape(rows, cols);
        return outtype.codec(shape, of(outtype, shape));
    }
}
