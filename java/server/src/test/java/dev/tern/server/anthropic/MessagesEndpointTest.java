package dev.tern.server.anthropic;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.StopReason;
import dev.tern.server.ServerOptions;
import dev.tern.server.TestServer;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Anthropic's Messages and OpenAI's Responses, which become chats. */
class MessagesEndpointTest {
    private static final String CALL =
            "I look.<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Ulm\"}}\n</tool_call>";
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = new TestServer(ServerOptions.builder().alias("tiny").apiKeys(List.of("key"))).serveScript();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static HttpResponse<String> post(String path, String body) throws IOException {
        return server.post(path, body, "x-api-key", "key");
    }

    /** The text of the prompt that was asked last. */
    private static String prompt() {
        return server.model.tokenizer().decode(server.script.requests.getLast().prompt(), false);
    }

    @Test
    void aMessageIsAnswered() throws IOException {
        server.script.say("Yes, it is.", 2, StopReason.END_TOKEN);
        JsonNode answer = server.json(post(
                "/v1/messages",
                "{'model': 'm', 'max_tokens': 50, 'system': [{'type': 'text', 'text': 'Be short.'}], 'stop_sequences':"
                        + " ['END'], 'messages': [{'role': 'user', 'content': 'Is it?'}]}"));
        assertThat(answer.path("id").asString()).startsWith("msg_");
        assertThat(answer.path("type").asString()).isEqualTo("message");
        assertThat(answer.path("role").asString()).isEqualTo("assistant");
        assertThat(answer.path("content")).isEqualTo(TestServer.parse("[{\"type\":\"text\",\"text\":\"Yes, it is.\"}]"));
        assertThat(answer.path("stop_reason").asString()).isEqualTo("end_turn");
        assertThat(answer.path("stop_sequence").isNull()).isTrue();
        assertThat(answer.path("usage").path("output_tokens").asInt()).isEqualTo(6);
        assertThat(answer.path("usage").path("cache_read_input_tokens").asInt()).isEqualTo(2);
        assertThat(prompt()).contains("System: Be short.").contains("User: Is it?");
        assertThat(server.script.requests.getLast().options().maxTokens()).isEqualTo(50);
        assertThat(server.script.requests.getLast().options().stop()).contains("END");
    }

    @Test
    void callsOfToolsGoBothWays() throws IOException {
        server.script.say(CALL, 5, StopReason.END_TOKEN);
        String body = "{'max_tokens': 50, 'tools': [{'name': 'weather', 'description': 'Tells the weather.',"
                + " 'input_schema': {'type': 'object'}}], 'tool_choice': {'type': 'auto'}, 'messages': [{'role': 'user',"
                + " 'content': 'Weather?'}, {'role': 'assistant', 'content': [{'type': 'tool_use', 'id': 'abc123def',"
                + " 'name': 'weather', 'input': {'city': 'Bonn'}}]}, {'role': 'user', 'content': [{'type':"
                + " 'tool_result', 'tool_use_id': 'abc123def', 'content': 'rain'}, {'type': 'text', 'text': 'And Ulm?'}]}]";
        JsonNode answer = server.json(post("/v1/messages", body + "}"));
        assertThat(answer.path("stop_reason").asString()).isEqualTo("tool_use");
        JsonNode use = answer.path("content").path(1);
        assertThat(use.path("type").asString()).isEqualTo("tool_use");
        assertThat(use.path("name").asString()).isEqualTo("weather");
        assertThat(use.path("input").path("city").asString()).isEqualTo("Ulm");
        assertThat(prompt()).contains("Tells the weather.").contains("Bonn").contains("rain").contains("And Ulm?");

        List<JsonNode> parts = server.parts(post("/v1/messages", body + ", 'stream': true}"));
        assertThat(parts.stream().map(part -> part.path("type").asString()).distinct())
                .containsExactly(
                        "message_start", "content_block_start", "content_block_delta", "content_block_stop",
                        "message_delta", "message_stop");
        assertThat(parts.stream()
                        .map(part -> part.path("delta").path("partial_json").asString(""))
                        .collect(Collectors.joining()))
                .isEqualTo("{\"city\": \"Ulm\"}");
        assertThat(parts.stream().map(part -> part.path("delta").path("text").asString("")).collect(Collectors.joining()))
                .isEqualTo("I look.");
        assertThat(parts.stream()
                        .filter(part -> part.path("type").asString().equals("content_block_start"))
                        .map(part -> part.path("index").asInt() + " " + part.path("content_block").path("type").asString()))
                .containsExactly("0 text", "1 tool_use");
        assertThat(parts.get(parts.size() - 2).path("delta").path("stop_reason").asString()).isEqualTo("tool_use");
    }

    @Test
    void argumentsOfCallsAreTheModelsOwn() throws IOException {
        String deep = "[".repeat(240) + "]".repeat(240);
        for (String arguments : List.of("{\"a\": 1, \"a\": 2}", "{\"a\": " + deep + "}")) {
            server.script.say(CALL.replace("{\"city\": \"Ulm\"}", arguments), 50, StopReason.END_TOKEN);
            HttpResponse<String> response = post(
                    "/v1/messages",
                    "{'max_tokens': 50, 'tools': [{'name': 'weather', 'input_schema': {'type': 'object'}}], 'messages':"
                            + " [{'role': 'user', 'content': 'Weather?'}]}");
            assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
            assertThat(response.body()).contains("\"input\":" + arguments);
        }
    }

    @Test
    void anAnswerIsOneMessage() throws IOException {
        server.script.say("Yes.", 2, StopReason.END_TOKEN);
        List<JsonNode> parts = server.parts(post(
                "/v1/messages",
                "{'max_tokens': 5, 'n': 2, 'stream': true, 'messages': [{'role': 'user', 'content': 'Is it?'}]}"));
        assertThat(parts.stream().filter(part -> part.path("type").asString().equals("message_start"))).hasSize(1);
    }

    @Test
    void eventsHaveNames() throws IOException {
        server.script.say("Yes.", 2, StopReason.MAX_TOKENS);
        HttpResponse<String> response = post(
                "/v1/messages", "{'max_tokens': 5, 'stream': true, 'messages': [{'role': 'user', 'content': 'Is it?'}]}");
        assertThat(server.parts(response).get(server.parts(response).size() - 2).path("delta").path("stop_reason").asString())
                .isEqualTo("max_tokens");
        for (String event : response.body().split("\n\n")) {
            String name = event.substring("event: ".length(), event.indexOf('\n'));
            assertThat(event).contains("data: {\"type\":\"" + name + "\"");
        }
    }

    @Test
    void tokensAreCountedAndErrorsLookLikeAnthropics() throws IOException {
        String body = "{'messages': [{'role': 'user', 'content': 'Is it?'}]}";
        assertThat(server.json(post("/v1/messages/count_tokens", body)).path("input_tokens").asInt()).isPositive();
        JsonNode error = TestServer.parse(server.post("/v1/messages", body).body());
        assertThat(error.path("type").asString()).isEqualTo("error");
        assertThat(error.path("error").path("type").asString()).isEqualTo("authentication_error");
        HttpResponse<String> bad = post("/v1/messages", "{'messages': [{'role': 'user', 'content': [{'type': 'image'}]}]}");
        assertThat(bad.statusCode()).isEqualTo(501);
        assertThat(TestServer.parse(bad.body()).path("error").path("message").asString())
                .startsWith("messages[0].content[0].type");
        bad = post("/v1/messages", "{'messages': [{'role': 'user'}], 'max_tokens': 0}");
        assertThat(TestServer.parse(bad.body()).path("error").path("type").asString()).isEqualTo("invalid_request_error");
    }

    @Test
    void responsesAreAnswered() throws IOException {
        server.script.say(CALL, 4, StopReason.END_TOKEN);
        String body = "{'instructions': 'Be short.', 'max_output_tokens': 9, 'tools': [{'type': 'function', 'name':"
                + " 'weather', 'parameters': {'type': 'object'}}], 'input': [{'role': 'user', 'content': [{'type':"
                + " 'input_text', 'text': 'Weather?'}]}, {'type': 'function_call', 'call_id': 'abc123def', 'name':"
                + " 'weather', 'arguments': '{}'}, {'type': 'function_call_output', 'call_id': 'abc123def', 'output':"
                + " 'rain'}]";
        JsonNode response = server.json(post("/v1/responses", body + "}"));
        assertThat(response.path("object").asString()).isEqualTo("response");
        assertThat(response.path("status").asString()).isEqualTo("completed");
        JsonNode output = response.path("output");
        assertThat(output.path(0).path("content").path(0).path("text").asString()).isEqualTo("I look.");
        assertThat(output.path(1).path("type").asString()).isEqualTo("function_call");
        assertThat(output.path(1).path("arguments").asString()).isEqualTo("{\"city\": \"Ulm\"}");
        assertThat(response.path("usage").path("total_tokens").asInt())
                .isEqualTo(response.path("usage").path("input_tokens").asInt()
                        + response.path("usage").path("output_tokens").asInt());
        assertThat(prompt()).contains("Be short.").contains("rain");
        assertThat(server.script.requests.getLast().options().maxTokens()).isEqualTo(9);

        List<JsonNode> parts = server.parts(post("/v1/responses", body + ", 'stream': true}"));
        for (int i = 0; i < parts.size(); i++) {
            assertThat(parts.get(i).path("sequence_number").asInt()).isEqualTo(i);
        }
        assertThat(parts.stream().map(part -> part.path("type").asString()).distinct())
                .containsExactly(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.content_part.added",
                        "response.output_text.delta",
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.function_call_arguments.delta",
                        "response.function_call_arguments.done",
                        "response.completed");
        JsonNode completed = parts.getLast().path("response");
        assertThat(completed.path("output").path(0).path("content").path(0).path("text").asString())
                .isEqualTo("I look.");
        assertThat(completed.path("output").path(1).path("arguments").asString()).isEqualTo("{\"city\": \"Ulm\"}");
    }

    @Test
    void whatResponsesWouldHaveToKeepIsRefused() throws IOException {
        server.error(
                post("/v1/responses", "{'input': 'x', 'previous_response_id': 'resp_1'}"), 501, "not_supported_error");
        server.error(post("/v1/responses", "{}"), 400, "invalid_request_error");
        assertThat(server.json(post("/v1/responses/input_tokens", "{'input': 'Is it?'}"))
                        .path("input_tokens")
                        .asInt())
                .isPositive();
        assertThat(server.json(post("/v1/responses", "{'input': 'Is it?'}"))
                        .at("/usage/output_tokens_details/reasoning_tokens")
                        .asInt(-1))
                .isZero();
        server.script.say("Yes", 1, StopReason.MAX_TOKENS);
        JsonNode response = server.json(post("/v1/responses", "{'input': 'Is it?'}"));
        assertThat(response.path("status").asString()).isEqualTo("incomplete");
        assertThat(response.path("incomplete_details").path("reason").asString()).isEqualTo("max_output_tokens");
    }
}
