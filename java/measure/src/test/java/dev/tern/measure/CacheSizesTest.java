package dev.tern.measure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheSizesTest {
    @TempDir
    Path root;

    @Test
    void sharedCachesOfTheLastLevelCountOnce() throws IOException {
        for (int cpu = 0; cpu < 4; cpu++) {
            cache(cpu, 0, 1, "Data", "32K", String.valueOf(cpu));
            cache(cpu, 1, 1, "Instruction", "32K", String.valueOf(cpu));
            cache(cpu, 2, 2, "Unified", "1M", String.valueOf(cpu));
        }
        assertThat(CacheSizes.lastLevel(root)).isEqualTo(4 << 20);
        for (int cpu = 0; cpu < 4; cpu++) {
            cache(cpu, 3, 3, "Unified", "32768K", cpu < 2 ? "0-1" : "2-3");
        }
        assertThat(CacheSizes.lastLevel(root)).isEqualTo(64 << 20);
    }

    @Test
    void unknownCachesAreNone() throws IOException {
        assertThat(CacheSizes.lastLevel(root)).isZero();
        cache(0, 0, 1, "Data", "much", "0");
        assertThat(CacheSizes.lastLevel(root)).isZero();
    }

    private void cache(int cpu, int index, int level, String type, String size, String shared) throws IOException {
        Path folder = root.resolve("sys/devices/system/cpu/cpu" + cpu + "/cache/index" + index);
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("level"), level + "\n");
        Files.writeString(folder.resolve("type"), type + "\n");
        Files.writeString(folder.resolve("size"), size + "\n");
        Files.writeString(folder.resolve("shared_cpu_list"), shared + "\n");
    }
}
