package dev.tern.lut;

import dev.tern.codegen.KernelBuild;
import dev.tern.codegen.KernelBuildException;
import dev.tern.codegen.KernelLibraryFile;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.PlannedKernel;
import dev.tern.kernels.KernelCache;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.LutLibrary;
import dev.tern.kernels.LutPath;
import dev.tern.kernels.LutShape;
import dev.tern.kernels.Tier;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Where kernels for packed matrices come from: libtern, when it was built with exactly these shapes and tiles; else a library
 * of the cache; else one that is built now, when that is wanted and there is a compiler. Stateless and thread-safe.
 */
public final class LutSource {
    /** Folder of the cache in which libraries are built. */
    public static final String CACHE = "lut";

    private LutSource() {}

    /**
     * What was found.
     *
     * @param kernels that have every shape of the plan, empty when there are none
     * @param notes what a person should know: what was built, what was refused and why
     */
    public record Found(Optional<LutKernels> kernels, List<String> notes) {
        public Found {
            notes = List.copyOf(notes);
        }
    }

    /**
     * Looks for kernels.
     *
     * @param plan every shape with the tile it is packed with
     * @param tier of the other kernels; the look-up-table kernels are of the path that goes with it
     * @param build whether a library may be built
     */
    public static Found find(KernelPlan plan, Tier tier, boolean build) {
        if (tier == Tier.JAVA) {
            return new Found(Optional.empty(), List.of("the Java reference has no look-up-table kernels"));
        }
        Set<LutShape> needed = shapes(plan);
        Optional<LutKernels> packed = LutLibrary.ofLibtern()
                .flatMap(library -> library.kernels(tier))
                .filter(kernels -> new HashSet<>(kernels.shapes()).containsAll(needed));
        if (packed.isPresent()) {
            return new Found(packed, List.of());
        }
        List<String> notes = new ArrayList<>();
        try {
            KernelBuild cache = new KernelBuild(KernelCache.folder(CACHE), plan);
            Optional<KernelLibraryFile> file = cached(cache, notes);
            if (file.isEmpty() && build) {
                file = Optional.of(cache.build());
                notes.add("built kernels for this model's shapes and tiles: " + file.get().library());
            }
            return new Found(file.map(library -> open(library, plan, needed, tier)), notes);
        } catch (KernelBuildException | KernelUnavailableException e) {
            notes.add(e.getMessage());
            return new Found(Optional.empty(), notes);
        }
    }

    private static Optional<KernelLibraryFile> cached(KernelBuild cache, List<String> notes) {
        try {
            return cache.find();
        } catch (KernelBuildException e) {
            notes.add("refused: " + e.getMessage());
            return Optional.empty();
        }
    }

    /**
     * Opens a library that was built for a plan.
     *
     * @throws KernelUnavailableException when it cannot be opened, or serves another plan
     */
    public static LutKernels open(KernelLibraryFile file, KernelPlan plan, Tier tier) {
        return open(file, plan, shapes(plan), tier);
    }

    private static LutKernels open(KernelLibraryFile file, KernelPlan plan, Set<LutShape> needed, Tier tier) {
        LutKernels kernels = LutLibrary.open(file.library(), file.sha256())
                .kernels(tier)
                .orElseThrow(() -> new KernelUnavailableException(
                        file.library() + ": has no kernels for tier " + tier.label() + "; build it again"));
        if (!kernels.plan().equals(plan.hash()) || !new HashSet<>(kernels.shapes()).containsAll(needed)) {
            throw new KernelUnavailableException(file.library() + ": serves the plan " + kernels.plan() + ", expected "
                    + plan.hash() + "; remove " + file.folder());
        }
        return kernels;
    }

    private static Set<LutShape> shapes(KernelPlan plan) {
        Set<LutShape> shapes = new HashSet<>();
        plan.kernels().forEach(kernel -> shapes.add(shape(kernel)));
        return shapes;
    }

    /** Those of the plan's kernels that libtern was built with: none of them needs another library. */
    public static List<PlannedKernel> inLibtern(KernelPlan plan) {
        Set<LutShape> shapes = LutLibrary.ofLibtern()
                .flatMap(library -> library.kernels(LutPath.PORTABLE))
                .map(kernels -> Set.copyOf(kernels.shapes()))
                .orElse(Set.of());
        return plan.kernels().stream().filter(kernel -> shapes.contains(shape(kernel))).toList();
    }

    /** A planned kernel as the native library names it. */
    public static LutShape shape(PlannedKernel kernel) {
        return new LutShape(
                format(kernel.format()),
                kernel.shape().rows(),
                kernel.shape().cols(),
                kernel.tile().rows(),
                kernel.tile().cols(),
                kernel.tile().rowBlock());
    }

    /** A format as the native library names it. */
    public static LutShape.Format format(LutFormat format) {
        return format == LutFormat.TL2 ? LutShape.Format.TL2 : LutShape.Format.TL1;
    }
}
