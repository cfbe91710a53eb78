package dev.tern.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import dev.tern.ternary.TernaryRows;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Sources that break while they are read, and work that is called off. */
class ConverterFaultsTest {
    private static final Path TINY = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet");

    @TempDir
    Path folder;

    private Path copy(String checkpoint) throws IOException {
        Path copy = Files.createDirectory(folder.resolve(checkpoint));
        try (Stream<Path> files = Files.list(TINY.resolve(checkpoint))) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        return copy;
    }

    private static void truncate(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() / 10);
        }
    }

    /** A mapped page would be a fault of the process; a read is an error that names the file. */
    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aShardThatIsCutOffWhileItIsReadIsAnError() throws IOException {
        for (String kind : new String[] {"online-bf16", "packed-u8"}) {
            Path checkpoint = copy(kind);
            try (Checkpoint open = Checkpoint.open(checkpoint)) {
                CheckpointTensor last = open.tensors().reversed().stream()
                        .filter(CheckpointTensor::ternary)
                        .findFirst()
                        .orElseThrow();
                TernaryRows rows = open.ternaryRows(last);
                truncate(checkpoint.resolve("model.safetensors"));
                assertThatThrownBy(() -> rows.read(0, rows.rows(), new byte[rows.rows() * rows.cols()]))
                        .isInstanceOf(InputException.class)
                        .hasMessageContaining("model.safetensors")
                        .hasMessageContaining("become shorter while it was read");
            }
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void soIsAGgufFile() throws IOException {
        Path gguf = folder.resolve("source.gguf");
        Converter.from(TINY.resolve("packed-u8")).outtype(Outtype.TQ2_0).to(gguf);
        try (GgufFile file = GgufFile.open(gguf)) {
            GgufTensor last = file.require("blk.3.ffn_down.weight");
            TernaryRows rows = TernaryRows.of(file, last, LutTiles.none()).orElseThrow();
            truncate(gguf);
            assertThatThrownBy(() -> rows.read(0, 512, new byte[512 * 1536]))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("source.gguf")
                    .hasMessageContaining("become shorter while it was read");
        }
    }

    /** What cannot be read as a file: a folder in its place stands for it, as the superuser may read anything. */
    @Test
    void weightsThatCannotBeReadAreNamed() throws IOException {
        Path checkpoint = copy("packed-u8");
        Files.delete(checkpoint.resolve("model.safetensors"));
        Files.createDirectory(checkpoint.resolve("model.safetensors"));
        assertThatThrownBy(() -> Converter.from(checkpoint).to(folder.resolve("m.gguf")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("model.safetensors")
                .hasMessageContaining("expected a regular file, found a folder or device");
        assertThat(folder.resolve("m.gguf")).doesNotExist();
    }

    /** All threads are at rest when the caller hears of a failure, whichever of them had it. */
    @Test
    void workersStopAtTheFirstFailure() {
        IllegalStateException failure = new IllegalStateException("task 5");
        AtomicInteger running = new AtomicInteger();
        AtomicInteger started = new AtomicInteger();
        assertThatThrownBy(() -> Workers.run(
                        3,
                        1_000_000,
                        () -> task -> {
                            running.incrementAndGet();
                            started.incrementAndGet();
                            if (task == 5) {
                                running.decrementAndGet();
                                throw failure;
                            }
                            Thread.yield();
                            running.decrementAndGet();
                        },
                        task -> {}))
                .isSameAs(failure);
        assertThat(running).hasValue(0);
        assertThat(started.get()).isLessThan(1_000_000);
    }

    @Test
    void everyTaskIsDoneOnceOnAnyNumberOfThreads() {
        for (int threads : new int[] {1, 2, 7, 100}) {
            int[] done = new int[50];
            Thread caller = Thread.currentThread();
            Workers.run(threads, 50, () -> task -> {}, task -> {
                assertThat(Thread.currentThread()).isSameAs(caller);
                done[task]++;
            });
            assertThat(done).containsOnly(1);
        }
        Workers.run(2, 0, () -> task -> {}, task -> {});
    }
}
