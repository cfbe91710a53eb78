package dev.tern.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Requests as clients send them give what apply_chat_template of transformers gives (testdata/templates/requests.jsonl). */
class ChatRequestTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Path TEMPLATES = Path.of(System.getProperty("tern.testdata")).resolve("templates");
    private static final Clock NOW = Clock.fixed(Instant.parse("2026-03-07T14:05:09Z"), ZoneOffset.UTC);

    @Test
    void everyRequestGivesWhatTransformersGives() throws IOException {
        List<JsonNode> lines = Files.readAllLines(TEMPLATES.resolve("requests.jsonl")).stream().map(JSON::readTree).toList();
        JsonNode requests = lines.getFirst().get("requests");
        Map<String, String> special = Map.of("bos_token", "<s>", "eos_token", "</s>");
        List<String> wrong = new ArrayList<>();
        int rendered = 0;
        for (JsonNode line : lines.subList(1, lines.size())) {
            ChatTemplate template = template(line).withClock(NOW);
            String expected = line.path("rendered").asString("an InputException");
            String found;
            try {
                found = template.render(ChatRequest.read(requests.get(line.get("case").stringValue())), special);
                rendered++;
            } catch (InputException e) {
                found = "an InputException";
            }
            if (!found.equals(expected)) {
                wrong.add(line + "\n but: " + found);
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(rendered).isGreaterThan(300);
    }

    private static ChatTemplate template(JsonNode line) throws IOException {
        if (line.has("source")) {
            return ChatTemplate.parse(line.get("source").stringValue());
        }
        String name = line.get("template").stringValue();
        return name.startsWith("built-in:")
                ? NamedTemplate.read(name.substring(9))
                : ChatTemplate.parse(Files.readString(TEMPLATES.resolve(name)));
    }

    @Test
    void readsWhatABodySays() {
        ChatRequest request = ChatRequest.read(JSON.readTree("""
                {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "x": 1}],
                 "tools": [{"type": "function", "function": {"name": "f"}}], "documents": null, "reasoning_effort": "low",
                 "chat_template_kwargs": {"enable_thinking": false}, "model": "any", "temperature": 1}"""));
        assertThat(request.messages().getFirst().content()).isEqualTo("a\nb");
        assertThat(request.messages().getFirst().json().path("x").intValue()).isEqualTo(1);
        assertThat(request.tools()).hasSize(1);
        assertThat(request.documents()).isEmpty();
        assertThat(request.variables()).containsOnlyKeys("reasoning_effort", "enable_thinking");
        assertThat(request.addGenerationPrompt()).isTrue();
        assertThat(request.continued()).isEmpty();
        assertThat(ChatRequest.read(JSON.readTree("{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}], \"continue_final_message\": true}")))
                .returns(Optional.of("content"), ChatRequest::continued)
                .returns(false, ChatRequest::addGenerationPrompt);
        assertThat(new ChatMessage("user", "x")).isEqualTo(ChatMessage.of(JSON.readTree("{\"role\": \"user\", \"content\": \"x\"}")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {}                                                                       | messages:
            {"messages": []}                                                         | messages: expected an array of at least one
            {"messages": ["x"]}                                                      | messages[0]: expected an object
            {"messages": [{"content": "x"}]}                                         | messages[0].role: expected a string
            {"messages": [{"role": "user", "content": 5}]}                           | messages[0].content: expected a string, null, or an array of parts, found 5
            {"messages": [{"role": "user", "content": ["x"]}]}                       | messages[0].content[0]: expected an object with a type
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]}          | messages[0].content[0].text: expected a string
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}     | messages[0].content[0]: expected text
            {"messages": [{"role": "a", "tool_calls": 1}]}                           | messages[0].tool_calls: expected an array
            {"messages": [{"role": "a", "tool_calls": [{}]}]}                        | messages[0].tool_calls[0].function.name: expected a string
            {"messages": [{"role": "a", "tool_calls": [{"function": {"name": "f", "arguments": 1}}]}]} | messages[0].tool_calls[0].function.arguments
            {"messages": [{"role": "a"}], "tools": {}}                               | tools: expected an array
            {"messages": [{"role": "a"}], "tools": [{"type": "web"}]}                | tools[0].type
            {"messages": [{"role": "a"}], "tools": [{"type": "function"}]}           | tools[0].function.name
            {"messages": [{"role": "a"}], "tools": [{"function": {"name": "f", "parameters": 1}}]} | tools[0].function.parameters
            {"messages": [{"role": "a"}], "documents": [1]}                          | documents[0]
            {"messages": [{"role": "a"}], "chat_template_kwargs": []}                | chat_template_kwargs
            {"messages": [{"role": "a"}], "add_generation_prompt": "yes"}            | add_generation_prompt: expected true or false
            {"messages": [{"role": "a"}], "continue_final_message": 1}               | continue_final_message
            {"messages": [{"role": "a"}], "add_generation_prompt": true, "continue_final_message": true} | add_generation_prompt: the last message
            """)
    void whatIsNoRequestIsNamed(String body, String message) {
        assertThatThrownBy(() -> ChatRequest.read(JSON.readTree(body)))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith(message);
    }
}
