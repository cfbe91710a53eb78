package dev.tern.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessorsTest {
    private @TempDir Path root;

    @Test
    void oneOfEachCoreComesFirst() throws IOException {
        status("0-7");
        for (int i = 0; i < 8; i++) {
            siblings(i, i % 4 + "," + (i % 4 + 4)); // as Intel numbers them
        }
        Processors processors = Processors.read(root, 8);
        assertThat(processors.order()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
        assertThat(processors.cores()).isEqualTo(4);
        assertThat(processors.threads()).isEqualTo(4);
    }

    @Test
    void neighboursThatShareACoreAreTornApart() throws IOException {
        status("2-5,9,12-13");
        siblings(2, "2-3");
        siblings(3, "2-3");
        siblings(4, "4-5");
        siblings(5, "4-5");
        siblings(9, "8-9"); // of which the process may use one
        siblings(12, "12-13");
        siblings(13, "12-13");
        Processors processors = Processors.read(root, 7);
        assertThat(processors.order()).containsExactly(2, 4, 9, 12, 3, 5, 13);
        assertThat(processors.cores()).isEqualTo(4);
    }

    @Test
    void quotaOfAContainerLimitsThreadsButNotPlaces() throws IOException {
        status("0-3");
        for (int i = 0; i < 4; i++) {
            siblings(i, "" + i);
        }
        assertThat(Processors.read(root, 2).threads()).isEqualTo(2);
        assertThat(Processors.read(root, 2).order()).hasSize(4);
        assertThat(Processors.read(root, 4).threads()).isEqualTo(4);
    }

    @Test
    void systemsThatDoNotSayHaveAsManyCoresAsJavaCounts() throws IOException {
        Processors none = Processors.read(root, 3);
        assertThat(none.order()).containsExactly(0, 1, 2);
        assertThat(none.threads()).isEqualTo(3);
        status("what is this");
        assertThat(Processors.read(root, 3)).isEqualTo(none);
        status("1-2");
        assertThat(Processors.read(root, 3).order()).containsExactly(1, 2);
        assertThat(Processors.read(root, 3).threads()).isEqualTo(2);
    }

    @Test
    void thisMachineHasSome() {
        Processors here = Processors.current();
        assertThat(here.threads()).isBetween(1, Runtime.getRuntime().availableProcessors());
        assertThat(here.cores()).isBetween(1, here.order().size());
    }

    private void status(String allowed) throws IOException {
        Files.createDirectories(root.resolve("proc/self"));
        Files.writeString(
                root.resolve("proc/self/status"),
                "Name:\tjava\nCpus_allowed:\tff\nCpus_allowed_list:\t" + allowed + "\n");
    }

    private void siblings(int processor, String list) throws IOException {
        Path topology = root.resolve("sys/devices/system/cpu/cpu" + processor + "/topology");
        Files.createDirectories(topology);
        Files.writeString(topology.resolve("thread_siblings_list"), list + "\n");
    }
}
