package dev.tern.server.openai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.GenerationOptions;
import dev.tern.Model;
import dev.tern.StopReason;
import dev.tern.server.ServerOptions;
import dev.tern.server.TestServer;
import dev.tern.server.TinyModel;
import dev.tern.template.ChatMessage;
import dev.tern.template.NamedTemplate;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class ChatEndpointTest {
    private static final String MESSAGES = "'messages': [{'role': 'user', 'content': 'Tell me of a fox.'}]";
    private static final String TOOLS = "'tools': [{'type': 'function', 'function': {'name': 'weather', 'parameters':"
            + " {'type': 'object', 'properties': {'city': {'type': 'string'}}}}}]";
    private static final String CALL =
            "Let me see.<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Ulm\"}}\n</tool_call>";

    private static TestServer server;
    private static TestServer scripted;

    @BeforeAll
    static void start() {
        server = TestServer.ready();
        scripted = new TestServer(ServerOptions.builder().alias("tiny")).serveScript();
    }

    @AfterAll
    static void stop() {
        server.close();
        scripted.close();
    }

    private static String alone(int tokens) {
        return server.model
                .chat(
                        List.of(new ChatMessage("user", "Tell me of a fox.")),
                        GenerationOptions.builder().maxTokens(tokens).temperature(0).build())
                .text();
    }

    @Test
    void answersAsTheLibraryDoes() throws IOException {
        JsonNode answer = server.json(
                server.post("/v1/chat/completions", "{" + MESSAGES + ", 'max_tokens': 12, 'temperature': 0}"));
        assertThat(answer.path("id").asString()).matches("chatcmpl-\\w{24}");
        assertThat(answer.path("object").asString()).isEqualTo("chat.completion");
        assertThat(answer.path("model").asString()).isEqualTo("tiny");
        assertThat(answer.path("created").asLong()).isPositive();
        JsonNode choice = answer.path("choices").path(0);
        assertThat(choice.path("message").path("role").asString()).isEqualTo("assistant");
        assertThat(choice.path("message").path("content").asString()).isEqualTo(alone(12));
        assertThat(choice.path("message").has("tool_calls")).isFalse();
        assertThat(choice.path("finish_reason").asString()).isEqualTo("length");
        assertThat(answer.path("usage").path("completion_tokens").asInt()).isEqualTo(12);
        assertThat(answer.path("timings").path("predicted_n").asInt()).isEqualTo(12);
    }

    @Test
    void aStreamBeginsWithTheRoleAndEndsWithTheReason() throws IOException {
        HttpResponse<String> response = server.post(
                "/v1/chat/completions",
                "{" + MESSAGES
                        + ", 'max_completion_tokens': 12, 'temperature': 0, 'stream': true, 'timings_per_token': true,"
                        + " 'return_progress': true, 'stream_options': {'include_usage': true}}");
        assertThat(server.events(response).getLast()).isEqualTo("[DONE]");
        List<JsonNode> parts = server.parts(response);
        assertThat(parts).allMatch(part -> part.path("object").asString().equals("chat.completion.chunk"));
        assertThat(delta(parts.getFirst()).path("role").asString()).isEqualTo("assistant");
        assertThat(parts.get(1).path("prompt_progress").path("processed").asInt()).isPositive();
        assertThat(parts.get(2).path("timings").path("predicted_n").asInt()).isEqualTo(1);
        assertThat(parts.stream().map(part -> delta(part).path("content").asString("")).collect(Collectors.joining()))
                .isEqualTo(alone(12));
        JsonNode last = parts.get(parts.size() - 2);
        assertThat(last.path("choices").path(0).path("finish_reason").asString()).isEqualTo("length");
        assertThat(delta(last).isEmpty()).isTrue();
        assertThat(parts.getLast().path("choices").isEmpty()).isTrue();
        assertThat(parts.getLast().path("usage").path("completion_tokens").asInt()).isEqualTo(12);
        assertThat(parts.getFirst().path("usage").isNull()).isTrue();
    }

    private static JsonNode delta(JsonNode part) {
        return part.path("choices").path(0).path("delta");
    }

    @Test
    void probabilitiesComeWithTokens() throws IOException {
        String body = "{" + MESSAGES + ", 'max_tokens': 4, 'temperature': 0, 'logprobs': true, 'top_logprobs': 3";
        JsonNode content = server.json(server.post("/v1/chat/completions", body + "}"))
                .path("choices")
                .path(0)
                .path("logprobs")
                .path("content");
        assertThat(content.size()).isEqualTo(4);
        JsonNode token = content.path(0);
        assertThat(token.path("logprob").asDouble()).isLessThanOrEqualTo(0);
        assertThat(token.path("top_logprobs").size()).isEqualTo(3);
        assertThat(token.path("top_logprobs").path(0).path("token").asString())
                .as("greedy takes the likeliest")
                .isEqualTo(token.path("token").asString());
        assertThat(token.path("bytes").size()).isPositive();
        List<JsonNode> parts = server.parts(server.post("/v1/chat/completions", body + ", 'stream': true}"));
        assertThat(parts.stream()
                        .map(part -> part.path("choices").path(0).path("logprobs").path("content").path(0))
                        .filter(JsonNode::isObject)
                        .toList())
                .isEqualTo(content.valueStream().toList());
        JsonNode after = server.json(server.post(
                        "/completion",
                        "{'prompt': 'A', 'n_predict': 2, 'seed': 1, 'n_probs': 5, 'post_sampling_probs': true}"))
                .path("completion_probabilities");
        assertThat(after.size()).isEqualTo(2);
        assertThat(after.path(0).path("prob").asDouble()).isBetween(0.0, 1.0);
        assertThat(after.path(0).path("top_probs").size()).isBetween(1, 5);
    }

    @Test
    void severalAnswersHaveSeedsOfTheirOwn() throws IOException {
        String body = "{" + MESSAGES + ", 'max_tokens': 8, 'temperature': 1.5, 'seed': ";
        JsonNode three = server.json(server.post("/v1/chat/completions", body + "5, 'n': 3}")).path("choices");
        assertThat(three.size()).isEqualTo(3);
        for (int i = 0; i < 3; i++) {
            JsonNode one = server.json(server.post("/v1/chat/completions", body + (5 + i) + "}"))
                    .path("choices")
                    .path(0);
            assertThat(three.path(i).path("message")).isEqualTo(one.path("message"));
        }
    }

    @Test
    void callsOfToolsAreReadFromTheText() throws IOException {
        scripted.script.say(CALL, 3, StopReason.END_TOKEN);
        JsonNode choice = scripted.json(
                        scripted.post("/v1/chat/completions", "{" + MESSAGES + ", " + TOOLS + "}"))
                .path("choices")
                .path(0);
        assertThat(choice.path("finish_reason").asString()).isEqualTo("tool_calls");
        assertThat(choice.path("message").path("content").asString()).isEqualTo("Let me see.");
        JsonNode call = choice.path("message").path("tool_calls").path(0);
        assertThat(call.path("type").asString()).isEqualTo("function");
        assertThat(call.path("id").asString()).isNotEmpty();
        assertThat(call.path("function").path("name").asString()).isEqualTo("weather");
        assertThat(TestServer.parse(call.path("function").path("arguments").asString()).path("city").asString())
                .isEqualTo("Ulm");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 1000})
    void callsOfToolsAreStreamedInWhateverPieces(int piece) throws IOException {
        scripted.script.say(CALL, piece, StopReason.END_TOKEN);
        List<JsonNode> parts = scripted.parts(
                scripted.post("/v1/chat/completions", "{" + MESSAGES + ", " + TOOLS + ", 'stream': true}"));
        assertThat(parts.stream().map(part -> delta(part).path("content").asString("")).collect(Collectors.joining()))
                .isEqualTo("Let me see.");
        List<JsonNode> calls = parts.stream()
                .map(part -> delta(part).path("tool_calls").path(0))
                .filter(JsonNode::isObject)
                .toList();
        assertThat(calls.getFirst().path("function").path("name").asString()).isEqualTo("weather");
        assertThat(calls).allMatch(call -> call.path("index").asInt(-1) == 0);
        assertThat(calls.stream()
                        .map(call -> call.path("function").path("arguments").asString())
                        .collect(Collectors.joining()))
                .isEqualTo("{\"city\": \"Ulm\"}");
        assertThat(parts.getLast().path("choices").path(0).path("finish_reason").asString()).isEqualTo("tool_calls");
    }

    @Test
    void reasoningIsToldApartUnlessItIsNotWanted() throws IOException {
        try (Model model = TinyModel.model(NamedTemplate.QWEN);
                TestServer thinking = new TestServer(ServerOptions.builder(), 1, model).serveScript()) {
            thinking.script.say("<think>hm</think>\n\nYes.", 2, StopReason.END_TOKEN);
            JsonNode message = thinking.json(thinking.post("/v1/chat/completions", "{" + MESSAGES + "}"))
                    .path("choices")
                    .path(0)
                    .path("message");
            assertThat(message.path("content").asString()).isEqualTo("Yes.");
            assertThat(message.path("reasoning_content").asString()).isEqualTo("hm");
            message = thinking.json(thinking.post(
                            "/v1/chat/completions", "{" + MESSAGES + ", 'reasoning_format': 'none'}"))
                    .path("choices")
                    .path(0)
                    .path("message");
            assertThat(message.path("content").asString()).contains("<think>");
            assertThat(thinking.json(thinking.post("/v1/responses", "{'input': 'Is it?'}"))
                            .at("/usage/output_tokens_details/reasoning_tokens")
                            .asInt())
                    .isEqualTo(model.tokenizer().encode("hm", false, false).length);
        }
    }

    @Test
    void theTemplateIsAppliedAndCounted() throws IOException {
        String prompt = server.json(server.post("/apply-template", "{" + MESSAGES + "}")).path("prompt").asString();
        assertThat(prompt).isEqualTo("<|begin_of_text|>User: Tell me of a fox.<|eot_id|>Assistant: ");
        JsonNode count = server.json(server.post("/v1/chat/completions/input_tokens", "{" + MESSAGES + "}"));
        assertThat(count.path("input_tokens").asInt())
                .isEqualTo(server.model.chatPrompt(List.of(new ChatMessage("user", "Tell me of a fox."))).length);
        String begun = server.json(server.post(
                        "/apply-template",
                        "{'messages': [{'role': 'user', 'content': [{'type': 'text', 'text': 'Hi'}]},"
                                + " {'role': 'assistant', 'content': 'Well'}]}"))
                .path("prompt")
                .asString();
        assertThat(begun).as("an answer that is begun is gone on with").endsWith("Assistant: Well");
        JsonNode props = server.json(server.get("/props"));
        assertThat(props.path("chat_template").asString()).contains("add_generation_prompt");
        assertThat(props.path("chat_template_caps").path("supports_system_role").asBoolean()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "messages|{}",
                "messages|{'messages': []}",
                "messages[0].role|{'messages': [{'content': 'x'}]}",
                "messages[0].content|{'messages': [{'role': 'user', 'content': 7}]}",
                "messages[0].content[0]|{'messages': [{'role': 'user', 'content': [{'type': 'image_url'}]}]}",
                "tools[0].function.name|{'messages': [{'role': 'user', 'content': 'x'}], 'tools': [{'type': 'function'}]}",
                "tool_choice|{'messages': [{'role': 'user', 'content': 'x'}], 'tool_choice': 'required'}",
                "samplers[1]|{'messages': [{'role': 'user', 'content': 'x'}], 'samplers': ['top_k', 'none']}",
                "logit_bias[0]|{'messages': [{'role': 'user', 'content': 'x'}], 'logit_bias': [[1]]}",
                "logit_bias.99999|{'messages': [{'role': 'user', 'content': 'x'}], 'logit_bias': {'99999': 1}}",
            })
    void theFieldAtFaultIsNamed(String field, String body) throws IOException {
        JsonNode error = server.error(server.post("/v1/chat/completions", body), 400, "invalid_request_error");
        assertThat(error.path("message").asString()).startsWith(field);
        assertThat(error.path("param").asString()).isEqualTo(field);
    }

    @Test
    void biasesBanAndPrefer() throws IOException {
        String body = "{'prompt': 'A fox', 'n_predict': 1, 'temperature': 0, 'return_tokens': true";
        int first = server.json(server.post("/completion", body + "}")).path("tokens").path(0).asInt();
        int other = server.json(server.post("/completion", body + ", 'logit_bias': [[" + first + ", false]]}"))
                .path("tokens")
                .path(0)
                .asInt();
        assertThat(other).isNotEqualTo(first);
        for (String preferred : List.of("{'77': 1000}", "[[77, 1000]]")) {
            assertThat(server.json(server.post("/completion", body + ", 'logit_bias': " + preferred + "}"))
                            .path("tokens")
                            .path(0)
                            .asInt())
                    .isEqualTo(77);
        }
    }

    @Test
    void breakersOfRepetitionsAreFewAndShort() throws IOException {
        String many = "'x',".repeat(64) + "'x'";
        for (String breakers : List.of(many, "'" + "x".repeat(1025) + "'")) {
            String body = "{'prompt': 'A', 'dry_multiplier': 1, 'dry_sequence_breakers': [" + breakers + "]}";
            assertThat(server.error(server.post("/completion", body), 400, "invalid_request_error").toString())
                    .contains("DRY sequence breaker")
                    .contains("expected at most");
        }
    }

    @Test
    void settingsComeBackAsTheyWereSent() throws IOException {
        String settings = "'temperature': 0.5, 'dynatemp_range': 0.25, 'dynatemp_exponent': 2.0, 'top_k': 7,"
                + " 'top_p': 0.5, 'min_p': 0.125, 'typical_p': 0.75, 'top_n_sigma': 2.0, 'min_keep': 2,"
                + " 'repeat_last_n': 9, 'repeat_penalty': 1.5, 'presence_penalty': 0.5, 'frequency_penalty': 0.25,"
                + " 'dry_multiplier': 0.5, 'dry_base': 2.0, 'dry_allowed_length': 3, 'dry_penalty_last_n': 20,"
                + " 'dry_sequence_breakers': ['x'], 'xtc_probability': 0.5, 'xtc_threshold': 0.25, 'mirostat': 2,"
                + " 'mirostat_tau': 4.0, 'mirostat_eta': 0.5, 'seed': 42, 'ignore_eos': true, 'n_probs': 2,"
                + " 'samplers': ['top_k', 'temperature']";
        JsonNode sent = TestServer.parse(("{" + settings + "}").replace('\'', '"'));
        JsonNode used = server.json(server.post("/completion", "{'prompt': 'A', 'n_predict': 1, " + settings + "}"))
                .path("generation_settings");
        sent.properties().forEach(entry -> {
            JsonNode value = used.path(entry.getKey());
            if (entry.getValue().isNumber()) {
                assertThat(value.asDouble()).as(entry.getKey()).isEqualTo(entry.getValue().asDouble());
            } else {
                assertThat(value).as(entry.getKey()).isEqualTo(entry.getValue());
            }
        });
    }

    @Test
    void whatFailsInTheMidstOfAStreamIsSaidThere() throws IOException {
        try (TestServer failing = new TestServer(ServerOptions.builder()).serveScript()) {
            failing.script.say("Once", 2, StopReason.END_TOKEN);
            failing.script.fail(
                    new IllegalStateException("of the inside", new UnsupportedOperationException("of the request")));
            HttpResponse<String> whole = failing.post("/v1/chat/completions", "{" + MESSAGES + "}");
            failing.error(whole, 500, "server_error");
            assertThat(whole.body()).doesNotContain("of the inside");
            HttpResponse<String> stream = failing.post("/v1/chat/completions", "{" + MESSAGES + ", 'stream': true}");
            List<JsonNode> parts = failing.parts(stream);
            assertThat(parts.getLast().path("error").path("type").asString()).isEqualTo("server_error");
            assertThat(failing.log)
                    .anyMatch(line -> line.contains("level=error") && line.contains("IllegalStateException"))
                    .anyMatch(line -> line.contains("caused by java.lang.UnsupportedOperationException"))
                    .noneMatch(line -> line.contains("of the"));
        }
    }
}
