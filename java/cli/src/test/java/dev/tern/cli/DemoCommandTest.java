package dev.tern.cli;

import static dev.tern.cli.InProcess.TESTDATA;
import static dev.tern.cli.InProcess.tern;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class DemoCommandTest {
    private static final JsonNode FABLES = JsonMapper.shared().readTree(TESTDATA.resolve("golden/fables.json")).path("fables");

    @Test
    void tellsTheFableWordForWordAndLeavesNothingBehind() throws Exception {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        List<Path> before = demoFolders(temporary);
        InProcess.Result result = tern("demo");

        assertThat(result.status()).as(result.out() + result.err()).isZero();
        assertThat(result.out())
                .contains("\n> Tell me the fable of The Fox and the Grapes.\n")
                .contains("\n\n" + fable("The Fox and the Grapes") + "\n\n")
                .contains("28 ternary tensors")
                .contains("bitnet-lut-kernels.h", "kernel_config.ini", "GGUF, tl2,")
                .containsPattern("the checkpoint as i2_s(, multiplied instead\\s+of looked up)?:\\s+the\\s+same\\s+(113|first\\s+16)\\s+tokens")
                .contains("Ended by the model's end token; word for word the fable it learnt.")
                .doesNotContain("\u001B");
        assertThat(demoFolders(temporary)).isEqualTo(before);
    }

    @Test
    void onATerminalLinesFitEightyColumns() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Terminal terminal =
                new Terminal(new ByteArrayInputStream(new byte[0]), bytes, new ByteArrayOutputStream(), true, true, true);
        assertThat(Tern.run(terminal, new Interruption(), "demo", "--fable", "milkmaid")).isZero();
        String out = bytes.toString(StandardCharsets.UTF_8);
        assertThat(out.lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
        String told = out.substring(out.indexOf("\n> "), out.lastIndexOf("tokens,"));
        assertThat(told.replaceAll("\\s+", " ")).contains(fable("The Milkmaid and Her Pail").replaceAll("\\s+", " "));
    }

    @Test
    void listsTheTitles() {
        assertThat(tern("demo", "--list").out().lines()).hasSize(63).contains("The Lion and the Mouse");
    }

    @Test
    void keepsWhatItMade(@TempDir Path folder) {
        Path kept = folder.resolve("new/kept");
        InProcess.Result result = tern("demo", "--keep", kept, "--fable", "The Lamp");
        assertThat(result.status()).as(result.out() + result.err()).isZero();
        for (String type : List.of("tl2", "i2_s")) {
            Path model = kept.resolve("fables-" + type + ".gguf");
            assertThat(tern("validate", model, "--against", kept.resolve("checkpoint")).status()).isZero();
        }
        Path ini = kept.resolve("kernels/kernel_config.ini");
        assertThat(tern("validate", kept.resolve("fables-tl2.gguf"), "--kernel-config", ini).status()).isZero();
        assertThat(kept.resolve("kernels/bitnet-lut-kernels.h")).content().contains("tl2_512x1536_");
        InProcess.Result again = tern("demo", "--keep", kept);
        assertThat(again.status()).isEqualTo(1);
        assertThat(again.err()).contains(kept.toString()).contains("empty");
    }

    private static List<Path> demoFolders(Path temporary) throws Exception {
        try (Stream<Path> files = Files.list(temporary)) {
            return files.filter(file -> file.getFileName().toString().startsWith("tern-demo-")).sorted().toList();
        }
    }

    private static String fable(String title) {
        for (JsonNode fable : FABLES) {
            if (fable.path("title").asString().equals(title)) {
                return fable.path("greedy_text").asString();
            }
        }
        throw new AssertionError(title);
    }
}
