package dev.tern.server.llama;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.server.ServerOptions;
import dev.tern.server.TestServer;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** What the server tells of itself, its model and its tokens. */
class InformationEndpointsTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.ready();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void theModelIsListed() throws IOException {
        for (String path : List.of("/v1/models", "/models")) {
            JsonNode list = server.json(server.get(path));
            assertThat(list.path("object").asString()).isEqualTo("list");
            assertThat(list.path("data").size()).isEqualTo(1);
            JsonNode model = list.path("data").path(0);
            assertThat(model.path("id").asString()).isEqualTo("tiny");
            assertThat(model.path("object").asString()).isEqualTo("model");
            assertThat(model.path("created").asLong()).isPositive();
            assertThat(model.path("owned_by").asString()).isEqualTo("llamacpp");
            assertThat(model.path("architecture").path("output_modalities").path(0).asString()).isEqualTo("text");
            JsonNode meta = model.path("meta");
            assertThat(meta.path("vocab_type").asInt()).isEqualTo(2);
            assertThat(meta.path("n_vocab").asInt()).isEqualTo(4096);
            assertThat(meta.path("n_ctx_train").asInt()).isEqualTo(512);
            assertThat(meta.path("n_embd").asInt()).isEqualTo(512);
            assertThat(meta.path("n_params").asLong()).isEqualTo(14_168_576);
            assertThat(meta.path("size").asLong()).isPositive();
        }
        assertThat(server.json(server.get("/v1/models/tiny")).path("id").asString()).isEqualTo("tiny");
        server.error(server.get("/v1/models/other"), 404, "not_found_error");
    }

    @Test
    void textBecomesTokensAndBack() throws IOException {
        String text = "The fox <|eot_id|> and ä €";
        JsonNode tokens = server.json(server.post("/tokenize", "{'content': '" + text + "'}")).path("tokens");
        assertThat(tokens.valueStream().mapToInt(JsonNode::asInt).toArray())
                .isEqualTo(server.model.tokenizer().encode(text, false, true));
        assertThat(server.json(server.post("/detokenize", "{'tokens': " + tokens + "}"))
                        .path("content")
                        .asString())
                .isEqualTo(text);
        JsonNode plain = server.json(server.post(
                        "/tokenize", "{'content': '<|eot_id|>', 'parse_special': false, 'add_special': true}"))
                .path("tokens");
        assertThat(plain.valueStream().mapToInt(JsonNode::asInt).toArray())
                .isEqualTo(server.model.tokenizer().encode("<|eot_id|>", true, false));
        assertThat(server.json(server.post("/tokenize", "{'content': ''}")).path("tokens").size()).isZero();
    }

    @Test
    void piecesThatAreNoCharactersAreBytes() throws IOException {
        JsonNode tokens = server.json(server.post("/tokenize", "{'content': 'fox \uD83E\uDD8A', 'with_pieces': true}"))
                .path("tokens");
        assertThat(tokens.path(0).path("piece").isString()).isTrue();
        JsonNode last = tokens.path(tokens.size() - 1).path("piece");
        assertThat(last.isArray()).isTrue();
        assertThat(last.path(last.size() - 1).asInt()).isEqualTo(0x8a);
    }

    @Test
    void tokensThatAreNoneAreNamed() throws IOException {
        JsonNode error = server.error(server.post("/detokenize", "{'tokens': [1, 'x']}"), 400, "invalid_request_error");
        assertThat(error.path("param").asString()).isEqualTo("tokens[1]");
        server.error(server.post("/detokenize", "{}"), 400, "invalid_request_error");
        server.error(server.post("/tokenize", "{}"), 400, "invalid_request_error");
    }

    @Test
    void propertiesAndSlotsAreShown() throws IOException {
        JsonNode props = server.json(server.get("/props"));
        assertThat(props.path("default_generation_settings").path("n_ctx").asInt()).isEqualTo(512);
        JsonNode params = props.path("default_generation_settings").path("params");
        assertThat(params.path("temperature").asDouble()).isEqualTo(0.8);
        assertThat(params.path("top_k").asInt()).isEqualTo(40);
        assertThat(params.path("n_predict").asInt()).isEqualTo(-1);
        assertThat(props.path("total_slots").asInt()).isEqualTo(1);
        assertThat(props.path("model_path").asString()).endsWith("tiny.gguf");
        assertThat(props.path("is_sleeping").asBoolean()).isFalse();
        assertThat(props.path("modalities").path("vision").asBoolean()).isFalse();
        JsonNode slots = server.json(server.get("/slots"));
        assertThat(slots.size()).isEqualTo(1);
        assertThat(slots.path(0).path("n_ctx").asInt()).isEqualTo(512);
        assertThat(slots.path(0).path("is_processing").asBoolean()).isFalse();
        server.json(server.get("/slots?fail_on_no_slot=1"));
    }

    @Test
    void whatHasToBeAskedForIsNotThereByDefault() throws IOException {
        server.error(server.get("/metrics"), 501, "not_supported_error");
        server.error(server.post("/props", "{}"), 501, "not_supported_error");
    }

    @Test
    void metricsCountWhatWasDone() throws IOException {
        try (TestServer counting = new TestServer(
                        ServerOptions.builder().metrics(true).props(true).slots(false))
                .serve()) {
            counting.post("/completion", "{'prompt': 'A fox', 'n_predict': 5, 'temperature': 0}");
            String text = counting.get("/metrics").body();
            assertThat(text)
                    .contains("# TYPE llamacpp:prompt_tokens_total counter\nllamacpp:prompt_tokens_total 4\n")
                    .contains("\nllamacpp:tokens_predicted_total 5\n")
                    .contains("# TYPE llamacpp:requests_processing gauge\nllamacpp:requests_processing 0\n")
                    .contains("\nllamacpp:requests_deferred 0\n");
            assertThat(text.lines()).allMatch(line -> line.matches("# (HELP|TYPE) llamacpp:\\w+ .+|llamacpp:\\w+ [0-9.E-]+"));
            assertThat(counting.json(counting.post("/props", "{}")).path("success").asBoolean()).isTrue();
            counting.error(counting.get("/slots"), 501, "not_supported_error");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/infill", "/rerank", "/v1/rerank", "/lora-adapters", "/models/load", "/v1/systemone", "/tools"})
    void whatIsNotDoneIsAnsweredWithAReason(String path) throws IOException {
        server.error(server.post(path, "{}"), 501, "not_supported_error");
    }
}
