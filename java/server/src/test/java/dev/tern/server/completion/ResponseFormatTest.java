package dev.tern.server.completion;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.Model;
import dev.tern.grammar.Grammar;
import dev.tern.server.ServerOptions;
import dev.tern.server.TestServer;
import dev.tern.server.TinyModel;
import dev.tern.server.json.Json;
import dev.tern.server.served.Grammars;
import dev.tern.template.NamedTemplate;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Answers that must follow something, by a model that knows fables alone. */
class ResponseFormatTest {
    private static final String MESSAGES = "'messages': [{'role': 'user', 'content': 'Tell me.'}], 'seed': 3";
    private static final String SCHEMA = "{'type': 'object', 'properties': {'animal': {'enum': ['fox', 'lion']},"
            + " 'age': {'type': 'integer', 'minimum': 0, 'maximum': 99}}, 'required': ['animal', 'age'],"
            + " 'additionalProperties': false}";
    private static final String TOOLS = "'tools': [{'type': 'function', 'function': {'name': 'find', 'parameters':"
            + " {'type': 'object', 'properties': {'animal': {'$ref': '#/$defs/animal'}}, 'required': ['animal'],"
            + " 'additionalProperties': false, '$defs': {'animal': {'enum': ['fox', 'lion']}}}}},"
            + " {'type': 'function', 'function': {'name': 'count', 'parameters': {'type': 'object', 'properties':"
            + " {'upTo': {'type': 'integer', 'maximum': 9, 'minimum': 0}}, 'required': ['upTo'],"
            + " 'additionalProperties': false}}}]";

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.ready();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static void requireAnimal(JsonNode value) {
        assertThat(value.propertyNames()).containsExactly("animal", "age");
        assertThat(value.path("animal").asString()).isIn("fox", "lion");
        assertThat(value.path("age").asInt(-1)).isBetween(0, 99);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'response_format': {'type': 'json_schema', 'json_schema': {'name': 'a', 'strict': true, 'schema': SCHEMA}}",
                "'response_format': {'type': 'json_schema', 'schema': SCHEMA}",
                "'response_format': {'type': 'json_object', 'schema': SCHEMA}",
                "'json_schema': SCHEMA",
            })
    void chatsFollowASchema(String format) throws IOException {
        JsonNode answer = server.json(
                server.post("/v1/chat/completions", "{" + MESSAGES + ", " + format.replace("SCHEMA", SCHEMA) + "}"));
        JsonNode choice = answer.path("choices").path(0);
        assertThat(choice.path("finish_reason").asString()).isEqualTo("stop");
        requireAnimal(TestServer.parse(choice.path("message").path("content").asString()));
    }

    @Test
    void textsFollowASchemaOrAGrammar() throws IOException {
        String schema = server.json(
                        server.post("/completion", "{'prompt': 'A', 'seed': 1, 'json_schema': " + SCHEMA + "}"))
                .path("content")
                .asString();
        requireAnimal(TestServer.parse(schema));
        String body = Json.text(Json.object()
                .put("prompt", "A")
                .put("grammar", "root ::= \"a\" [0-9]{3} \"z\"")
                .put("seed", 1));
        String grammar = server.json(server.send("POST", "/v1/completions", body))
                .path("choices")
                .path(0)
                .path("text")
                .asString();
        assertThat(grammar).matches("a\\d{3}z");
    }

    @Test
    void whatMustBeCalledIsCalled() throws IOException {
        for (NamedTemplate template : List.of(NamedTemplate.QWEN, NamedTemplate.LLAMA3, NamedTemplate.MISTRAL)) {
            try (Model model = TinyModel.model(template);
                    TestServer other = new TestServer(ServerOptions.builder(), 16, model).serve()) {
                for (String choice : List.of("'required'", "{'type': 'function', 'function': {'name': 'count'}}")) {
                    JsonNode answer = other.json(other.post(
                                    "/v1/chat/completions",
                                    "{" + MESSAGES + ", " + TOOLS + ", 'max_tokens': 200, 'parallel_tool_calls': false,"
                                            + " 'tool_choice': " + choice + "}"))
                            .path("choices")
                            .path(0);
                    JsonNode calls = answer.path("message").path("tool_calls");
                    assertThat(calls.size()).as(template + " " + answer).isEqualTo(1);
                    assertThat(answer.path("finish_reason").asString()).isEqualTo("tool_calls");
                    requireCall(calls.path(0).path("function"), choice.contains("count"));
                }
            }
        }
    }

    private static void requireCall(JsonNode function, boolean count) {
        String name = function.path("name").asString();
        JsonNode arguments = TestServer.parse(function.path("arguments").asString());
        assertThat(count).isIn(name.equals("count"), false);
        if (name.equals("count")) {
            assertThat(arguments.path("upTo").asInt(-1)).isBetween(0, 9);
        } else {
            assertThat(name).isEqualTo("find");
            assertThat(arguments.path("animal").asString()).isIn("fox", "lion");
        }
    }

    @Test
    void anAnswerMayBeACallOrTheFormat() throws IOException {
        JsonNode message = server.json(server.post(
                        "/v1/chat/completions",
                        "{" + MESSAGES + ", " + TOOLS + ", 'max_tokens': 300, 'json_schema': " + SCHEMA + "}"))
                .path("choices")
                .path(0)
                .path("message");
        if (message.path("tool_calls").isEmpty()) {
            requireAnimal(TestServer.parse(message.path("content").asString()));
        } else {
            requireCall(message.path("tool_calls").path(0).path("function"), false);
        }
    }

    @Test
    void aToolsSchemaThatCannotBeHeldToIsLeftOpenUnlessItIsStrict() throws IOException {
        String tool = "'tools': [{'type': 'function', 'function': {'name': 'f', 'strict': STRICT, 'parameters':"
                + " {'type': 'object', 'properties': {'x': {'not': {}}}}}}]";
        String body = "{" + MESSAGES + ", 'max_tokens': 300, 'tool_choice': 'required', 'parallel_tool_calls': false, ";
        try (Model model = TinyModel.model(NamedTemplate.QWEN);
                TestServer other = new TestServer(ServerOptions.builder(), 16, model).serve()) {
            JsonNode function = other.json(
                            other.post("/v1/chat/completions", body + tool.replace("STRICT", "false") + "}"))
                    .at("/choices/0/message/tool_calls/0/function");
            assertThat(function.path("name").asString()).isEqualTo("f");
            assertThat(TestServer.parse(function.path("arguments").asString()).isObject()).isTrue();
        }
        JsonNode error = server.error(
                server.post("/v1/chat/completions", body + tool.replace("STRICT", "true") + "}"),
                400,
                "invalid_request_error");
        assertThat(error.path("message").asString()).contains("not");
    }

    @Test
    void oneStrictToolMakesNoOtherStrict() throws IOException {
        String tool = "{'type': 'function', 'function': {'name': 'NAME', 'strict': STRICT, 'parameters': PARAMETERS}}";
        String good = "{'type': 'object', 'properties': {'x': {'type': 'integer'}}, 'required': ['x'],"
                + " 'additionalProperties': false}";
        String bad = "{'type': 'object', 'properties': {'x': {'not': {}}}}";
        String strict = tool.replace("NAME", "strict").replace("STRICT", "true").replace("PARAMETERS", good);
        String loose = tool.replace("NAME", "loose").replace("STRICT", "false").replace("PARAMETERS", bad);
        String body = "{" + MESSAGES + ", 'max_tokens': 4, 'tool_choice': 'required', 'tools': [";
        for (NamedTemplate template : List.of(NamedTemplate.QWEN, NamedTemplate.MISTRAL)) {
            try (Model model = TinyModel.model(template);
                    TestServer other = new TestServer(ServerOptions.builder(), 16, model).serve()) {
                String path = "/v1/chat/completions";
                other.json(other.post(path, body + strict + ", " + loose + "]}"));
                JsonNode error = other.error(
                        other.post(path, body + strict.replace(good, bad) + ", " + loose + "]}"),
                        400,
                        "invalid_request_error");
                assertThat(error.path("message").asString()).contains("not");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'response_format': {'type': 'xml'}",
                "'response_format': {'type': 'json_schema'}",
                "'json_schema': 7",
                "'json_schema': {'not': {}}",
                "'grammar': 'root ::= ('",
                "'grammar': 'root ::= [a-z]', 'json_schema': {}",
            })
    void whatCannotBeFollowedIsSaid(String format) throws IOException {
        server.error(
                server.post("/v1/chat/completions", "{" + MESSAGES + ", " + format + "}"), 400, "invalid_request_error");
    }

    @Test
    void grammarsAreKeptForTheNextRequest() {
        Grammars grammars = new Grammars(server.model::tokenizer);
        int[] made = {0};
        for (int i = 0; i < 3; i++) {
            grammars.constraint("key", () -> {
                made[0]++;
                return Grammar.json();
            });
        }
        assertThat(made[0]).isEqualTo(1);
    }
}
