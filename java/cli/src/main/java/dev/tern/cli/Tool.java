package dev.tern.cli;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A program that building Tern needs, as found on the PATH.
 *
 * @param name the command
 * @param path where it lies
 * @param version the first line of its {@code --version}
 */
record Tool(String name, Path path, String version) {
    private static final long PATIENCE_SECONDS = 10;

    /** The first of the commands that is on the PATH and answers {@code --version}. */
    static Optional<Tool> find(String searchPath, List<String> names) {
        for (String name : names) {
            for (String folder : searchPath.split(File.pathSeparator)) {
                Path file = Path.of(folder.isEmpty() ? "." : folder, name);
                if (Files.isExecutable(file) && Files.isRegularFile(file)) {
                    Optional<String> version = version(file);
                    if (version.isPresent()) {
                        return Optional.of(new Tool(name, file, version.get()));
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<String> version(Path program) {
        try {
            Process process = new ProcessBuilder(program.toString(), "--version")
                    .redirectErrorStream(true)
                    .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                    .start();
            // The output of --version is far smaller than a pipe's buffer, so waiting first cannot block the program.
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return Optional.empty();
            }
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            String plain = text.replaceAll("\u001B\\[[0-9;]*m", "");
            return process.exitValue() == 0 ? plain.lines().findFirst() : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
