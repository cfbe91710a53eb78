package dev.tern.template;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Equal to Jinja2 in transformers' environment, on whole templates and on single expressions (testdata/templates). */
class ChatTemplateGoldenTest {
    private static final Path TESTDATA = Path.of(System.getProperty("tern.testdata"));
    private static final Clock NOW = Clock.fixed(Instant.parse("2026-03-07T14:05:09Z"), ZoneOffset.UTC);

    /** What Jinja2 renders and this interpreter, on purpose, does not; each is refused with an error. */
    private static final Set<String> LEFT_OUT = Set.of(
            "{% block x %}a{% endblock %}",
            "{% autoescape true %}{{ '<' }}{% endautoescape %}");

    @Test
    void everyExpressionGivesWhatJinja2Gives() throws IOException {
        List<JsonNode> lines = lines("templates/expressions.jsonl");
        Map<String, @Nullable Object> variables = variables(lines.getFirst().get("variables"));
        List<String> wrong = new ArrayList<>();
        for (JsonNode c : lines.subList(1, lines.size())) {
            String template = c.get("template").stringValue();
            String outcome = LEFT_OUT.contains(template) || !c.has("rendered") ? "an InputException" : c.get("rendered").stringValue();
            String found = outcome(template, variables);
            if (!found.equals(outcome)) {
                wrong.add(c + "\n but: " + found);
            }
        }
        assertThat(lines).hasSizeGreaterThan(800);
        assertThat(wrong).isEmpty();
    }

    @Test
    void everyChatGivesWhatJinja2Gives() throws IOException {
        List<JsonNode> lines = lines("templates/chat.jsonl");
        assertThat(lines).hasSizeGreaterThan(400);
        List<String> wrong = new ArrayList<>();
        for (JsonNode c : lines) {
            String template = Files.readString(TESTDATA.resolve("templates").resolve(c.get("template").stringValue()));
            String found = outcome(template, variables(c.get("variables")));
            if (!found.equals(c.has("rendered") ? c.get("rendered").stringValue() : "an InputException")) {
                wrong.add(c + "\n but: " + found);
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void theTinyModelsTemplateGivesThePromptsItWasTrainedOn() {
        JsonNode config = JsonFile.read(TESTDATA.resolve("tiny-bitnet/packed-u8/tokenizer_config.json"));
        ChatTemplate template = ChatTemplate.parse(config.get("chat_template").stringValue());
        JsonNode golden = JsonFile.read(TESTDATA.resolve("golden/fables.json"));
        int cases = 0;
        for (String group : new String[] {"fables", "other_names", "short_requests"}) {
            for (JsonNode fable : golden.get(group)) {
                List<ChatMessage> messages = new ArrayList<>();
                for (JsonNode message : fable.get("prompt").get("messages")) {
                    messages.add(new ChatMessage(message.get("role").stringValue(), message.get("content").stringValue()));
                }
                assertThat(template.render(messages, true, Map.of("bos_token", "<|begin_of_text|>")))
                        .isEqualTo(fable.get("prompt").get("text").stringValue());
                cases++;
            }
        }
        assertThat(cases).isEqualTo(63 + 17 + 23);
    }

    private static String outcome(String template, Map<String, @Nullable Object> variables) {
        try {
            return ChatTemplate.parse(template).withClock(NOW).render(variables);
        } catch (InputException e) {
            assertThat(e).hasMessageMatching("(?s)chat template, line \\d+, column \\d+: .+");
            return "an InputException";
        }
    }

    private static List<JsonNode> lines(String name) throws IOException {
        Path file = TESTDATA.resolve(name);
        return Files.readAllLines(file).stream()
                .<JsonNode>map(line -> JsonFile.parse(line.getBytes(StandardCharsets.UTF_8), file))
                .toList();
    }

    private static Map<String, @Nullable Object> variables(JsonNode object) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        object.properties().forEach(entry -> map.put(entry.getKey(), value(entry.getValue())));
        return map;
    }

    private static @Nullable Object value(JsonNode node) {
        if (node.isNull()) {
            return null;
        }
        if (node.isObject()) {
            return variables(node);
        }
        if (node.isArray()) {
            List<@Nullable Object> list = new ArrayList<>();
            node.forEach(item -> list.add(value(item)));
            return list;
        }
        return node.isString()
                ? node.stringValue()
                : node.isBoolean() ? (Object) node.booleanValue() : node.isIntegralNumber() ? (Object) node.longValue() : (Object) node.doubleValue();
    }
}
