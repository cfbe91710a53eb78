package dev.tern.codegen;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A library in the cache, as it is found without knowing its plan.
 *
 * @param folder where it lies
 * @param damage why it will not be loaded; empty when it is what was built
 */
public record BuiltKernels(Path folder, Optional<String> damage) {

    /**
     * All that were built in a cache, by name.
     *
     * @throws IOException when the folder cannot be listed
     */
    public static List<BuiltKernels> in(Path cache) throws IOException {
        try (Stream<Path> folders = Files.list(cache)) {
            return folders.filter(KernelManifest::isIn)
                    .sorted()
                    .map(folder -> new BuiltKernels(folder, damage(folder)))
                    .toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static Optional<String> damage(Path folder) {
        try {
            KernelManifest.read(folder).library();
            return Optional.empty();
        } catch (KernelBuildException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }
}
