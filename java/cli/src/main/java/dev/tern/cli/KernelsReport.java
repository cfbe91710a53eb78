package dev.tern.cli;

import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.PlannedKernel;
import dev.tern.tune.Tuning;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * What {@code tern kernels} did, or would do.
 *
 * @param model whose kernels they are; empty when the shapes are a kernel_config.ini's
 * @param bitnetCpp whether the header is for bitnet.cpp
 * @param files of which those that are true were or would be written, the others hold the same already
 * @param inLibtern how many of the plan's kernels libtern has
 * @param library the one asked for
 * @param candidates that tuning would time, in a dry run
 */
record KernelsReport(
        Optional<ModelMatrices> model,
        KernelPlan plan,
        boolean bitnetCpp,
        boolean dryRun,
        SequencedMap<Path, Boolean> files,
        int inLibtern,
        Optional<Library> library,
        Optional<Tuning> tuning,
        List<PlannedKernel> candidates,
        List<String> notes) {

    /**
     * A library in the cache.
     *
     * @param built whether it was compiled now
     */
    record Library(Path file, boolean built) {}

    /** The matrices of a layer that a kernel computes; none when no model is known. */
    List<String> projections(PlannedKernel kernel) {
        return model.map(m -> m.projections().getOrDefault(kernel.shape(), List.of())).orElse(List.of());
    }
}
