package dev.tern.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
    private static final MemorySegment HELLO = MemorySegment.ofArray("hello".getBytes());

    @TempDir
    Path folder;

    @Test
    void appearsOnlyWhenCommitted() throws IOException {
        Path target = folder.resolve("a.gguf");
        try (AtomicFile file = AtomicFile.create(target, false)) {
            file.write(HELLO);
            assertThat(target).doesNotExist();
            file.commit();
        }
        assertThat(target).hasContent("hello");
        assertThat(names()).containsExactly("a.gguf");
    }

    @Test
    void leavesNothingWithoutCommit() throws IOException {
        try (AtomicFile file = AtomicFile.create(folder.resolve("a.gguf"), false)) {
            file.write(HELLO);
        }
        assertThat(names()).isEmpty();
    }

    /** Pieces in any order, from several threads, and read back before the file has its name. */
    @Test
    void writesAndReadsByPosition() throws Exception {
        Path target = folder.resolve("a.gguf");
        byte[] expected = new byte[50_000];
        new Random(1).nextBytes(expected);
        try (AtomicFile file = AtomicFile.create(target, false)) {
            IntStream.range(0, 50).parallel().forEach(i -> file.write(
                    MemorySegment.ofArray(expected).asSlice(1000L * (49 - i), 1000), 1000L * (49 - i)));
            byte[] read = new byte[700];
            file.read(MemorySegment.ofArray(read), 1500);
            assertThat(read).isEqualTo(Arrays.copyOfRange(expected, 1500, 2200));
            assertThatThrownBy(() -> file.read(MemorySegment.ofArray(read), 49_999))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("cannot be read back");
            file.commit();
        }
        assertThat(target).hasBinaryContent(expected);
    }

    @Test
    void namesWhatKilledRunsLeft() throws IOException {
        Path left = Files.writeString(folder.resolve(".a.gguf.12ab.tmp"), "half");
        Files.writeString(folder.resolve(".b.gguf.12ab.tmp"), "another's");
        Files.writeString(folder.resolve(".a.gguf.mine.tmp"), "somebody's");
        try (AtomicFile file = AtomicFile.create(folder.resolve("a.gguf"), false)) {
            assertThat(file.others()).containsExactly(left);
            file.commit();
        }
        assertThat(left).hasContent("half");
    }

    @Test
    void refusesAnExistingTargetUnlessToldToReplaceIt() throws IOException {
        Path target = Files.writeString(folder.resolve("a.gguf"), "old");
        assertThatThrownBy(() -> AtomicFile.create(target, false))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("a.gguf")
                .hasMessageContaining("--overwrite");
        try (AtomicFile file = AtomicFile.create(target, true)) {
            file.write(HELLO);
            assertThat(target).hasContent("old");
            file.commit();
        }
        assertThat(target).hasContent("hello");
    }

    @Test
    void doesNotReplaceATargetThatAppearedMeanwhile() throws IOException {
        Path target = folder.resolve("a.gguf");
        try (AtomicFile file = AtomicFile.create(target, false)) {
            file.write(HELLO);
            Files.writeString(target, "someone else's");
            assertThatThrownBy(file::commit).isInstanceOf(InputException.class).hasMessageContaining("--overwrite");
        }
        assertThat(target).hasContent("someone else's");
        assertThat(names()).containsExactly("a.gguf");
    }

    @Test
    void refusesWhatIsNoRegularFile() throws IOException {
        assertThatThrownBy(() -> AtomicFile.create(folder, true))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("a folder");
        assertThatThrownBy(() -> AtomicFile.create(folder.resolve("no/such/a.gguf"), false))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("does not exist");
        Path dangling = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("nowhere"));
        assertThatThrownBy(() -> AtomicFile.create(dangling, true))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("symbolic link");
        assertThat(folder.resolve("nowhere")).doesNotExist();
    }

    @Test
    void writesThroughASymbolicLink() throws IOException {
        Path real = Files.writeString(folder.resolve("real"), "old");
        Path link = Files.createSymbolicLink(folder.resolve("link"), real);
        assertThatThrownBy(() -> AtomicFile.create(link, false)).isInstanceOf(InputException.class);
        try (AtomicFile file = AtomicFile.create(link, true)) {
            file.write(HELLO);
            file.commit();
        }
        assertThat(link).isSymbolicLink().hasContent("hello");
        assertThat(real).hasContent("hello");
    }

    @Test
    void findsADiskThatIsTooSmallBeforeWriting() throws IOException {
        try (AtomicFile file = AtomicFile.create(folder.resolve("a.gguf"), false)) {
            assertThatThrownBy(() -> file.expect(1L << 60))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("1152921504606846976 bytes of room")
                    .hasMessageContaining("bytes available");
        }
        assertThat(names()).isEmpty();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aDiskThatFillsUpLeavesNoFile() throws IOException {
        Path target = folder.resolve("a.gguf");
        AtomicFile.Opener full = temporary -> {
            Files.createFile(temporary);
            return FileChannel.open(Path.of("/dev/full"), StandardOpenOption.WRITE);
        };
        try (AtomicFile file = AtomicFile.create(target, false, full)) {
            file.expect(5);
            assertThatThrownBy(() -> file.write(HELLO))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("a.gguf")
                    .hasMessageContaining("No space left")
                    .hasMessageContaining("expected 5 bytes of room")
                    .hasMessageContaining("bytes available");
        }
        assertThat(names()).isEmpty();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void removesItsTemporaryFileWhenTheJvmIsInterrupted() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String classes = AtomicFile.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        String tests = AtomicFileTest.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        Assumptions.assumeTrue(Files.isDirectory(Path.of(tests)));
        Process writer = new ProcessBuilder(
                        java, "-cp", classes + ":" + tests, Writer.class.getName(), folder.resolve("a").toString())
                .redirectErrorStream(true)
                .start();
        assertThat(writer.inputReader().readLine()).isEqualTo("writing");
        assertThat(names()).hasSize(1);
        writer.destroy();
        writer.waitFor();
        assertThat(names()).isEmpty();
    }

    /** Starts a file and never ends it. */
    static final class Writer {
        public static void main(String[] args) throws InterruptedException {
            AtomicFile file = AtomicFile.create(Path.of(args[0]), false);
            file.write(HELLO);
            System.out.println("writing");
            Thread.sleep(60_000);
        }
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }
}
