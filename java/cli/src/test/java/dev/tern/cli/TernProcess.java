package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a command in a JVM of its own, from the same modules as this test. */
final class TernProcess {
    private TernProcess() {}

    /** The command that starts tern. */
    static List<String> command(Object... arguments) {
        String modules = System.getProperty("jdk.module.path");
        assertThat(modules).as("the module path of this JVM").isNotNull();
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "--enable-native-access=dev.tern.kernels",
                "-p",
                modules,
                "-m",
                "dev.tern.cli/dev.tern.cli.Tern"));
        for (Object argument : arguments) {
            command.add(String.valueOf(argument));
        }
        return command;
    }

    /** Runs to the end, at most a minute. */
    static InProcess.Result tern(Object... arguments) throws Exception {
        return run(new ProcessBuilder(command(arguments)));
    }

    /** Runs a shell line in which {@code $TERN} starts tern. */
    static InProcess.Result shell(String line) throws Exception {
        List<String> words = command();
        StringBuilder quoted = new StringBuilder();
        words.forEach(word -> quoted.append('\'').append(word.replace("'", "'\\''")).append("' "));
        return run(new ProcessBuilder("bash", "-c", "tern() { " + quoted + "\"$@\"; }; " + line));
    }

    private static InProcess.Result run(ProcessBuilder builder) throws IOException, InterruptedException {
        Path out = Files.createTempFile("tern-out", "");
        Path err = Files.createTempFile("tern-err", "");
        try {
            Process process = builder.redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            process.getOutputStream().close();
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("still running after a minute: " + builder.command());
            }
            return new InProcess.Result(
                    process.exitValue(),
                    new String(Files.readAllBytes(out), StandardCharsets.UTF_8),
                    new String(Files.readAllBytes(err), StandardCharsets.UTF_8));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }
}
