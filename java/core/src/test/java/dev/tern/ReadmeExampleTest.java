package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.io.JsonFile;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's Java, compiled and run as a user would: {@code java -cp … Fable.java CHECKPOINT FILE}. */
class ReadmeExampleTest {
    private static final Path TESTDATA = Path.of(System.getProperty("tern.testdata"));

    @Test
    void compilesAndTellsTheFable(@TempDir Path folder) throws Exception {
        String readme = Files.readString(Path.of(System.getProperty("tern.root"), "README.md"));
        Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(readme);
        assertThat(block.find()).as("a Java block in README.md").isTrue();
        Path source = Files.writeString(folder.resolve("Fable.java"), block.group(1));
        Path model = folder.resolve("model.gguf");

        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        classPath(),
                        source.toString(),
                        TESTDATA.resolve("tiny-bitnet/online-bf16").toString(),
                        model.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor()).as("%s", output).isZero();
        assertThat(output).contains(fable("The Lamp")).contains("tokens per second");
        assertThat(model).isNotEmptyFile();
    }

    /** What this test runs with, modules or not. */
    private static String classPath() {
        return Stream.of(System.getProperty("jdk.module.path"), System.getProperty("java.class.path"))
                .filter(Objects::nonNull)
                .flatMap(path -> Stream.of(path.split(File.pathSeparator)))
                .filter(path -> !path.isEmpty())
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static String fable(String title) {
        return JsonFile.read(TESTDATA.resolve("golden/fables.json"))
                .get("fables")
                .valueStream()
                .filter(fable -> fable.get("title").asString().equals(title))
                .findFirst()
                .orElseThrow()
                .get("greedy_text")
                .asString();
    }
}
