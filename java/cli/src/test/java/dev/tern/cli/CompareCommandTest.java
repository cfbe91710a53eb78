package dev.tern.cli;

import static dev.tern.cli.InProcess.PACKED;
import static dev.tern.cli.InProcess.tern;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.measure.comparison.Comparison;
import dev.tern.measure.comparison.ComparisonJson;
import dev.tern.measure.comparison.FormatResult;
import dev.tern.measure.comparison.Quality;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Comparisons of the tiny model, with small numbers and real processes. */
@DisabledOnOs(OS.WINDOWS)
class CompareCommandTest {
    @TempDir
    Path folder;

    @Test
    void everyFormatIsLosslessEqualToTheCheckpointAndMeasured() throws IOException {
        Path kept = folder.resolve("kept");
        Path html = folder.resolve("report.html");
        Path json = folder.resolve("report.json");
        Path markdown = folder.resolve("report.md");
        InProcess.Result result = tern("compare", PACKED, "--outtypes", "tl2,tq1_0,i2_s", "--embedding-type", "bf16",
                "-p", 6, "-n", 3, "-t", "1,2", "-r", 1, "--quality-tokens", 40, "--no-roofline", "--keep", kept,
                "-o", html, "-o", json, "-o", markdown, "--json");
        assertThat(result.status()).as(result.err()).isZero();
        Comparison comparison = ComparisonJson.read(json);
        assertThat(result.out()).isEqualTo(Files.readString(json));
        assertThat(comparison.formats()).extracting(FormatResult::outtype).containsExactly("tl2", "tq1_0", "i2_s");
        assertThat(comparison.formats()).allSatisfy(format -> {
            assertThat(format.failure()).isEmpty();
            assertThat(format.lossless()).isTrue();
            assertThat(format.ternaryValues()).isEqualTo(12_058_624);
            assertThat(format.speeds())
                    .extracting(speed -> speed.test() + " on " + speed.threads())
                    .containsExactly("pp6 on 1", "tg3 on 1", "pp6 on 2", "tg3 on 2");
            assertThat(format.speeds()).allMatch(speed -> speed.tokensPerSecond().samples().size() == 1);
            assertThat(format.speeds()).allMatch(speed -> speed.tokensPerSecond().least() > 0);
            assertThat(format.loadSeconds().orElseThrow().samples()).hasSize(1).allMatch(seconds -> seconds > 0);
            assertThat(format.bytesPerToken()).isPositive();
            Quality quality = format.quality().orElseThrow();
            assertThat(quality).isEqualTo(new Quality(
                    quality.referencePerplexity(), quality.referencePerplexity(), 0, 0, 1, 40, true));
            assertThat(kept.resolve("packed-u8-" + format.outtype() + ".gguf")).hasSize(format.fileBytes());
        });
        assertThat(comparison.formats()).extracting(FormatResult::fileBytes).doesNotHaveDuplicates();
        assertThat(comparison.limits()).isEmpty();
        assertThat(comparison.origin().command())
                .startsWith("tern compare " + PACKED + " --outtypes tl2,tq1_0,i2_s ")
                .endsWith(" --json");
        assertThat(comparison.method().text()).isEqualTo("fables of Aesop");
        assertThat(Files.readString(html)).startsWith("<!DOCTYPE html>").contains("tq1_0");
        assertThat(Files.readString(markdown)).contains("`tq1_0`");
        try (Stream<Path> files = Files.list(kept)) {
            assertThat(files).hasSize(3);
        }
    }

    /** Two formats that hold less than they should of the embedding, on a text of the user's; without any turns. */
    @Test
    void qualityAloneOnATextOfOnesOwn() throws IOException {
        Path text = Files.writeString(folder.resolve("my text.txt"), "The king said to his daughter that it was late.");
        InProcess.Result result = tern("compare", PACKED, "--outtypes", "tq2_0", "--embedding-type", "q6_k", "-p", 0,
                "-n", 0, "--text", text, "--json");
        assertThat(result.status()).as(result.err()).isZero();
        Comparison comparison = ComparisonJson.parse(result.out(), "stdout");
        Quality quality = comparison.formats().getFirst().quality().orElseThrow();
        assertThat(quality.identical()).isFalse();
        assertThat(quality.meanKl()).isPositive();
        assertThat(quality.mostKl()).isGreaterThan(quality.meanKl());
        assertThat(quality.positions()).isBetween(10, 20);
        assertThat(comparison.formats().getFirst().speeds()).isEmpty();
        assertThat(comparison.method().text()).isEqualTo("my text.txt");
        assertThat(comparison.origin().command()).contains("'" + text + "'");
    }

    @Test
    void aTableIsPrintedAndWhatFailedIsSaid() throws IOException {
        Path checkpoint = folder.resolve("checkpoint");
        SyntheticCheckpoint.of(new ModelHyperparameters("bitnet-b1.58", "s", 512, 64, 128, 384, 1, 2, 2, 64, 64,
                        500_000f, 1e-5f, FfnActivation.RELU_SQUARED, true, true)) // half a block of tq1_0 wide
                .format(WeightFormat.PACKED)
                .to(checkpoint);
        InProcess.Result result = tern("compare", checkpoint, "--outtypes", "tq1_0,i2_s", "-p", 0, "-n", 0,
                "--quality-tokens", 8);
        assertThat(result.status()).as(result.err()).isEqualTo(1);
        assertThat(result.err()).contains("tern: tq1_0: ").doesNotContain("\tat ");
        assertThat(result.out()).contains("`i2_s`").contains("`tq1_0`");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "-o @/report.pdf | ends in .html, .md or .json",
        "--outtypes tq1_0,tq3 | unknown",
        "-p 0 -n 0 --quality-tokens 0 | leaves nothing to measure",
        "-r 0 | expected at least 1, found 0",
        "-t 0 | expected at least 1, found 0"
    })
    void whatCannotBeMeantIsRefusedBeforeAnythingIsMade(String options, String expected) {
        Object[] arguments = Stream.concat(
                        Stream.of("compare", PACKED), Stream.of(options.replace("@", folder.toString()).split(" ")))
                .toArray();
        InProcess.Result result = tern(arguments);
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err()).contains(expected);
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aFolderWithFilesIsNotUsed() throws IOException {
        Path other = Files.writeString(folder.resolve("mine.txt"), "x");
        InProcess.Result result = tern("compare", PACKED, "--keep", folder);
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("expected an empty or a new folder");
        assertThat(folder).isDirectoryContaining(file -> file.equals(other)).isDirectoryNotContaining(
                file -> !file.equals(other));
    }

    /** While a process of a turn runs: it ends, and of the files nothing is left. */
    @Test
    void controlCLeavesNothing() throws Exception {
        Path cache = folder.resolve("cache");
        Path log = folder.resolve("log");
        ProcessBuilder builder = new ProcessBuilder(TernProcess.command("compare", PACKED, "--outtypes", "i2_s", "-p",
                        512, "-n", 400, "-r", 1000, "--quality-tokens", 0, "--no-roofline"))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("TERN_CACHE", cache.toString());
        Process process = builder.start();
        try {
            process.getOutputStream().close();
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (process.children().findAny().isEmpty()) {
                assertThat(process.isAlive()).as(Files.readString(log)).isTrue();
                assertThat(System.nanoTime()).as("waited for a minute").isLessThan(end);
                Thread.sleep(20);
            }
            List<ProcessHandle> children = process.children().toList();
            new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(130);
            assertThat(children).noneMatch(ProcessHandle::isAlive);
            assertThat(log).isEmptyFile();
            try (Stream<Path> files = Files.walk(cache.resolve("compare"))) {
                assertThat(files.filter(file -> !file.endsWith(".lock"))).containsExactly(cache.resolve("compare"));
            }
        } finally {
            process.destroyForcibly();
        }
    }
}
