package dev.tern.measure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineTest {
    @TempDir
    Path root;

    @Test
    void readsWhatLinuxSaysOfAnX86Machine() throws IOException {
        write("proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nflags\t\t: fpu avx2 fma f16c avx_vnni sse\n"
                + "processor\t: 1\nmodel name\t: Other\nflags\t: amx_int8\n");
        write("proc/meminfo", "MemTotal:       2048 kB\nMemFree:  7 kB\nMemAvailable:   1024 kB\n");
        write("etc/os-release", "NAME=\"X\"\nPRETTY_NAME=\"Ubuntu 24.04\"\nID=ubuntu\nID_LIKE=\"debian other\"\n");
        write("sys/fs/cgroup/memory.max", "1073741824\n");
        write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");

        Machine machine = Machine.read(root);

        assertThat(machine.cpu()).isEqualTo("Some CPU @ 2.00GHz");
        assertThat(machine.features()).containsExactly("avx2", "fma", "f16c", "avx_vnni");
        assertThat(machine.memoryBytes()).hasValue(2048 * 1024);
        assertThat(machine.availableBytes()).hasValue(1024 * 1024);
        assertThat(machine.memoryLimitBytes()).hasValue(1L << 30);
        assertThat(machine.distribution()).contains("ubuntu", "debian");
        assertThat(machine.os()).startsWith("Ubuntu 24.04, ");
        assertThat(machine.hugePages()).isEqualTo("madvise");
    }

    @Test
    void managesWithoutAnyOfIt() throws IOException {
        write("sys/fs/cgroup/memory.max", "max\n");
        write("proc/meminfo", "MemTotal: much\n");
        Machine machine = Machine.read(root);
        assertThat(machine.cpu()).isEqualTo("unknown");
        assertThat(machine.features()).isEmpty();
        assertThat(machine.memoryBytes()).isEmpty();
        assertThat(machine.memoryLimitBytes()).isEmpty();
        assertThat(machine.hugePages()).isEqualTo("unknown");
    }

    @Test
    void readsArmFeatures() throws IOException {
        write("proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\n");
        assertThat(Machine.read(root).features()).containsExactly("asimd", "asimddp", "i8mm");
    }

    private void write(String name, String text) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
