package dev.tern.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import dev.tern.template.ChatMessage;
import dev.tern.template.ChatRequest;
import dev.tern.template.ChatTemplate;
import dev.tern.template.NamedTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Conversations with tools, to prompts and back. */
class ChatFormatTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Map<String, String> SPECIAL = Map.of("bos_token", "<s>", "eos_token", "</s>");
    private static final Path TEMPLATES = Path.of(System.getProperty("tern.testdata")).resolve("templates");
    private static final ToolChoice AUTO = new ToolChoice.Auto();

    private static ChatFormat format(String name) throws IOException {
        return ChatFormat.of(
                name.endsWith(".jinja") ? ChatTemplate.parse(Files.readString(TEMPLATES.resolve(name))) : NamedTemplate.read(name), SPECIAL);
    }

    private static final String TOOLS = """
            [{"type": "function", "function": {"name": "weather", "description": "Tells it.", "parameters":
               {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}},
             {"type": "function", "function": {"name": "time", "parameters": {"type": "object", "properties": {}}}}]""";

    private static ChatRequest request(String messages) {
        ObjectNode body = JSON.createObjectNode();
        body.set("messages", JSON.readTree(messages));
        body.set("tools", JSON.readTree(TOOLS));
        return ChatRequest.read(body);
    }

    /** What an assistant says and calls, rendered by the template and read from the assistant's part, is the same again. */
    @ParameterizedTest
    @ValueSource(strings = {"bitnet", "chatml", "deepseek", "falcon3", "gemma", "llama2", "llama3", "mistral", "phi3", "qwen", "vicuna", "zephyr",
        "qwen3.jinja", "falcon3.jinja", "mistral.jinja", "llama3.jinja", "chatml.jinja", "bitnet.jinja"})
    void callsSurviveTheWayThroughTheTemplate(String name) throws IOException {
        ChatFormat format = format(name);
        String[] arguments = {"{\"city\": \"Köln \\\"am\\\" Rhein\\n</tool>\", \"deep\": {\"a\": [1, 2.5, null, true]}}", "{}"};
        for (String content : new String[] {"", "I look it up."}) {
            for (int count = 1; count <= (format.capabilities().toolCalls() && !format.capabilities().parallelToolCalls() ? 1 : 2); count++) {
                ObjectNode assistant = JSON.createObjectNode().put("role", "assistant").put("content", content);
                ArrayNode calls = assistant.putArray("tool_calls");
                for (int i = 0; i < count; i++) {
                    calls.addObject().put("id", "call_of_any_length_" + i).put("type", "function").putObject("function")
                            .put("name", i == 0 ? "weather" : "time").put("arguments", arguments[i]);
                }
                List<ChatMessage> messages = List.of(new ChatMessage("user", "Weather?"), ChatMessage.of(assistant));
                ChatRequest request = request("[{\"role\": \"user\", \"content\": \"Weather?\"}]");
                String before = format.prompt(request);
                String with = format.prompt(request.withMessages(messages).withGenerationPrompt(false));
                String open = format.prompt(request.withGenerationPrompt(false));
                String written = with.substring(with.startsWith(before) ? before.length() : open.length());
                int end = written.lastIndexOf(format.capabilities().endOfTurn());
                written = end > 0 ? written.substring(0, end) : written;
                AnswerReader reader = format.reader(request, AUTO, before, true);
                reader.accept(written);
                reader.finish();
                Answer answer = reader.answer();
                assertThat(answer.calls()).as("%s in %s", answer, written).hasSize(count);
                for (int i = 0; i < count; i++) {
                    assertThat(answer.calls().get(i).name()).isEqualTo(i == 0 ? "weather" : "time");
                    assertThat(JSON.readTree(answer.calls().get(i).arguments())).isEqualTo(JSON.readTree(arguments[i]));
                }
                boolean shows = with.contains("I look it up.");
                assertThat(answer.content().strip()).isEqualTo(shows ? content : "");
            }
        }
    }

    @Test
    void toolsAreToldInWordsWhereTheTemplateKnowsNone() throws IOException {
        ChatFormat format = format("bitnet");
        assertThat(format.syntax()).isEqualTo(ToolSyntax.GENERIC);
        String prompt = format.prompt(request("""
                [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Weather?"},
                 {"role": "assistant", "content": null, "tool_calls": [
                   {"id": "1", "function": {"name": "weather", "arguments": "{\\"city\\": \\"Bonn\\"}"}},
                   {"id": "2", "function": {"name": "time", "arguments": {"a": 1}}}]},
                 {"role": "tool", "tool_call_id": "1", "content": "rain"}, {"role": "tool", "tool_call_id": "2", "content": "noon"}]"""));
        assertThat(prompt)
                .startsWith("<s>System: Be kind.\n\nYou can call functions.")
                .contains("\n<tools>\n{\"name\": \"weather\", \"description\": \"Tells it.\", \"parameters\": {\"type\": \"object\", ")
                .endsWith("""
                        </tools><|eot_id|>User: Weather?<|eot_id|>Assistant: <tool_call>
                        {"name": "weather", "arguments": {"city": "Bonn"}}
                        </tool_call>
                        <tool_call>
                        {"name": "time", "arguments": {"a": 1}}
                        </tool_call><|eot_id|>User: <tool_response>
                        weather: rain
                        </tool_response>
                        <tool_response>
                        time: noon
                        </tool_response><|eot_id|>Assistant:\s""");
        assertThat(format.prompt(request("[{\"role\": \"user\", \"content\": \"Hi\"}]"), new ToolChoice.None()))
                .isEqualTo("<s>User: Hi<|eot_id|>Assistant: ");
    }

    @Test
    void theSystemSpeaksThroughTheUserWhereTheTemplateRefusesIt() {
        ChatFormat format = ChatFormat.of(
                ChatTemplate.parse("{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
                        + "[{{ m.role }}:{{ m.content }}]{% endfor %}"),
                SPECIAL);
        assertThat(format.prompt(ChatRequest.of(List.of(new ChatMessage("developer", "S"), new ChatMessage("user", "U")))))
                .isEqualTo("[user:S\n\nU]");
        assertThat(format.prompt(ChatRequest.of(List.of(new ChatMessage("system", "S"))))).isEqualTo("[user:S]");
    }

    /** A user who quotes what the system says does not make a template say it. */
    @Test
    void theSystemIsHeardThoughTheUserQuotesIt() {
        ChatFormat format = ChatFormat.of(
                ChatTemplate.parse("{% for m in messages %}{% if m.role != 'system' %}"
                        + "[{{ m.role }}:{{ m.content }}]{% endif %}{% endfor %}"),
                SPECIAL);
        assertThat(format.prompt(ChatRequest.of(List.of(
                        new ChatMessage("system", "Be kind."), new ChatMessage("user", "Why \"Be kind.\"?")))))
                .isEqualTo("[user:Be kind.\n\nWhy \"Be kind.\"?]");
        assertThat(format.prompt(ChatRequest.of(
                        List.of(new ChatMessage("system", "user"), new ChatMessage("user", "U")))))
                .isEqualTo("[user:user\n\nU]");
    }

    @Test
    void argumentsThatAreNullAreNone() throws IOException {
        assertThat(format("bitnet").prompt(request("""
                [{"role": "user", "content": "?"}, {"role": "assistant", "content": null, "tool_calls": [
                   {"id": "1", "function": {"name": "time", "arguments": null}}]}]""")))
                .contains("{\"name\": \"time\", \"arguments\": {}}");
    }

    @Test
    void severalCallsAreOneEachWhereTheTemplateTakesOne() throws IOException {
        String prompt = format("llama3").prompt(request("""
                [{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": [
                   {"id": "a", "function": {"name": "weather", "arguments": "{\\"city\\":\\"Bonn\\"}"}},
                   {"id": "b", "function": {"name": "time", "arguments": ""}}]},
                 {"role": "tool", "tool_call_id": "b", "content": "noon"}, {"role": "tool", "tool_call_id": "a", "content": "rain"}]"""));
        assertThat(prompt.substring(prompt.indexOf("?<|eot_id|>")).replaceAll("<\\|start_header_id\\|>|<\\|end_header_id\\|>\n\n", "|"))
                .isEqualTo("?<|eot_id|>|assistant|{\"name\": \"weather\", \"parameters\": {\"city\": \"Bonn\"}}<|eot_id|>|ipython|rain<|eot_id|>"
                        + "|assistant|{\"name\": \"time\", \"parameters\": {}}<|eot_id|>|ipython|noon<|eot_id|>|assistant|");
    }

    @Test
    void idsAreShortWhereTheTemplateWantsThem() throws IOException {
        ChatFormat format = format("mistral");
        String prompt = format.prompt(request("""
                [{"role": "user", "content": "?"}, {"role": "assistant", "content": "", "tool_calls": [
                   {"id": "call_0123456789", "function": {"name": "time", "arguments": "{}"}}]},
                 {"role": "tool", "tool_call_id": "call_0123456789", "content": "noon"}]"""));
        String id = prompt.replaceAll("(?s).*\"id\": \"(.*?)\".*", "$1");
        assertThat(id).matches("[a-zA-Z0-9]{9}");
        assertThat(prompt).contains("\"call_id\": \"" + id + "\"");
    }

    @Test
    void aSyntaxThatNobodyCanReadIsNotUsed() {
        ChatFormat format = ChatFormat.of(
                ChatTemplate.parse("{% for t in tools or [] %}{{ t.function.name }};{% endfor %}{% for m in messages %}[{{ m.role }}:{{ m.content }}"
                        + "{% for c in m.tool_calls or [] %}!{{ c.function.name }}({{ c.function.arguments | tojson }}){% endfor %}]{% endfor %}"),
                SPECIAL);
        assertThat(format.capabilities().nativeTools()).isTrue();
        assertThat(format.syntax()).isEqualTo(ToolSyntax.GENERIC);
        assertThat(format.prompt(request("[{\"role\": \"user\", \"content\": \"U\"}]"))).startsWith("[system:You can call functions.");
    }

    /** Requests with values cut out, doubled and replaced: a prompt or a refusal, never another exception. */
    @Test
    void damagedRequestsAreRefusedInWords() throws IOException {
        String whole = """
                {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": [{"type": "text", "text": "T"}]},
                  {"role": "assistant", "content": null, "reasoning_content": "R", "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "time", "arguments": "{\\"a\\": [1, {\\"b\\": null}]}"}}]},
                  {"role": "tool", "tool_call_id": "a", "name": "time", "content": "noon"}],
                 "tools": %s, "tool_choice": {"type": "function", "function": {"name": "time"}}, "documents": [{"title": "D"}],
                 "chat_template_kwargs": {"enable_thinking": true}, "add_generation_prompt": true, "continue_final_message": false}"""
                .formatted(TOOLS);
        List<ChatFormat> formats = new ArrayList<>();
        for (String name : List.of("bitnet", "llama3", "mistral", "qwen", "deepseek", "gemma", "qwen3.jinja", "macros.jinja")) {
            formats.add(format(name));
        }
        String[] values = {"null", "1", "true", "\"\"", "[]", "{}", "[1]", "{\"a\": 1}", "\"x\"", "-1e9", "12345678901234567890", "\"\\ud800\""};
        SplittableRandom random = new SplittableRandom(3);
        int prompts = 0;
        int refused = 0;
        for (int run = 0; run < 4000; run++) {
            JsonNode body = JSON.readTree(whole);
            for (int edits = 1 + random.nextInt(3); edits > 0; edits--) {
                JsonNode at = body;
                while (true) {
                    int child = at.isEmpty() ? 0 : random.nextInt(at.size());
                    JsonNode next = at.isArray() ? at.path(child) : at.path(at.propertyNames().stream().skip(child).findFirst().orElse(""));
                    if (!next.isContainer() || next.isEmpty() || random.nextInt(3) == 0) {
                        JsonNode value = JSON.readTree(values[random.nextInt(values.length)]);
                        if (at instanceof ObjectNode object && !object.isEmpty()) {
                            String key = object.propertyNames().stream().skip(child).findFirst().orElseThrow();
                            if (random.nextInt(4) == 0) {
                                object.remove(key);
                            } else {
                                object.set(key, value);
                            }
                        } else if (at instanceof ArrayNode array && !array.isEmpty()) {
                            array.set(child, random.nextInt(4) == 0 ? array.get(random.nextInt(array.size())).deepCopy() : value);
                        }
                        break;
                    }
                    at = next;
                }
            }
            try {
                ChatRequest request = ChatRequest.read(body);
                ToolChoice choice = ToolChoice.read(body, request.tools());
                ChatFormat format = formats.get(run % formats.size());
                String prompt = format.prompt(request, choice);
                format.rule(request, choice, prompt, true);
                prompts++;
            } catch (InputException e) {
                assertThat(e.getMessage()).isNotBlank();
                refused++;
            }
        }
        assertThat(prompts).isGreaterThan(300);
        assertThat(refused).isGreaterThan(300);
    }

    @Test
    void whereThereAreNoToolsATemplateMayWantAnEmptyListOfThem() {
        ChatFormat format = ChatFormat.of(
                ChatTemplate.parse("{% for t in tools %}{{ t.function.name }};{% endfor %}{% for m in messages %}[{{ m.role }}:{{ m.content }}]{% endfor %}"),
                SPECIAL);
        assertThat(format.capabilities().emptyTools()).isTrue();
        assertThat(format.prompt(ChatRequest.of(List.of(new ChatMessage("user", "U"))))).isEqualTo("[user:U]");
    }

    @Test
    void callsStandApartWhereTheTemplateShowsThemWithoutContentOnly() {
        ChatFormat format = ChatFormat.of(
                ChatTemplate.parse("{% for t in tools or [] %}{{ t.function.name }};{% endfor %}"
                        + "{% for m in messages %}{% if m.content is none %}<tool_call>{% for c in m.tool_calls %}{{ c.function | tojson }}{% endfor %}</tool_call>"
                        + "{% else %}[{{ m.role }}:{{ m.content }}]{% endif %}{% endfor %}"),
                SPECIAL);
        assertThat(format.capabilities().callsWithoutContent()).isTrue();
        assertThat(format.prompt(request("""
                [{"role": "user", "content": "?"}, {"role": "assistant", "content": "I look.", "tool_calls": [
                   {"id": "a", "function": {"name": "time", "arguments": "{\\"a\\": 1}"}}]}, {"role": "tool", "tool_call_id": "a", "content": "noon"}]""")))
                .isEqualTo("weather;time;[user:?][assistant:I look.]<tool_call>{\"name\": \"time\", \"arguments\": {\"a\": 1}}</tool_call>[tool:noon]");
    }

    @Test
    void contentIsGivenAsTheTemplateTakesIt() throws IOException {
        ChatFormat parts = ChatFormat.of(
                ChatTemplate.parse("{% for m in messages %}{% for p in m.content %}<{{ p.text }}>{% endfor %}{% endfor %}"), SPECIAL);
        assertThat(parts.prompt(ChatRequest.of(List.of(new ChatMessage("user", "a"))))).isEqualTo("<a>");
        String two = "[{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"a\"}, {\"type\": \"text\", \"text\": \"b\"}]}]";
        assertThat(parts.prompt(request(two), new ToolChoice.None())).isEqualTo("<a><b>");
        assertThat(format("chatml").prompt(request(two), new ToolChoice.None())).startsWith("<|im_start|>user\na\nb<|im_end|>");
    }

    @Test
    void anAnswerBeginsWithinReasoningWhereThePromptDoes() throws IOException {
        ChatFormat format = format("deepseek");
        ChatRequest request = request("[{\"role\": \"user\", \"content\": \"?\"}]").withVariable("enable_thinking", true);
        String prompt = format.prompt(request);
        assertThat(prompt).endsWith("<think>\n");
        AnswerReader reader = format.reader(request, AUTO, prompt, true);
        reader.accept("Hm.</think>Yes.");
        reader.finish();
        assertThat(reader.answer()).isEqualTo(new Answer("Yes.", "Hm.", List.of()));
        assertThat(format.rule(request, new ToolChoice.Required(), prompt, true).orElseThrow().behind()).isEqualTo("</think>");
    }

    @Test
    void generatedIdsAreNineLettersAndDigits() throws IOException {
        AnswerReader reader = format("qwen").reader(request("[{\"role\": \"user\", \"content\": \"?\"}]"), AUTO, "", true);
        reader.accept("<tool_call>{\"name\": \"time\"}</tool_call>".repeat(50));
        assertThat(reader.answer().calls()).hasSize(50).extracting(ToolCall::id).doesNotHaveDuplicates().allMatch(id -> id.matches("[a-zA-Z0-9]{9}"));
    }

    /** The smallest text that the rule allows is a call; of arrays, one with the one element. */
    @ParameterizedTest
    @CsvSource(textBlock = """
            qwen,     hermes,   true,  '<tool_call>'
            llama3,   llama3,   false, '<|python_tag|>'
            mistral,  mistral,  false, '[TOOL_CALLS]'
            deepseek, deepseek, true,  '<｜tool▁calls▁begin｜>'
            bitnet,   generic,  true,  '<tool_call>'
            """)
    void whatTheRuleAllowsIsReadAsACall(String name, String syntax, boolean repeats, String trigger) throws IOException {
        ChatFormat format = format(name);
        ChatRequest request = request("[{\"role\": \"user\", \"content\": \"?\"}]");
        assertThat(format.syntax().name()).isEqualTo(syntax);
        ToolCallRule lazy = format.rule(request, AUTO, "", true).orElseThrow();
        assertThat(lazy.lazy()).isTrue();
        assertThat(lazy.triggers()).containsExactly(trigger);
        assertThat(format.rule(request, new ToolChoice.None(), "", true)).isEmpty();
        ToolCallRule named = format.rule(request, new ToolChoice.Named("time"), "", false).orElseThrow();
        assertThat(named.repeats()).isFalse();
        assertThat(named.alternatives()).hasSize(1);
        AnswerReader triggered = format.reader(request, AUTO, "", true);
        ToolCallRule.Alternative first = lazy.alternatives().getFirst();
        triggered.accept("I look. " + trigger + lazy.begin() + first.prefix() + smallest(first.schema()) + first.suffix() + lazy.end());
        assertThat(triggered.answer().calls()).hasSize(1);
        assertThat(triggered.answer().content()).isEqualTo("I look.");
        ToolCallRule rule = format.rule(request, new ToolChoice.Required(), "", true).orElseThrow();
        assertThat(rule.lazy()).isFalse();
        assertThat(rule.triggers()).isEmpty();
        assertThat(rule.repeats()).isEqualTo(repeats);
        List<String> texts = new ArrayList<>();
        rule.alternatives().forEach(a -> texts.add(rule.begin() + a.prefix() + smallest(a.schema()) + a.suffix() + rule.end()));
        if (repeats) {
            texts.add(rule.begin() + String.join(rule.separator(), rule.alternatives().stream()
                    .map(a -> a.prefix() + smallest(a.schema()) + a.suffix()).toList()) + rule.end());
        }
        for (String text : texts) {
            AnswerReader reader = format.reader(request, AUTO, "", true);
            reader.accept(text);
            reader.finish();
            assertThat(reader.answer().content()).as(text).isEmpty();
            assertThat(reader.answer().calls()).as(text).hasSize(text == texts.getLast() && repeats ? 2 : 1);
        }
    }

    private static String smallest(JsonNode schema) {
        if (schema.has("const")) {
            return schema.get("const").toString();
        }
        if (schema.has("anyOf")) {
            return smallest(schema.get("anyOf").get(0));
        }
        return switch (schema.path("type").asString()) {
            case "array" -> "[" + smallest(schema.get("items")) + "]";
            case "string" -> schema.has("pattern") ? "\"aaaaaaaaa\"" : "\"\"";
            default -> {
                List<String> fields = new ArrayList<>();
                schema.path("required").forEach(key -> fields.add(key + ": " + smallest(schema.get("properties").get(key.stringValue()))));
                yield "{" + String.join(", ", fields) + "}";
            }
        };
    }

    @Test
    void theChoiceOfAToolIsRead() {
        List<ObjectNode> tools = request("[{\"role\": \"user\", \"content\": \"?\"}]").tools();
        assertThat(ToolChoice.read(JSON.readTree("{}"), tools)).isEqualTo(AUTO);
        assertThat(ToolChoice.read(JSON.readTree("{\"tool_choice\": null}"), tools)).isEqualTo(AUTO);
        assertThat(ToolChoice.read(JSON.readTree("{\"tool_choice\": \"none\"}"), tools)).isEqualTo(new ToolChoice.None());
        assertThat(ToolChoice.read(JSON.readTree("{\"tool_choice\": \"required\"}"), tools)).isEqualTo(new ToolChoice.Required());
        assertThat(ToolChoice.read(JSON.readTree("{\"tool_choice\": {\"type\": \"function\", \"function\": {\"name\": \"time\"}}}"), tools))
                .isEqualTo(new ToolChoice.Named("time"));
        refused("{\"tool_choice\": \"maybe\"}", tools, "tool_choice: expected \"auto\"");
        refused("{\"tool_choice\": 1}", tools, "tool_choice: expected \"auto\"");
        refused("{\"tool_choice\": \"required\"}", List.of(), "tool_choice: a call is required");
        refused("{\"tool_choice\": {\"function\": {\"name\": \"x\"}}}", tools, "tool_choice.function.name: no such tool; expected [weather, time], found x");
    }

    private static void refused(String body, List<ObjectNode> tools, String message) {
        assertThatThrownBy(() -> ToolChoice.read(JSON.readTree(body), tools))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith(message);
    }
}
