package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.AuthenticationException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import dev.tern.io.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** LangChain4j's models for OpenAI against {@code tern serve}. */
class LangChain4jTest {
    private static final String KEY = "sesame";
    private static final JsonNode FABLE =
            JsonFile.read(InProcess.TESTDATA.resolve("golden/fables.json")).get("fables").get(2);
    private static final String QUESTION =
            FABLE.get("prompt").get("messages").get(0).get("content").asString();
    private static final String ANSWER = FABLE.get("greedy_text").asString();
    private static final JsonObjectSchema WEATHER = JsonObjectSchema.builder()
            .addEnumProperty("city", List.of("Ulm", "Rome"))
            .addEnumProperty("day", List.of("today", "tomorrow"))
            .required("city", "day")
            .additionalProperties(false)
            .build();
    private static final ToolSpecification TOOL = ToolSpecification.builder()
            .name("weather")
            .description("The weather of days to come")
            .parameters(WEATHER)
            .build();

    private static ServeProcess plain;
    private static ServeProcess tools;

    @BeforeAll
    static void serve(@TempDir Path folder) throws IOException {
        Path model = folder.resolve("tiny.gguf");
        assertThat(InProcess.tern("convert", InProcess.PACKED, "-o", model).status()).isZero();
        Path keys = Files.writeString(folder.resolve("keys"), KEY);
        plain = ServeProcess.start("-m", model, "--api-key-file", keys);
        tools = ServeProcess.start("-m", model, "--api-key-file", keys, "--chat-template", "qwen", "-c", "2048");
    }

    @AfterAll
    static void stop() {
        plain.close();
        tools.close();
    }

    @AfterEach
    void theServerHasNotFailed() {
        assertThat(plain.log()).noneMatch(line -> line.contains("level=error"));
        assertThat(tools.log()).noneMatch(line -> line.contains("level=error"));
    }

    private static OpenAiChatModel.OpenAiChatModelBuilder chat(ServeProcess server) {
        return OpenAiChatModel.builder()
                .baseUrl(server.uri() + "/v1")
                .apiKey(KEY)
                .modelName("any")
                .temperature(0.0)
                .maxRetries(0);
    }

    private static OpenAiStreamingChatModel streaming(ServeProcess server) {
        return OpenAiStreamingChatModel.builder()
                .baseUrl(server.uri() + "/v1")
                .apiKey(KEY)
                .modelName("any")
                .temperature(0.0)
                .parallelToolCalls(server == tools ? false : null)
                .build();
    }

    @Test
    void aChatAnswersWithWhatTheModelHasLearnt() {
        ChatResponse response = chat(plain).build().chat(UserMessage.from(QUESTION));
        assertThat(response.aiMessage().text()).isEqualTo(ANSWER);
        assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(response.tokenUsage().inputTokenCount()).isEqualTo(FABLE.get("ids").size());
        assertThat(response.tokenUsage().totalTokenCount())
                .isEqualTo(response.tokenUsage().inputTokenCount() + response.tokenUsage().outputTokenCount());
        ChatResponse cut = chat(plain).maxCompletionTokens(5).build().chat(UserMessage.from(QUESTION));
        assertThat(cut.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(cut.tokenUsage().outputTokenCount()).isEqualTo(5);
        assertThat(ANSWER).startsWith(cut.aiMessage().text());
    }

    @Test
    void aChatIsStreamed() throws Exception {
        Streamed streamed = new Streamed();
        streaming(plain).chat(request(QUESTION).build(), streamed);
        ChatResponse response = streamed.get();
        assertThat(streamed.texts).hasSizeGreaterThan(10);
        assertThat(String.join("", streamed.texts)).isEqualTo(ANSWER);
        assertThat(response.aiMessage().text()).isEqualTo(ANSWER);
        assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(response.tokenUsage().inputTokenCount()).isEqualTo(FABLE.get("ids").size());
    }

    @Test
    void aToolIsCalledAndItsResultBroughtBack() {
        OpenAiChatModel model = chat(tools).parallelToolCalls(false).build();
        ChatRequest asking = request("How will it be?").toolSpecifications(TOOL).toolChoice(ToolChoice.REQUIRED).build();
        ChatResponse response = model.chat(asking);
        assertThat(response.finishReason()).isEqualTo(FinishReason.TOOL_EXECUTION);
        List<ToolExecutionRequest> calls = response.aiMessage().toolExecutionRequests();
        assertThat(calls).singleElement().satisfies(LangChain4jTest::isWeather);

        List<ChatMessage> messages = new ArrayList<>(asking.messages());
        messages.add(response.aiMessage());
        messages.add(ToolExecutionResultMessage.from(calls.getFirst(), "Rain."));
        ChatResponse before = answered(asking.messages());
        ChatResponse after = answered(messages);
        assertThat(after.tokenUsage().inputTokenCount())
                .as("the call and its result are in the prompt")
                .isGreaterThan(before.tokenUsage().inputTokenCount());
    }

    private static ChatResponse answered(List<ChatMessage> messages) {
        ChatResponse response = chat(tools)
                .maxCompletionTokens(5)
                .build()
                .chat(ChatRequest.builder()
                        .messages(messages)
                        .toolSpecifications(TOOL)
                        .toolChoice(ToolChoice.NONE)
                        .build());
        assertThat(response.aiMessage().hasToolExecutionRequests()).isFalse();
        return response;
    }

    @Test
    void aCallIsStreamed() throws Exception {
        Streamed streamed = new Streamed();
        streaming(tools)
                .chat(
                        request("How will it be?").toolSpecifications(TOOL).toolChoice(ToolChoice.REQUIRED).build(),
                        streamed);
        List<ToolExecutionRequest> calls = streamed.get().aiMessage().toolExecutionRequests();
        assertThat(calls).singleElement().satisfies(LangChain4jTest::isWeather);
        assertThat(streamed.arguments).hasSizeGreaterThan(2);
        assertThat(String.join("", streamed.arguments)).isEqualTo(calls.getFirst().arguments());
    }

    private static void isWeather(ToolExecutionRequest call) {
        assertThat(call.name()).isEqualTo("weather");
        isWeather(call.arguments());
    }

    private static void isWeather(String json) {
        JsonNode weather = JsonMapper.shared().readTree(json);
        assertThat(weather.propertyNames()).containsExactlyInAnyOrder("city", "day");
        assertThat(weather.get("city").asString()).isIn("Ulm", "Rome");
        assertThat(weather.get("day").asString()).isIn("today", "tomorrow");
    }

    @Test
    void anAnswerFollowsASchema() {
        ResponseFormat format = ResponseFormat.builder()
                .type(ResponseFormatType.JSON)
                .jsonSchema(JsonSchema.builder().name("weather").rootElement(WEATHER).build())
                .build();
        for (int seed = 1; seed <= 3; seed++) {
            ChatResponse response = chat(plain)
                    .temperature(1.2)
                    .seed(seed)
                    .strictJsonSchema(true)
                    .build()
                    .chat(request(QUESTION).responseFormat(format).build());
            assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
            isWeather(response.aiMessage().text());
        }
    }

    @Test
    void textsHaveEmbeddings() {
        OpenAiEmbeddingModel model = OpenAiEmbeddingModel.builder()
                .baseUrl(plain.uri() + "/v1")
                .apiKey(KEY)
                .modelName("any")
                .build();
        List<TextSegment> texts = List.of(TextSegment.from("A fox"), TextSegment.from("The lion and the mouse"));
        List<Embedding> both = model.embedAll(texts).content();
        assertThat(both).hasSize(2).allSatisfy(embedding -> {
            assertThat(embedding.dimension()).isEqualTo(512);
            double square = 0;
            for (float x : embedding.vector()) {
                square += (double) x * x;
            }
            assertThat(square).isCloseTo(1, within(1e-5));
        });
        assertThat(model.embed("A fox").content()).isEqualTo(both.getFirst()).isNotEqualTo(both.getLast());
    }

    @Test
    void errorsAreItsOwn() {
        assertThatThrownBy(() -> chat(plain).apiKey("wrong").build().chat(QUESTION))
                .isInstanceOf(AuthenticationException.class);
        assertThatThrownBy(() -> chat(plain).build().chat("A fox and a lion. ".repeat(2000)))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("exceed_context_size_error");
    }

    @Test
    void errorsOfAStreamAreItsOwn() {
        Streamed streamed = new Streamed();
        streaming(plain).chat(request("A fox and a lion. ".repeat(2000)).build(), streamed);
        assertThatThrownBy(streamed::get).hasCauseInstanceOf(InvalidRequestException.class);
    }

    private static ChatRequest.Builder request(String question) {
        return ChatRequest.builder().messages(UserMessage.from(question));
    }

    /** What came of a stream. */
    private static final class Streamed implements StreamingChatResponseHandler {
        final List<String> texts = new ArrayList<>();
        final List<String> arguments = new ArrayList<>();
        private final CompletableFuture<ChatResponse> end = new CompletableFuture<>();

        ChatResponse get() throws Exception {
            return end.get(60, TimeUnit.SECONDS);
        }

        @Override
        public void onPartialResponse(String text) {
            texts.add(text);
        }

        @Override
        public void onPartialToolCall(PartialToolCall call) {
            arguments.add(call.partialArguments());
        }

        @Override
        public void onCompleteResponse(ChatResponse response) {
            end.complete(response);
        }

        @Override
        public void onError(Throwable error) {
            end.completeExceptionally(error);
        }
    }
}
