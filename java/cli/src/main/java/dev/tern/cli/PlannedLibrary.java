package dev.tern.cli;

import dev.tern.codegen.KernelBuild;
import dev.tern.codegen.KernelBuildException;
import dev.tern.codegen.KernelLibraryFile;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.PlannedKernel;
import dev.tern.kernels.KernelCache;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.LutLibrary;
import dev.tern.kernels.Tier;
import dev.tern.lut.LutSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The library that serves a plan on this machine: libtern where it has the plan's kernels, else one of the cache, else one
 * that is built there.
 *
 * @param status whether one was built
 * @param text which it is, or why there is none
 * @param kernels empty when there is none
 */
record PlannedLibrary(StepLog.Status status, String text, Optional<LutKernels> kernels) {

    /** Whether the other kernels of this process are native, and so look-up-table kernels can be used at all. */
    static boolean nativeHere() {
        return tier() != Tier.JAVA;
    }

    /** Whether this machine has vector code to look a format up in tables; without it loading repacks unless told otherwise. */
    static boolean fastHere(LutFormat format) {
        return LutLibrary.ofLibtern()
                .flatMap(library -> library.kernels(tier()))
                .map(kernels -> kernels.path().isFastFor(LutSource.format(format)))
                .orElse(nativeHere()); // a libtern without tables does not tell; a built library may have them
    }

    /** Looks for the library, and builds it where there is none. */
    static PlannedLibrary provide(KernelPlan plan, Interruption interruption) {
        if (!nativeHere()) {
            return new PlannedLibrary(
                    StepLog.Status.SKIPPED, "not needed: the Java reference looks nothing up", Optional.empty());
        }
        LutSource.Found found = LutSource.find(plan, tier(), false);
        if (found.kernels().isPresent()) {
            LutKernels kernels = found.kernels().get();
            boolean packed = LutLibrary.ofLibtern().filter(library -> library.file().equals(kernels.library())).isPresent();
            String text = packed
                    ? String.format("libtern has kernels for all of it (%s)", kernels.path().label())
                    : String.format("built before (%s): %s", kernels.path().label(), kernels.library());
            return new PlannedLibrary(StepLog.Status.SKIPPED, text, found.kernels());
        }
        try {
            KernelLibraryFile file = build(new KernelBuild(KernelCache.folder(LutSource.CACHE), plan), interruption);
            LutKernels kernels = LutSource.open(file, plan, tier());
            String reason = found.notes().isEmpty() ? missing(plan) : String.join("; ", found.notes());
            return new PlannedLibrary(
                    StepLog.Status.DONE,
                    String.format("%s (%s); %s", file.library(), kernels.path().label(), reason),
                    Optional.of(kernels));
        } catch (KernelBuildException | KernelUnavailableException e) {
            interruption.check(); // Ctrl-C ends the compiler too
            return new PlannedLibrary(
                    StepLog.Status.FAILED,
                    e.getMessage() + ". Until then weights are repacked when the file is loaded, with the same results",
                    Optional.empty());
        }
    }

    private static Tier tier() {
        return KernelChoice.best().kernels().tier();
    }

    /** What libtern lacks. */
    private static String missing(KernelPlan plan) {
        List<PlannedKernel> missing = LutLibrary.ofLibtern()
                .flatMap(library -> library.kernels(tier()))
                .map(kernels -> plan.kernels().stream()
                        .filter(kernel -> !kernels.shapes().contains(LutSource.shape(kernel)))
                        .toList())
                .orElse(plan.kernels());
        return "libtern has no kernel for " + missing.getFirst()
                + (missing.size() == 1 ? "" : " and " + (missing.size() - 1) + " more");
    }

    /** Compiles on a thread of its own, so that Ctrl-C ends the compiler as well. */
    private static KernelLibraryFile build(KernelBuild build, Interruption interruption) {
        try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
            Future<KernelLibraryFile> library = thread.submit(build::build);
            while (true) {
                try {
                    return library.get(50, TimeUnit.MILLISECONDS);
                } catch (TimeoutException e) {
                    if (interruption.requested()) {
                        thread.shutdownNow();
                        interruption.check();
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KernelBuildException("interrupted while the kernels were built", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof KernelBuildException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        }
    }
}
