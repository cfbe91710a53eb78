package dev.tern.cli;

import dev.tern.codegen.BuiltKernels;
import dev.tern.kernels.KernelCache;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.LutLibrary;
import dev.tern.kernels.LutPath;
import dev.tern.lut.LutSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Which look-up-table kernels there are.
 *
 * @param paths of libtern that this machine can run; none without libtern
 * @param shapes that libtern has kernels for
 * @param cache where others are built; empty when there can be none
 * @param built all that were, in their order by name
 * @param fault why there can be no cache; empty when all is well
 */
record LutFindings(
        List<LutPath> paths, int shapes, Optional<Path> cache, List<BuiltKernels> built, Optional<String> fault) {

    static LutFindings examine() {
        Optional<LutLibrary> libtern = LutLibrary.ofLibtern();
        List<LutPath> paths = Arrays.stream(LutPath.values())
                .filter(path -> libtern.flatMap(library -> library.kernels(path)).isPresent())
                .toList();
        int shapes = paths.isEmpty()
                ? 0
                : libtern.flatMap(library -> library.kernels(paths.getFirst())).map(k -> k.shapes().size()).orElse(0);
        try {
            Path cache = KernelCache.folder(LutSource.CACHE);
            return new LutFindings(paths, shapes, Optional.of(cache), BuiltKernels.in(cache), Optional.empty());
        } catch (KernelUnavailableException e) {
            return new LutFindings(paths, shapes, Optional.empty(), List.of(), Optional.of(String.valueOf(e.getMessage())));
        } catch (IOException e) {
            return new LutFindings(paths, shapes, Optional.empty(), List.of(), Optional.of("the cache: " + e));
        }
    }

    /** Those that will not be loaded. */
    List<BuiltKernels> damaged() {
        return built.stream().filter(kernels -> kernels.damage().isPresent()).toList();
    }
}
