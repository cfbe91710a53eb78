package dev.tern.cli;

import static dev.tern.cli.InProcess.PACKED;
import static dev.tern.cli.InProcess.TESTDATA;
import static dev.tern.cli.InProcess.tern;
import static dev.tern.cli.InProcess.ternWithInput;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TokenizeCommandTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Path CASES = TESTDATA.resolve("tokenizers/tiny.encode.jsonl");

    @ParameterizedTest
    @CsvSource({"ids_with_special,''", "ids,--no-special", "ids_special_as_text,--no-special --special-as-text"})
    void jsonLinesGiveTheIdsOfHuggingFace(String field, String options) throws Exception {
        List<Object> arguments = new ArrayList<>(List.of("tokenize", PACKED, "--jsonl", CASES));
        if (!options.isEmpty()) {
            arguments.addAll(List.of(options.split(" ")));
        }
        InProcess.Result result = tern(arguments.toArray());

        assertThat(result.err()).isEmpty();
        assertThat(result.status()).isZero();
        List<String> expected = Files.readAllLines(CASES);
        List<String> found = result.out().lines().toList();
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
            JsonNode wanted = JSON.readTree(expected.get(i)).path(field);
            assertThat(JSON.readTree(found.get(i)).path("ids")).as(expected.get(i)).isEqualTo(wanted);
        }
    }

    @Test
    void printsIdsAndTokens() {
        InProcess.Result result = tern("tokenize", PACKED, "-p", "The Fox", "--json");
        JsonNode json = JSON.readTree(result.out());
        assertThat(json.path("ids").toString()).isEqualTo("[4080,505,474,2904]");
        assertThat(json.path("tokens").path(0).asString()).isEqualTo("<|begin_of_text|>");
        assertThat(tern("tokenize", PACKED, "-p", "The Fox", "--no-special").out())
                .isEqualTo("    505  The\n    474  \u0120F\n   2904  ox\n");
    }

    @Test
    void readsStandardInputAndDropsItsLastNewline() {
        assertThat(ternWithInput("The Fox\n", "tokenize", PACKED, "-f", "-").out())
                .isEqualTo(tern("tokenize", PACKED, "-p", "The Fox").out());
    }

    @Test
    void namesTheLineThatIsNoRecord() {
        InProcess.Result result = ternWithInput("{\"text\": \"a\"}\n{\"txet\": \"b\"}\n", "tokenize", PACKED, "--jsonl", "-");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("-: line 2").contains("{\"txet\": \"b\"}");
    }

    @Test
    void refusesTextThatIsNotUtf8(@org.junit.jupiter.api.io.TempDir Path folder) throws Exception {
        Path file = Files.write(folder.resolve("latin1.txt"), "caf\u00e9".getBytes(StandardCharsets.ISO_8859_1));
        InProcess.Result result = tern("tokenize", PACKED, "-f", file);
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains(file.toString()).contains("offset 3").contains("not UTF-8");
    }

    @Test
    void aFileIsReadAsItsCheckpointIs(@TempDir Path folder) {
        assertThat(tern("tokenize", "-m", TinyModel.in(folder), "-p", TinyModel.FOX, "--json").out())
                .isEqualTo(tern("tokenize", PACKED, "-p", TinyModel.FOX, "--json").out());
    }
}
