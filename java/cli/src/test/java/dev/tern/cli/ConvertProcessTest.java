package dev.tern.cli;

import static dev.tern.cli.InProcess.PACKED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.convert.Validator;
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

/** Conversions in a process of their own that is killed, has little memory, or no room to write to. */
@DisabledOnOs(OS.WINDOWS)
class ConvertProcessTest {
    @TempDir
    Path folder;

    private Path synthetic(int hidden, int inner, int layers) {
        Path checkpoint = folder.resolve("checkpoint");
        SyntheticCheckpoint.of(new ModelHyperparameters("bitnet-b1.58", "s", 512, 64, hidden, inner, layers, 4, 4,
                        hidden / 4, hidden / 4, 500_000f, 1e-5f, FfnActivation.RELU_SQUARED, true, true))
                .format(WeightFormat.PACKED)
                .to(checkpoint);
        return checkpoint;
    }

    /** At whatever moment: the name is not there, or it is there with a whole file; the next run does its work. */
    @Test
    void aKilledConversionLeavesNoFileUnderTheName() throws Exception {
        Path checkpoint = synthetic(512, 2048, 16);
        Path gguf = folder.resolve("m.gguf");
        int killed = 0;
        for (int millis : new int[] {0, 20, 60, 150, 400}) {
            Process process = new ProcessBuilder(TernProcess.command(
                            "convert", checkpoint, "-o", gguf, "--outtype", "f32", "--validate"))
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("log").toFile())
                    .start();
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (unfinished().size() == killed && process.isAlive() && System.nanoTime() < end) {
                Thread.sleep(1);
            }
            Thread.sleep(millis);
            process.destroyForcibly().waitFor();
            if (Files.exists(gguf)) {
                assertThat(Validator.validate(gguf, checkpoint).problems()).isEmpty();
                Files.delete(gguf);
            }
            killed = unfinished().size();
        }
        assertThat(killed).as("runs that were killed in their work").isPositive();
        InProcess.Result result = TernProcess.tern("convert", checkpoint, "-o", gguf, "--validate");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.err()).contains("an unfinished " + unfinished().getFirst()).contains("delete it");
        assertThat(Validator.validate(gguf, checkpoint).problems()).isEmpty();
    }

    private List<Path> unfinished() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().startsWith(".m.gguf.")).toList();
        }
    }

    /** T of one matrix here is 16 MiB, the floats it is decoded from and encoded into are 67 MB: it passes in bands. */
    @Test
    void matricesMayBeLargerThanTheHeap() throws Exception {
        Path checkpoint = synthetic(1024, 16384, 1);
        for (String outtype : List.of("f32", "tl2", "tq1_0")) {
            Path gguf = folder.resolve(outtype + ".gguf");
            InProcess.Result result = TernProcess.shell("JAVA_TOOL_OPTIONS=-Xmx20m tern convert '" + checkpoint
                    + "' -o '" + gguf + "' --outtype " + outtype + " --validate --threads 2");
            assertThat(result.status()).as(result.err()).isZero();
            assertThat(result.out()).contains("valid: 7 ternary tensors");
        }
    }

    /** A limit of the file's size does what a full disk does: the system refuses to write on. */
    @Test
    void aFileThatCannotGrowIsOneSentenceAndNoFile() throws Exception {
        InProcess.Result result = TernProcess.shell(
                "ulimit -f 2048; tern convert '" + PACKED + "' -o '" + folder.resolve("m.gguf") + "' --outtype i2_s");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err())
                .startsWith("tern: " + folder.resolve("m.gguf") + ": cannot be written: ")
                .hasLineCount(1);
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aFolderThatCannotBeWrittenToIsOneSentence() throws Exception {
        Path target = Path.of("/sys/m.gguf"); // refused to the superuser too
        if (Files.isDirectory(target.getParent())) {
            InProcess.Result result = TernProcess.tern("convert", PACKED, "-o", target);
            assertThat(result.status()).isEqualTo(1);
            assertThat(result.err()).startsWith("tern: /sys/m.gguf: cannot be written: ").hasLineCount(1);
        }
    }
}
