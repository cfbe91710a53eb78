package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.ternary.Outtype;
import dev.tern.sampling.SamplingOptions;
import dev.tern.template.ChatMessage;
import dev.tern.template.ChatRequest;
import dev.tern.template.NamedTemplate;
import dev.tern.tokenizer.TokenStream;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tools.AnswerReader;
import dev.tern.tools.ToolCall;
import dev.tern.tools.ToolChoice;
import dev.tern.tools.ToolSyntax;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** A model's chats: its own template or another, and marks of calls that are special tokens. */
class ModelChatTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));
    private static final List<ChatMessage> QUESTION = List.of(new ChatMessage("user", "Hello"));

    @Test
    void theTemplateCanBeAnother(@TempDir Path folder) {
        Path file = folder.resolve("model.gguf");
        try (Checkpoint checkpoint = Checkpoint.open(DATA.resolve("tiny-bitnet/packed-u8"))) {
            TestGguf.of(checkpoint, Outtype.I2_S).write(file);
        }
        try (Model model = Model.load(file, ModelOptions.builder().threads(1).build())) {
            assertThat(model.applyTemplate(QUESTION, true)).isEqualTo("<|begin_of_text|>User: Hello<|eot_id|>Assistant: ");
            assertThat(model.chatFormat()).isSameAs(model.chatFormat());
            assertThat(model.chatFormat().syntax()).isEqualTo(ToolSyntax.GENERIC);
            assertThat(model.chatFormat().capabilities().endOfTurn()).isEqualTo("<|eot_id|>");
            assertThat(model.chatMarkIds()).isEmpty();
            assertThat(model.chatStops()).isEmpty();
        }
        ModelOptions chatml = ModelOptions.builder().threads(1).chatTemplate(NamedTemplate.CHATML.template()).build();
        try (Model model = Model.load(file, chatml)) {
            assertThat(model.chatStops()).containsExactly("<|im_end|>");
            GenerationOptions options = GenerationOptions.builder().maxTokens(7).seed(3).stop("x").shown(Set.of(1)).build();
            assertThat(options.toBuilder().build()).isEqualTo(options);
        }
        ModelOptions options = ModelOptions.builder().threads(1).chatTemplate(NamedTemplate.LLAMA3.template()).build();
        try (Model model = Model.load(file, options)) {
            String prompt = model.applyTemplate(QUESTION, true);
            assertThat(prompt).startsWith("<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>");
            Tokenizer tokenizer = model.tokenizer();
            assertThat(model.chatPrompt(QUESTION)).isEqualTo(model.chatIds(prompt)).isEqualTo(tokenizer.encode(prompt, false, true));

            assertThat(model.chatFormat().syntax()).isEqualTo(ToolSyntax.LLAMA3);
            int tag = tokenizer.encode("<|python_tag|>", false, true)[0];
            Set<Integer> marks = model.chatMarkIds();
            assertThat(marks).containsExactly(tag);
            GenerationOptions.Builder tags = GenerationOptions.builder()
                    .sampling(SamplingOptions.greedy().toBuilder().logitBias(Map.of(tag, 1000f)).build())
                    .maxTokens(2);
            assertThat(model.generate(model.chatPrompt(QUESTION), tags.build()).text()).isEmpty();
            assertThat(model.generate(model.chatPrompt(QUESTION), tags.shown(marks).build()).text())
                    .isEqualTo("<|python_tag|><|python_tag|>");
            ChatRequest request = ChatRequest.read(JsonMapper.builder().build().readTree("""
                    {"messages": [{"role": "user", "content": "?"}], "tools": [{"type": "function", "function": {"name": "time"}}]}"""));
            String said = "<|python_tag|>{\"name\": \"time\", \"parameters\": {\"a\": 1}}<|eot_id|>";
            TokenStream stream = tokenizer.continuation(marks);
            AnswerReader reader = model.chatFormat().reader(request, new ToolChoice.Auto(), prompt, true);
            for (int id : tokenizer.encode(said, false, true)) {
                reader.accept(stream.push(id));
            }
            reader.accept(stream.finish());
            reader.finish();
            assertThat(reader.answer().content()).isEmpty();
            assertThat(reader.answer().calls()).extracting(ToolCall::arguments).containsExactly("{\"a\": 1}");
        }
    }
}
