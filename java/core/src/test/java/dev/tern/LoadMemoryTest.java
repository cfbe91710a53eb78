package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.kernels.TernaryLayout;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
        for (int i = 0; i < 5; i++) { // until the JVM has what it wants for itself
            Model.load(file, options).close();
        }
        long before = mappedBytes();
        for (int i = 0; i < 60; i++) {
            Model.load(file, options).close();
        }
        assertThat(mappedBytes() - before).isLessThan(60L * (2 << 20)); // a huge page a load, if it stayed
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

    private static long mappedBytes() throws IOException {
        List<String> status = Files.readAllLines(Path.of("/proc/self/status"));
        String size = status.stream().filter(line -> line.startsWith("VmSize:")).findFirst().orElseThrow();
        return Long.parseLong(size.replaceAll("[^0-9]", "")) * 1024;
    }
}
