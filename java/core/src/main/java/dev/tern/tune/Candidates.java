package dev.tern.tune;

import dev.tern.codegen.KernelPlanException;
import dev.tern.codegen.KernelPlanner;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.Tile;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;

/**
 * The tiles that are worth timing for a shape: the best by the planner's estimate, but not many of one height or one
 * width, since neighbours differ less than the estimate errs; and bitnet.cpp's preset.
 */
final class Candidates {
    private static final int MOST = 8;
    private static final int OF_ONE_SIDE = 3;

    /** Of bitnet.cpp's setup_env.py, where its preset files say otherwise: BM, BK, bm. */
    private static final Map<String, Tile> PRESETS = Map.ofEntries(
            preset("tl1 1536x4096", 256, 128, 32),
            preset("tl1 1536x1536", 128, 64, 64),
            preset("tl1 4096x1536", 256, 128, 32),
            preset("tl1 3200x8640", 160, 64, 32),
            preset("tl1 3200x3200", 320, 128, 64),
            preset("tl1 8640x3200", 320, 64, 32),
            preset("tl1 14336x4096", 256, 128, 32),
            preset("tl1 4096x14336", 128, 64, 64),
            preset("tl1 1024x4096", 256, 128, 32),
            preset("tl1 4096x4096", 128, 64, 64),
            preset("tl2 1536x4096", 256, 96, 32),
            preset("tl2 1536x1536", 128, 192, 32),
            preset("tl2 4096x1536", 256, 96, 32),
            preset("tl2 3200x8640", 160, 96, 32),
            preset("tl2 3200x3200", 320, 96, 32),
            preset("tl2 8640x3200", 320, 96, 32),
            preset("tl2 14336x4096", 256, 96, 32),
            preset("tl2 4096x14336", 128, 96, 32),
            preset("tl2 1024x4096", 256, 96, 32),
            preset("tl2 4096x4096", 128, 96, 32));

    private Candidates() {}

    private static Map.Entry<String, Tile> preset(String kernel, int bm, int bk, int bmm) {
        return Map.entry(kernel, new Tile(bm, bk, bmm));
    }

    /**
     * Up to nine tiles, the planner's choice first.
     *
     * @throws KernelPlanException when none fits
     */
    static List<PlannedKernel> of(LutFormat format, MatrixShape shape) {
        List<Tile> ranked = KernelPlanner.ranked(format, shape);
        if (ranked.isEmpty()) {
            return KernelPlanner.plan(List.of(shape), format).kernels(); // says why
        }
        SequencedSet<Tile> chosen = new LinkedHashSet<>();
        for (Tile tile : ranked) {
            long high = chosen.stream().filter(other -> other.rows() == tile.rows()).count();
            long wide = chosen.stream().filter(other -> other.cols() == tile.cols()).count();
            if (chosen.size() < MOST && high < OF_ONE_SIDE && wide < OF_ONE_SIDE) {
                chosen.add(tile);
            }
        }
        for (Tile tile : ranked) {
            if (chosen.size() < MOST) {
                chosen.add(tile);
            }
        }
        Optional.ofNullable(PRESETS.get(format.label() + " " + shape))
                .filter(tile -> format.obstacle(shape, tile).isEmpty())
                .ifPresent(chosen::add);
        return chosen.stream().map(tile -> new PlannedKernel(format, shape, tile)).toList();
    }
}
