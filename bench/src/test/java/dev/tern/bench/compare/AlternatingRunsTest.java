package dev.tern.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two builds in turns, where JMH is programs that write what it would. */
class AlternatingRunsTest {
    @TempDir
    Path folder;

    /** Takes {@code LOG ... -rff FILE}: adds its name to the log, and writes a score to the file. */
    private static void pretend(String name, double score, String[] arguments) throws IOException {
        List<String> all = List.of(arguments);
        Files.writeString(
                Path.of(all.getFirst()),
                name + " " + String.join(" ", all.subList(1, all.indexOf("-rff"))) + "\n",
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
        int turn = Files.readAllLines(Path.of(all.getFirst())).size();
        Files.writeString(Path.of(all.get(all.indexOf("-rff") + 1)), """
                [{"benchmark": "a.CallBenchmark.call", "mode": "avgt", "threads": 1, "forks": 1,
                  "primaryMetric": {"score": 1, "scoreUnit": "ns/op", "rawData": [[%s, %s]]}}]
                """.formatted(score * turn, score * turn + 2));
    }

    static final class Before {
        public static void main(String[] arguments) throws IOException {
            pretend("before", 100, arguments);
        }
    }

    static final class After {
        public static void main(String[] arguments) throws IOException {
            pretend("after", 50, arguments);
        }
    }

    static final class Broken {
        public static void main(String[] arguments) {
            System.err.println("no benchmarks here");
            System.exit(3);
        }
    }

    private Path jar(Class<?> main) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, main.getName());
        manifest.getMainAttributes()
                .put(
                        Attributes.Name.CLASS_PATH,
                        main.getProtectionDomain().getCodeSource().getLocation().toString());
        Path jar = folder.resolve(main.getSimpleName() + ".jar");
        new JarOutputStream(Files.newOutputStream(jar), manifest).close();
        return jar;
    }

    @Test
    void roundsTakeTurnsAndNeitherIsAlwaysFirst() throws Exception {
        Path log = folder.resolve("log");
        AlternatingRuns.run(folder.resolve("results"), 3, "a", jar(Before.class), "b", jar(After.class), List.of(
                log.toString(), "Call", "-p", "x=1"));

        assertThat(Files.readAllLines(log))
                .extracting(line -> line.substring(0, line.indexOf(' ')))
                .containsExactly("before", "after", "after", "before", "before", "after");
        assertThat(Files.readAllLines(log)).allMatch(line -> line.endsWith(" Call -p x=1 -f 1 -rf json"));
        BenchmarkRun a = BenchmarkRun.read(folder.resolve("results/a.json"));
        BenchmarkRun b = BenchmarkRun.read(folder.resolve("results/b.json"));
        assertThat(a.results().firstEntry().getValue().forkMeans()).containsExactly(101, 401, 501);
        assertThat(b.results().firstEntry().getValue().forkMeans()).containsExactly(101, 151, 301);
        assertThat(RunComparison.of(a, b, true, 0.95).rows().getFirst().speed()).isCloseTo(1003 / 553.0, within(1e-9));
    }

    @Test
    void aBuildThatDoesNotRunIsShown() throws Exception {
        Path log = folder.resolve("log");
        Path before = jar(Before.class);
        Path broken = jar(Broken.class);
        assertThatThrownBy(() -> AlternatingRuns.run(
                        folder.resolve("results"), 2, "a", before, "b", broken, List.of(log.toString())))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("the benchmarks of b did not run")
                .hasMessageContaining("exit status 3");
    }
}
