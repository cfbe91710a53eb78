package dev.tern.cli;

import static dev.tern.cli.InProcess.PACKED;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What short commands leave alone, each of which once took them a tenth of their time or more. Which classes a process loads
 * does not depend on how busy the machine is.
 */
class StartUpTest {
    private static final Pattern LOADED = Pattern.compile("\\] ([\\w.$/]+) source: ");

    @TempDir
    Path folder;

    @Test
    void runLoadsNothingThatLooksThroughEveryModuleOrHashesTheLibrary() throws Exception {
        Path model = folder.resolve("tiny.gguf");
        assertThat(TernProcess.tern("convert", PACKED, "-o", model).status()).isZero(); // and unpacks libtern

        Set<String> classes = classesOf("run", "-m", model, "-p", "Once upon a time", "-n", "2", "-q");

        assertThat(classes)
                .as("the test sees what is loaded")
                .contains("dev.tern.cli.RunCommand", "dev.tern.Generation", "dev.tern.tokenizer.MergeTable");
        assertThat(classes)
                .as("generators of random numbers, by service: all jars are opened")
                .doesNotContain("java.util.random.RandomGeneratorFactory");
        assertThat(classes)
                .as("a logger for the end of the process, by service: all jars are opened")
                .noneMatch(name -> name.startsWith("jdk.internal.logger.BootstrapLogger"));
        assertThat(classes)
                .as("SHA-256, before it is compiled")
                .noneMatch(name -> name.startsWith("sun.security.provider.SHA2"));
        assertThat(classes)
                .as("other commands, and what they need")
                .doesNotContain("dev.tern.cli.ConvertCommand", "dev.tern.convert.Converter")
                .doesNotContain("dev.tern.checkpoint.Checkpoint", "dev.tern.codegen.KernelBuild");
    }

    @Test
    void versionAndHelpLinkNoNativeCode() throws Exception {
        for (List<Object> command : List.<List<Object>>of(List.of("--version"), List.of("run", "--help"))) {
            assertThat(classesOf(command.toArray()))
                    .as("%s", command)
                    .contains("dev.tern.cli.Tern")
                    .doesNotContain("dev.tern.kernels.KernelChoice", "dev.tern.kernels.NativeLibrary")
                    .noneMatch(name -> name.startsWith("jdk.internal.foreign.abi.DowncallStub"));
        }
        assertThat(classesOf("--version")).doesNotContain("dev.tern.cli.RunCommand", "dev.tern.cli.DemoCommand");
    }

    /** Names of the classes that a process of the command loads, from first to last. */
    private Set<String> classesOf(Object... arguments) throws Exception {
        Path log = Files.createTempFile(folder, "classes", ".log");
        List<String> command = TernProcess.command(arguments);
        command.addAll(1, List.of("-Dtern.terminal=", "-Xlog:class+load=info:file=" + log));
        Process process = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(folder.resolve("err").toFile())
                .start();
        process.getOutputStream().close();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(Files.readString(folder.resolve("err"))).isZero();
        try (var lines = Files.lines(log)) {
            return lines.map(LOADED::matcher)
                    .filter(Matcher::find)
                    .map(matcher -> matcher.group(1))
                    .collect(Collectors.toSet());
        }
    }
}
