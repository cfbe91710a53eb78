package dev.tern.server.openai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.GenerationOptions;
import dev.tern.server.TestServer;
import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class TextCompletionEndpointTest {
    private static TestServer server;
    private static String alone;

    @BeforeAll
    static void start() {
        server = TestServer.ready();
        alone = server.model
                .generate("A fox", GenerationOptions.builder().maxTokens(6).temperature(0).build())
                .text();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void answersAsOpenAiDoes() throws IOException {
        JsonNode answer = server.json(server.post(
                "/v1/completions",
                "{'model': 'any', 'prompt': 'A fox', 'max_tokens': 6, 'temperature': 0, 'echo': true, 'n': 2}"));
        assertThat(answer.path("id").asString()).matches("cmpl-\\w{24}");
        assertThat(answer.path("object").asString()).isEqualTo("text_completion");
        assertThat(answer.path("model").asString()).isEqualTo("tiny");
        assertThat(answer.path("system_fingerprint").asString()).isEqualTo("tern");
        assertThat(answer.path("choices").size()).isEqualTo(2);
        JsonNode choice = answer.path("choices").path(1);
        assertThat(choice.path("index").asInt()).isEqualTo(1);
        assertThat(choice.path("text").asString()).isEqualTo("A fox" + alone);
        assertThat(choice.path("finish_reason").asString()).isEqualTo("length");
        assertThat(choice.path("logprobs").isNull()).isTrue();
        JsonNode usage = answer.path("usage");
        int prompt = server.model.tokenizer().encode("A fox", true, true).length;
        assertThat(usage.path("prompt_tokens").asInt()).isEqualTo(prompt);
        assertThat(usage.path("completion_tokens").asInt()).isEqualTo(12);
        assertThat(usage.path("total_tokens").asInt()).isEqualTo(prompt + 12);
        assertThat(usage.path("prompt_tokens_details").path("cached_tokens").asInt()).isZero();
    }

    @Test
    void aStreamEndsWithUsageAndDone() throws IOException {
        List<String> events = server.events(server.post(
                "/v1/completions",
                "{'prompt': 'A fox', 'max_tokens': 6, 'temperature': 0, 'stream': true,"
                        + " 'stream_options': {'include_usage': true}}"));
        assertThat(events.getLast()).isEqualTo("[DONE]");
        List<JsonNode> parts =
                events.subList(0, events.size() - 1).stream().map(TestServer::parse).toList();
        assertThat(parts.stream()
                        .map(part -> part.path("choices").path(0).path("text").asString(""))
                        .collect(Collectors.joining()))
                .isEqualTo(alone);
        assertThat(parts.getLast().path("choices").isEmpty()).isTrue();
        assertThat(parts.getLast().path("usage").path("completion_tokens").asInt()).isEqualTo(6);
        assertThat(parts.get(parts.size() - 2).path("choices").path(0).path("finish_reason").asString())
                .isEqualTo("length");
        assertThat(parts).extracting(part -> part.path("id").asString()).containsOnly(
                parts.getFirst().path("id").asString());
    }

    @Test
    void whatIsNotDoneIsSaid() throws IOException {
        server.error(server.post("/v1/completions", "{'prompt': 'a', 'suffix': 'z'}"), 501, "not_supported_error");
        server.error(server.post("/v1/completions", "{'prompt': 'a', 'best_of': 4}"), 501, "not_supported_error");
        server.error(server.post("/v1/completions", "{'prompt': 'a', 'n': 0}"), 400, "invalid_request_error");
        server.error(server.post("/v1/completions", "{'prompt': 'a', 'top_p': 'x'}"), 400, "invalid_request_error");
    }
}
