package dev.tern.cli;

import static dev.tern.cli.InProcess.PACKED;
import static dev.tern.cli.InProcess.TESTDATA;
import static dev.tern.cli.InProcess.tern;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The trained model of the tests as a GGUF file, and what transformers answers with it. */
final class TinyModel {
    static final JsonMapper JSON = JsonMapper.builder().build();
    static final String FOX = "Tell me the fable of The Fox and the Grapes.";

    private TinyModel() {}

    /** Converts it to a file in a folder. */
    static Path in(Path folder) {
        Path model = folder.resolve("tiny.gguf");
        InProcess.Result conversion = tern("convert", PACKED, "-o", model, "--outtype", "i2_s");
        assertThat(conversion.status()).as(conversion.err()).isZero();
        return model;
    }

    /** What a command printed with {@code --json}. */
    static JsonNode json(InProcess.Result result) {
        assertThat(result.out()).as(result.err()).isNotEmpty();
        return JSON.readTree(result.out());
    }

    /** A fable with its prompt and greedy answer. */
    static JsonNode golden(String title) {
        for (JsonNode fable : JSON.readTree(TESTDATA.resolve("golden/fables.json")).path("fables")) {
            if (fable.path("title").asString().equals(title)) {
                return fable;
            }
        }
        throw new AssertionError(title);
    }

    /** The greedy answer to the question for a fable. */
    static String fable(String title) {
        return golden(title).path("greedy_text").asString();
    }
}
