import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.ai.openai.OpenAiEmbeddingModel;
import org.springframework.ai.openai.OpenAiEmbeddingOptions;
import org.springframework.ai.tool.function.FunctionToolCallback;
import org.springframework.ai.tool.metadata.ToolMetadata;

/**
 * Spring AI's models for OpenAI against tern serve. TERN_URL is a server of the trained model with its own template,
 * TERN_TOOLS_URL one whose template knows tools; both ask for TERN_KEY. TERN_QUESTION is a question to which the greedy
 * answer is TERN_ANSWER. Run by SpringAiTest; ends with "OK N" after N checks.
 */
public final class SpringAiClient {
    private static final String URL = System.getenv("TERN_URL");
    private static final String TOOLS_URL = System.getenv("TERN_TOOLS_URL");
    private static final String KEY = System.getenv("TERN_KEY");
    private static final String QUESTION = System.getenv("TERN_QUESTION");
    private static final String ANSWER = System.getenv("TERN_ANSWER");

    private int checks;

    enum City {
        ULM,
        ROME
    }

    record Weather(City city, boolean rain) {}

    private SpringAiClient() {}

    public static void main(String[] args) {
        SpringAiClient client = new SpringAiClient();
        client.chat();
        client.stream();
        client.tools();
        client.schema();
        client.embeddings();
        client.errors();
        System.out.println("OK " + client.checks);
        System.exit(0); // the threads of its connections would go on for a minute
    }

    private void check(boolean holds, Object found) {
        if (!holds) {
            throw new AssertionError(found);
        }
        checks++;
    }

    private static OpenAiChatOptions.Builder options(String url) {
        OpenAiChatOptions.Builder options = OpenAiChatOptions.builder();
        options.baseUrl(url + "/v1").apiKey(KEY).maxRetries(0);
        options.model("any").temperature(0.0);
        return options;
    }

    private static OpenAiChatModel model(OpenAiChatOptions options) {
        return OpenAiChatModel.builder().options(options).build();
    }

    private void chat() {
        ChatResponse response = model(options(URL).build()).call(new Prompt(QUESTION));
        check(ANSWER.equals(response.getResult().getOutput().getText()), response);
        check("stop".equalsIgnoreCase(response.getResult().getMetadata().getFinishReason()), response);
        check(response.getMetadata().getUsage().getPromptTokens() > 5, response);
        String text = ChatClient.create(model(options(URL).build())).prompt(QUESTION).call().content();
        check(ANSWER.equals(text), text);
    }

    private void stream() {
        List<ChatResponse> parts = model(options(URL).build()).stream(new Prompt(QUESTION)).collectList().block();
        StringBuilder text = new StringBuilder();
        for (ChatResponse part : parts) {
            if (part.getResult() != null && part.getResult().getOutput().getText() != null) {
                text.append(part.getResult().getOutput().getText());
            }
        }
        check(ANSWER.contentEquals(text), text);
        check(parts.size() > 10, parts.size());
    }

    private void tools() {
        List<Weather> asked = new CopyOnWriteArrayList<>();
        FunctionToolCallback<Weather, String> tool = FunctionToolCallback.builder("weather", (Weather query) -> {
                    asked.add(query);
                    return "Rain.";
                })
                .description("The weather of days to come")
                .inputType(Weather.class)
                .toolMetadata(ToolMetadata.builder().returnDirect(true).build())
                .build();
        OpenAiChatOptions.Builder options = options(TOOLS_URL);
        options.toolChoice("required").parallelToolCalls(false);
        String result = ChatClient.create(model(options.build()))
                .prompt("How will it be?")
                .tools(tool)
                .call()
                .content();
        check(asked.size() == 1 && asked.getFirst().city() != null, asked);
        check(result.contains("Rain."), result);
    }

    private void schema() {
        for (int seed = 1; seed <= 3; seed++) {
            OpenAiChatOptions.Builder options = options(URL);
            options.seed(seed).temperature(1.2);
            Weather weather = ChatClient.create(model(options.build()))
                    .prompt(QUESTION)
                    .call()
                    .entity(Weather.class, ChatClient.EntityParamSpec::useProviderStructuredOutput);
            check(weather.city() != null, weather);
        }
    }

    private void embeddings() {
        OpenAiEmbeddingOptions.Builder options = OpenAiEmbeddingOptions.builder();
        options.baseUrl(URL + "/v1").apiKey(KEY).model("any");
        OpenAiEmbeddingModel model = OpenAiEmbeddingModel.builder().options(options.build()).build();
        EmbeddingResponse response = model.embedForResponse(List.of("A fox", "The lion and the mouse"));
        for (int i = 0; i < 2; i++) {
            double square = 0;
            for (float x : response.getResults().get(i).getOutput()) {
                square += (double) x * x;
            }
            check(Math.abs(square - 1) < 1e-5, square);
            check(response.getResults().get(i).getOutput().length == 512, response);
        }
    }

    private void errors() {
        OpenAiChatOptions.Builder stranger = options(URL);
        stranger.apiKey("wrong");
        check(thrown(stranger.build(), QUESTION) instanceof com.openai.errors.UnauthorizedException, "not refused");
        Throwable tooLong = thrown(options(URL).build(), "A fox and a lion. ".repeat(2000));
        check(tooLong instanceof com.openai.errors.BadRequestException, tooLong);
        check(String.valueOf(tooLong.getMessage()).contains("the context of 512"), tooLong);
    }

    private static Throwable thrown(OpenAiChatOptions options, String question) {
        try {
            model(options).call(new Prompt(question));
            return null;
        } catch (RuntimeException e) {
            return e;
        }
    }
}
