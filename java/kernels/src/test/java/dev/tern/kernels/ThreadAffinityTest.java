package dev.tern.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class ThreadAffinityTest {

    @Test
    void onlyLinuxHasNoObstacle() {
        assertThat(ThreadAffinity.obstacle().isEmpty()).isEqualTo(System.getProperty("os.name").equals("Linux"));
    }

    @Test
    void threadIsBoundToEachOfItsProcessorsAndFreedAgain() throws InterruptedException {
        Assumptions.assumeTrue(ThreadAffinity.obstacle().isEmpty());
        BitSet seen = new BitSet();
        BitSet[] all = new BitSet[2];
        Thread thread = new Thread(() -> {
            ThreadAffinity before = ThreadAffinity.ofCurrentThread();
            all[0] = before.processors();
            all[0].stream().forEach(processor -> {
                BitSet one = new BitSet();
                one.set(processor);
                ThreadAffinity.of(one).apply();
                seen.or(ThreadAffinity.ofCurrentThread().processors());
                assertThat(ThreadAffinity.ofCurrentThread().processors()).isEqualTo(one);
            });
            before.apply();
            all[1] = ThreadAffinity.ofCurrentThread().processors();
        });
        thread.start();
        thread.join();
        assertThat(all[0].isEmpty()).isFalse();
        assertThat(seen).isEqualTo(all[0]);
        assertThat(all[1]).isEqualTo(all[0]);
    }

    /** In a Java that forbids native calls every question has the same answer, the first as well as the next. */
    @Test
    void whatIsForbiddenIsAnObstacleAndNoError() throws Exception {
        Assumptions.assumeTrue(ThreadAffinity.obstacle().isEmpty());
        String classes = folderOf(ThreadAffinity.class) + File.pathSeparator + folderOf(Forbidden.class);
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--illegal-native-access=deny",
                        "-cp",
                        classes,
                        Forbidden.class.getName())
                .redirectErrorStream(true)
                .start();
        List<String> lines = process.inputReader().readAllLines();
        assertThat(process.waitFor()).as(lines.toString()).isZero();
        assertThat(lines).hasSize(4).allMatch(line -> line.contains("native access"), "the reason");
    }

    private static Path folderOf(Class<?> type) throws Exception {
        String name = type.getName().replace('.', '/') + ".class";
        Path folder = Path.of(type.getClassLoader().getResource(name).toURI());
        for (int i = 0; i < name.split("/").length; i++) {
            folder = folder.getParent();
        }
        return folder;
    }

    /** The program of that process. */
    static final class Forbidden {
        private Forbidden() {}

        /** Prints four answers. */
        public static void main(String[] arguments) {
            BitSet one = new BitSet();
            one.set(0);
            System.out.println(ThreadAffinity.obstacle().orElse("none"));
            System.out.println(ThreadAffinity.obstacle().orElse("none"));
            for (Runnable call : List.<Runnable>of(ThreadAffinity::ofCurrentThread, ThreadAffinity.of(one)::apply)) {
                try {
                    call.run();
                } catch (UnsupportedOperationException e) {
                    System.out.println(e.getMessage());
                }
            }
        }
    }

    @Test
    void processorsThatAreNotThereAreRefused() {
        Assumptions.assumeTrue(ThreadAffinity.obstacle().isEmpty());
        BitSet none = new BitSet();
        assertThatThrownBy(() -> ThreadAffinity.of(none)).isInstanceOf(IllegalArgumentException.class);
        none.set(8192);
        assertThatThrownBy(() -> ThreadAffinity.of(none)).isInstanceOf(IllegalArgumentException.class);
        BitSet last = new BitSet();
        last.set(8191);
        Assumptions.assumeFalse(ThreadAffinity.ofCurrentThread().processors().get(8191));
        assertThatThrownBy(() -> ThreadAffinity.of(last).apply())
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("8191")
                .hasMessageContaining("error 22");
    }
}
