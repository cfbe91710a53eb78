package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.kernels.HugePages;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.Tier;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a loaded model takes of memory, as Linux counts it, and that it is given back. */
@EnabledOnOs(OS.LINUX)
class LoadMemoryTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));

    private @TempDir Path folder;

    private Path write(Outtype outtype) {
        try (Checkpoint checkpoint = Checkpoint.open(DATA.resolve("tiny-bitnet/packed-u8"))) {
            return TestGguf.of(checkpoint, outtype).write(folder.resolve(outtype.label() + ".gguf"));
        }
    }

    /** What is copied is not in memory a second time: of the file's mapping little more than its header stays. */
    @ParameterizedTest
    @EnumSource(value = Outtype.class, names = {"I2_S", "TQ1_0", "F16"})
    void pagesOfTheFileAreGivenBack(Outtype outtype) throws IOException {
        Path file = write(outtype);
        ModelOptions copied = ModelOptions.builder().threads(2).layout(TernaryLayout.PANELS_2BIT).build();
        ModelOptions mapped = ModelOptions.builder().threads(2).mapped(true).build();
        long size = Files.size(file);
        long left;
        try (Model model = Model.load(file, copied)) {
            left = residentOf(file);
            assertThat(left).isLessThan(size / 3);
            assertThat(model.info().layout()).contains(TernaryLayout.PANELS_2BIT);
        }
        assertThat(residentOf(file)).isZero();
        try (Model model = Model.load(file, mapped)) {
            assertThat(residentOf(file)).isGreaterThan(outtype == Outtype.I2_S ? left + (1 << 20) : 0);
            model.generate(new int[] {1, 2}, GenerationOptions.builder().maxTokens(2).build()).text();
        }
        assertThat(residentOf(file)).isZero();
    }

    @Test
    void closingGivesEverythingBack() throws IOException {
        Path file = write(Outtype.TQ1_0);
        ModelOptions options = ModelOptions.builder().threads(2).build();
        long before = advisedBytes();
        try (Model model = Model.load(file, options)) {
            if (model.info().tier() != Tier.JAVA) {
                assertThat(advisedBytes()).isGreaterThanOrEqualTo(before + HugePages.PAGE);
            }
        }
        assertThat(advisedBytes()).isEqualTo(before);
    }

    /** Resident bytes of all mappings of a file. */
    private static long residentOf(Path file) throws IOException {
        long kilobytes = 0;
        boolean ours = false;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                ours = line.endsWith(file.toString());
            } else if (ours && line.startsWith("Rss:")) {
                kilobytes += Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        return kilobytes * 1024;
    }

    /** Bytes of all mappings for which huge pages are wanted; in this JVM they are ours alone. */
    private static long advisedBytes() throws IOException {
        long kilobytes = 0;
        long size = 0;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            if (line.startsWith("Size:")) {
                size = Long.parseLong(line.replaceAll("[^0-9]", ""));
            } else if (line.startsWith("VmFlags:") && line.contains(" hg")) {
                kilobytes += size;
            }
        }
        return kilobytes * 1024;
    }
}
