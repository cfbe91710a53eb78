package dev.tern.convert;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufLayout;
import dev.tern.gguf.GgufValue;
import dev.tern.gguf.GgufWriter;
import dev.tern.io.AtomicFile;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What a validation says of tokenizers. */
class TokenizerProofTest {
    private static final Path PACKED = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet/packed-u8");

    @TempDir
    Path folder;

    /** A vocabulary may lack a letter; texts with it are encoded by neither side, and the file is valid. */
    @ParameterizedTest
    @CsvSource({"~, true", "q, false"})
    void aVocabularyThatLacksALetterIsProved(String letter, boolean spellsThePrompt) throws IOException {
        Path checkpoint = Files.createDirectory(folder.resolve("checkpoint"));
        try (var files = Files.list(PACKED)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, checkpoint.resolve(file.getFileName()));
            }
        }
        JsonMapper json = JsonMapper.builder().build();
        Path path = checkpoint.resolve("tokenizer.json");
        ObjectNode tokenizer = (ObjectNode) json.readTree(Files.readString(path));
        ObjectNode model = (ObjectNode) tokenizer.path("model");
        ObjectNode vocab = (ObjectNode) model.path("vocab");
        vocab.set("[gone]", vocab.remove(letter));
        ArrayNode merges = json.createArrayNode();
        for (JsonNode merge : model.path("merges")) {
            if (!merge.toString().contains(letter)) {
                merges.add(merge);
            }
        }
        model.set("merges", merges);
        Files.writeString(path, json.writeValueAsString(tokenizer));

        Path gguf = folder.resolve("m.gguf");
        Converter.from(checkpoint).outtype(Outtype.I2_S).to(gguf);
        ValidationReport report = Validator.validate(gguf, checkpoint);
        assertThat(report.problems()).isEmpty();
        assertThat(report.proof().texts()).isGreaterThan(200);
        assertThat(report.proof().restored()).isLessThan(report.proof().texts());
        assertThat(report.proof().graph() != null).isEqualTo(spellsThePrompt);
        assertThat(report.notes().stream().anyMatch(note -> note.contains("models were not run")))
                .isNotEqualTo(spellsThePrompt);
    }

    /** Special tokens are parsed, too: one that became plain text is found. */
    @Test
    void aSpecialTokenThatBecameTextIsFound() {
        Path good = folder.resolve("good.gguf");
        Converter.from(PACKED).outtype(Outtype.I2_S).to(good);
        Path other = folder.resolve("other.gguf");
        try (GgufFile file = GgufFile.open(good);
                AtomicFile out = AtomicFile.create(other, true)) {
            GgufLayout.Builder layout = GgufLayout.builder();
            file.metadata().forEach((key, value) -> {
                if (key.equals("tokenizer.ggml.token_type")) {
                    int[] types = ((int[]) value.value()).clone();
                    types[4095] = 1; // NORMAL
                    layout.metadata(key, GgufValue.int32s(types));
                } else {
                    layout.metadata(key, value);
                }
            });
            file.tensors().forEach(t -> layout.tensor(t.name(), t.type(), t.dims()));
            GgufWriter writer = new GgufWriter(layout.build(), out);
            file.tensors().forEach(t -> writer.write(t.name(), file.data(t)));
            writer.finish();
            out.commit();
        }
        List<String> problems = Validator.validate(other, PACKED).problems();
        assertThat(problems).isNotEmpty().anyMatch(problem -> problem.contains("tokenizer"));
    }
}
