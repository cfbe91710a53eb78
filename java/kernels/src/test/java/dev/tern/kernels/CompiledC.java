package dev.tern.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Small libraries for tests, compiled with the compiler that built libtern. */
final class CompiledC {
    private CompiledC() {}

    /** {@code library.so} in a folder, from C. */
    static Path library(Path folder, String source, String... flags) throws Exception {
        Path c = Files.writeString(folder.resolve("library.c"), source + "\n");
        Path library = folder.resolve("library.so");
        List<String> command = new ArrayList<>();
        command.add(Optional.ofNullable(System.getenv("CC")).filter(cc -> !cc.isBlank()).orElse("cc"));
        command.addAll(List.of(flags));
        command.addAll(List.of("-shared", "-fPIC", "-o", library.toString(), c.toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return library;
    }
}
