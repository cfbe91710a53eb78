package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Other people's clients. They are not kept with the project: {@code src/test/clients/install} gets them. Without one
 * its test is skipped, or fails where {@code tern.require.clients} names it or is true.
 */
final class ClientFolder {
    static final Path PATH = Path.of("src/test/clients").toAbsolutePath();
    private static final Map<String, Path> INSTALLED = Map.of(
            "javascript", PATH.resolve("node_modules/openai"),
            "python", PATH.resolve(".venv/bin/python"),
            "spring", PATH.resolve("spring/target/lib"));

    private ClientFolder() {}

    /** Where a client is; ends the test where it is nowhere. */
    static Path require(String client) {
        Path installed = INSTALLED.get(client);
        if (!Files.exists(installed)) {
            String message = "SKIPPED: the client for " + client + " is not there; " + PATH
                    + "/install gets it from its registry";
            String required = System.getProperty("tern.require.clients", "");
            if (required.equals("true") || List.of(required.split(",")).contains(client)) {
                throw new AssertionError(message);
            }
            System.err.println(message);
            assumeTrue(false, message);
        }
        return installed;
    }

    /** What a command printed that was run in the folder of the clients and has ended well. */
    static String run(Path temporary, Map<String, String> environment, String... command) throws Exception {
        return runIn(PATH, temporary, environment, command);
    }

    static String runIn(Path folder, Path temporary, Map<String, String> environment, String... command)
            throws Exception {
        Path output = Files.createTempFile(temporary, "output", "");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        boolean ended = process.waitFor(120, TimeUnit.SECONDS);
        process.destroyForcibly();
        String printed = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(ended).as(printed).isTrue();
        assertThat(process.exitValue()).as(printed).isZero();
        return printed;
    }

    /** A program of the JDK that runs this test. */
    static String jdk(String program) {
        return Path.of(System.getProperty("java.home"), "bin", program).toString();
    }
}
