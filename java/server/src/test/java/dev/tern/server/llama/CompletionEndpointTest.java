package dev.tern.server.llama;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.GenerationOptions;
import dev.tern.server.TestServer;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class CompletionEndpointTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.ready();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String alone(String prompt, int tokens) {
        return server.model
                .generate(
                        prompt,
                        GenerationOptions.builder().maxTokens(tokens).temperature(0).build())
                .text();
    }

    @Test
    void theGuidesCallWorksAsPrinted() throws IOException {
        HttpResponse<String> response = server.send(
                "POST",
                "/completion",
                "{\"prompt\": \"2+2=\", \"n_predict\": 10}",
                "Content-Type",
                "application/json");
        JsonNode answer = server.json(response);
        assertThat(answer.path("content").asString()).isNotEmpty();
        assertThat(answer.path("tokens_predicted").asInt()).isBetween(1, 10);
    }

    @Test
    void answersWithEverythingThatLlamaServerSays() throws IOException {
        JsonNode answer = server.json(server.post(
                "/completion", "{'prompt': 'A fox', 'n_predict': 8, 'temperature': 0, 'return_tokens': true}"));
        assertThat(answer.path("content").asString()).isEqualTo(alone("A fox", 8));
        assertThat(answer.path("stop").asBoolean()).isTrue();
        assertThat(answer.path("stop_type").asString()).isEqualTo("limit");
        assertThat(answer.path("stopping_word").asString()).isEmpty();
        assertThat(answer.path("model").asString()).isEqualTo("tiny");
        assertThat(answer.path("prompt").asString()).isEqualTo("<|begin_of_text|>A fox");
        assertThat(answer.path("tokens").size()).isEqualTo(8);
        assertThat(answer.path("tokens_predicted").asInt()).isEqualTo(8);
        int prompt = server.model.tokenizer().encode("A fox", true, true).length;
        assertThat(answer.path("tokens_evaluated").asInt()).isEqualTo(prompt);
        assertThat(answer.path("tokens_cached").asInt()).isZero();
        assertThat(answer.path("truncated").asBoolean()).isFalse();
        assertThat(answer.path("id_slot").asInt()).isZero();
        assertThat(answer.path("generation_settings").path("n_predict").asInt()).isEqualTo(8);
        assertThat(answer.path("generation_settings").path("temperature").asDouble()).isZero();
        assertThat(answer.path("generation_settings").path("n_ctx").asInt()).isEqualTo(512);
        assertThat(answer.path("timings").propertyNames())
                .contains(
                        "cache_n", "prompt_n", "prompt_ms", "prompt_per_token_ms", "prompt_per_second", "predicted_n",
                        "predicted_ms", "predicted_per_token_ms", "predicted_per_second");
    }

    @Test
    void aStreamGivesTheSameInPieces() throws IOException {
        HttpResponse<String> response = server.post(
                "/completion",
                "{'prompt': 'A fox', 'n_predict': 8, 'temperature': 0, 'stream': true, 'timings_per_token': true,"
                        + " 'return_progress': true}");
        List<JsonNode> events =
                server.events(response).stream().map(TestServer::parse).toList();
        JsonNode last = events.getLast();
        assertThat(events.getFirst().path("prompt_progress").path("total").asInt()).isPositive();
        assertThat(events.get(1).path("timings").path("predicted_n").asInt()).isEqualTo(1);
        assertThat(events.stream().map(event -> event.path("content").asString()).collect(Collectors.joining()))
                .isEqualTo(alone("A fox", 8));
        assertThat(events.subList(0, events.size() - 1)).noneMatch(event -> event.path("stop").asBoolean());
        assertThat(last.path("stop").asBoolean()).isTrue();
        assertThat(last.path("stop_type").asString()).isEqualTo("limit");
        assertThat(last.path("content").asString()).isEmpty();
    }

    @Test
    void stopStringsAreNamedAndDoNotAppear() throws IOException {
        String text = alone("A fox", 20);
        String word = text.substring(text.length() / 2, text.length() / 2 + 3);
        JsonNode answer = server.json(server.post(
                "/completion",
                "{'prompt': 'A fox', 'n_predict': 20, 'temperature': 0, 'stop': ['" + word + "']}"));
        assertThat(answer.path("stop_type").asString()).isEqualTo("word");
        assertThat(answer.path("stopping_word").asString()).isEqualTo(word);
        assertThat(answer.path("content").asString()).isEqualTo(text.substring(0, text.indexOf(word)));
    }

    @Test
    void promptsComeInEveryShape() throws IOException {
        int[] ids = server.model.tokenizer().encode("A fox", true, true);
        String tokens = Arrays.toString(ids);
        String fox = Arrays.toString(server.model.tokenizer().encode(" fox", false, true));
        String more = ", 'n_predict': 4, 'temperature': 0}";
        String expected = alone("A fox", 4);
        for (String prompt : List.of(
                "'A fox'", tokens, "['A', " + fox.substring(1), "{'prompt_string': 'A fox'}", "'<|begin_of_text|>A fox'")) {
            JsonNode answer = server.json(server.post("/completion", "{'prompt': " + prompt + more));
            assertThat(answer.path("content").asString()).as(prompt).isEqualTo(expected);
        }
        JsonNode many = server.json(
                server.post("/completion", "{'prompt': ['A fox', " + tokens + ", 'The lion'], 'n_cmpl': 2" + more));
        assertThat(many.size()).isEqualTo(6);
        assertThat(many.get(3).path("content").asString()).isEqualTo(expected);
        assertThat(many.get(5).path("content").asString()).isEqualTo(alone("The lion", 4));
        assertThat(many.get(5).path("index").asInt()).isEqualTo(5);
    }

    @Test
    void tooManyAreRefusedBeforeTheyAreRead() throws IOException {
        String prompts = "'a',".repeat(1_000_000) + "'a'";
        for (String more : List.of("", ", 'n_cmpl': 64")) {
            JsonNode error = server.error(
                    server.post("/completion", "{'prompt': [" + prompts + "]" + more + "}"),
                    400,
                    "invalid_request_error");
            assertThat(error.path("message").asString())
                    .contains(more.isEmpty() ? "1000001 completions" : "64000064 completions")
                    .contains("at most 64");
        }
        String unreadable = "true,".repeat(32) + "true"; // nobody has looked at them
        JsonNode error = server.error(
                server.post("/v1/completions", "{'prompt': [" + unreadable + "], 'n': 2}"),
                400,
                "invalid_request_error");
        assertThat(error.path("message").asString()).contains("66 completions");
    }

    @Test
    void manyStreamAtOnce() throws IOException {
        List<JsonNode> events = server
                .events(server.post(
                        "/completion",
                        "{'prompt': ['A fox', 'The lion'], 'n_predict': 6, 'temperature': 0, 'stream': true}"))
                .stream()
                .map(TestServer::parse)
                .toList();
        for (int index = 0; index < 2; index++) {
            int choice = index;
            assertThat(events.stream()
                            .filter(event -> event.path("index").asInt() == choice)
                            .map(event -> event.path("content").asString())
                            .collect(Collectors.joining()))
                    .isEqualTo(alone(index == 0 ? "A fox" : "The lion", 6));
        }
    }

    @Test
    void responseFieldsAreSelected() throws IOException {
        JsonNode answer = server.json(server.post(
                "/completion",
                "{'prompt': 'A', 'n_predict': 1, 'response_fields': ['content', 'generation_settings/n_predict', 'no']}"));
        assertThat(answer.propertyNames()).containsExactly("content", "n_predict");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "prompt|{}",
                "prompt|{'prompt': 7}",
                "prompt[1]|{'prompt': [1, 4096]}",
                "prompt[0][0]|{'prompt': [[-1]]}",
                "prompt|{'prompt': []}",
                "n_predict|{'prompt': 'a', 'n_predict': 'ten'}",
                "n_predict|{'prompt': 'a', 'n_predict': 1.5}",
                "temperature|{'prompt': 'a', 'temperature': 'hot'}",
                "stop[1]|{'prompt': 'a', 'stop': ['x', 1]}",
                "stream|{'prompt': 'a', 'stream': 'yes'}",
                "id_slot|{'prompt': 'a', 'id_slot': 3}",
                "n_cmpl|{'prompt': 'a', 'n_cmpl': 1000}",
            })
    void theFieldAtFaultIsNamed(String field, String body) throws IOException {
        JsonNode error = server.error(server.post("/completion", body), 400, "invalid_request_error");
        assertThat(error.path("param").asString()).isEqualTo(field);
        assertThat(error.path("message").asString()).startsWith(field.equals("prompt") ? "" : field);
    }

    @Test
    void aPromptThatIsTooLongSaysByHowMuch() throws IOException {
        JsonNode error = server.error(
                server.post("/completion", "{'prompt': '" + "fox ".repeat(600) + "'}"), 400, "exceed_context_size_error");
        assertThat(error.path("n_ctx").asInt()).isEqualTo(512);
        assertThat(error.path("n_prompt_tokens").asInt()).isGreaterThan(512);
    }

    @Test
    void aBodyThatIsNoJsonSaysWhere() throws IOException {
        JsonNode error = server.error(server.post("/completion", "{'prompt': 'a',, }"), 400, "invalid_request_error");
        assertThat(error.path("message").asString()).contains("not valid JSON").contains("byte offset");
        server.error(server.post("/completion", "[1]"), 400, "invalid_request_error");
        server.error(server.post("/completion", ""), 400, "invalid_request_error");
        server.error(server.post("/completion", "{'prompt': 'a'} x"), 400, "invalid_request_error");
        server.error(server.post("/completion", "{'a': ".repeat(300)), 400, "invalid_request_error");
        server.error(server.post("/completion", "{'prompt': 'a', 'prompt': 'b'}"), 400, "invalid_request_error");
    }
}
