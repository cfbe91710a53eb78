package dev.tern.server.openai;

import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.api.EventStream;
import dev.tern.server.chat.ChatQuery;
import dev.tern.server.chat.ChatRun;
import dev.tern.server.completion.Choice;
import dev.tern.server.completion.Ids;
import dev.tern.server.completion.ProbabilitiesJson;
import dev.tern.server.completion.StreamedRun;
import dev.tern.server.completion.TimingsJson;
import dev.tern.server.json.Json;
import dev.tern.server.slots.CompletionEvent;
import dev.tern.tools.Answer;
import dev.tern.tools.AnswerDelta;
import dev.tern.tools.ToolCall;
import java.io.IOException;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** OpenAI's {@code POST /v1/chat/completions}. */
public final class ChatEndpoint implements Endpoint {
    @Override
    public void answer(Call call) throws IOException, InterruptedException {
        ChatRun run = ChatRun.read(call, call.body());
        ChatJson json = new ChatJson(call, run);
        if (run.request().stream()) {
            run.stream(json);
        } else if (run.whole()) {
            call.json(json.whole());
        }
    }

    /** The prompt's tokens, counted: {@code POST /v1/chat/completions/input_tokens}. */
    public static void count(Call call) throws IOException {
        ChatQuery query = ChatQuery.read(call.served(), call.body());
        int tokens = call.served().encodePrompt(query.prompt()).length;
        call.json(Json.object().put("object", "response.input_tokens").put("input_tokens", tokens));
    }

    /** Answers as OpenAI writes them. */
    private static final class ChatJson implements ChatRun.Format {
        private final Call call;
        private final ChatRun run;
        private final String id = Ids.next("chatcmpl-");
        private final long created = System.currentTimeMillis() / 1000;
        private final ProbabilitiesJson probabilities;

        ChatJson(Call call, ChatRun run) {
            this.call = call;
            this.run = run;
            this.probabilities = new ProbabilitiesJson(call.served().tokenizer());
        }

        private ObjectNode shell(String object) {
            return Json.object()
                    .put("id", id)
                    .put("object", object)
                    .put("created", created)
                    .put("model", call.served().id())
                    .put("system_fingerprint", call.options().buildInfo());
        }

        ObjectNode whole() {
            ObjectNode node = shell("chat.completion");
            ArrayNode choices = node.putArray("choices");
            for (Choice choice : run.choices()) {
                Answer answer = run.answer(choice);
                ObjectNode one = choices.addObject().put("index", choice.index());
                one.set("message", message(answer));
                if (choice.probabilities().isEmpty()) {
                    one.putNull("logprobs");
                } else {
                    one.putObject("logprobs")
                            .set("content", probabilities.tokens(choice.probabilities(), afterSampling()));
                }
                one.put("finish_reason", ChatRun.finishReason(choice, answer));
            }
            node.set("usage", TimingsJson.usage(run.choices()));
            node.set("timings", TimingsJson.timings(run.choices().getFirst().timings()));
            return node;
        }

        private boolean afterSampling() {
            return run.request().requests().getFirst().options().sampling().probabilities().afterSampling();
        }

        private static ObjectNode message(Answer answer) {
            ObjectNode message = Json.object().put("role", "assistant");
            if (answer.content().isEmpty() && !answer.calls().isEmpty()) {
                message.putNull("content");
            } else {
                message.put("content", answer.content());
            }
            if (!answer.reasoning().isEmpty()) {
                message.put("reasoning_content", answer.reasoning());
            }
            if (!answer.calls().isEmpty()) {
                ArrayNode calls = message.putArray("tool_calls");
                for (ToolCall one : answer.calls()) {
                    ObjectNode node = calls.addObject().put("id", one.id()).put("type", "function");
                    node.putObject("function").put("name", one.name()).put("arguments", one.arguments());
                }
            }
            return message;
        }

        private ObjectNode chunk(Choice choice, ObjectNode delta) {
            ObjectNode node = shell("chat.completion.chunk");
            ObjectNode one = node.putArray("choices").addObject().put("index", choice.index());
            one.set("delta", delta);
            one.putNull("logprobs");
            one.putNull("finish_reason");
            if (run.request().usage()) {
                node.putNull("usage");
            }
            return node;
        }

        @Override
        public void begin(EventStream stream, Choice choice) throws IOException {
            stream.send(chunk(choice, Json.object().put("role", "assistant").put("content", "")));
        }

        @Override
        public void progress(EventStream stream, Choice choice, CompletionEvent.Prefilled prefilled)
                throws IOException {
            ObjectNode node = chunk(choice, Json.object());
            node.set("prompt_progress", StreamedRun.progress(choice, prefilled));
            stream.send(node);
        }

        @Override
        public void more(EventStream stream, Choice choice, List<AnswerDelta> deltas, CompletionEvent event)
                throws IOException {
            boolean told = event instanceof CompletionEvent.Generated generated
                    && !generated.probabilities().isEmpty();
            if (deltas.isEmpty() && told) {
                deltas = List.of(new AnswerDelta.Content("")); // the token has a likelihood though no text yet
            }
            boolean first = true;
            for (AnswerDelta delta : deltas) {
                ObjectNode node = chunk(choice, delta(delta));
                if (first && told) {
                    ObjectNode one = (ObjectNode) node.path("choices").path(0);
                    one.putObject("logprobs")
                            .putArray("content")
                            .add(probabilities.token(choice.probabilities().getLast(), afterSampling()));
                }
                if (first && run.request().timingsPerToken()) {
                    node.set("timings", TimingsJson.timings(choice.timings()));
                }
                first = false;
                stream.send(node);
            }
        }

        private static ObjectNode delta(AnswerDelta delta) {
            ObjectNode node = Json.object();
            switch (delta) {
                case AnswerDelta.Content content -> node.put("content", content.text());
                case AnswerDelta.Reasoning reasoning -> node.put("reasoning_content", reasoning.text());
                case AnswerDelta.CallBegin begin ->
                    node.putArray("tool_calls")
                            .addObject()
                            .put("index", begin.index())
                            .put("id", begin.id())
                            .put("type", "function")
                            .putObject("function")
                            .put("name", begin.name())
                            .put("arguments", "");
                case AnswerDelta.CallArguments arguments ->
                    node.putArray("tool_calls")
                            .addObject()
                            .put("index", arguments.index())
                            .putObject("function")
                            .put("arguments", arguments.text());
            }
            return node;
        }

        @Override
        public void end(EventStream stream, Choice choice, Answer answer) throws IOException {
            ObjectNode node = chunk(choice, Json.object());
            ((ObjectNode) node.path("choices").path(0)).put("finish_reason", ChatRun.finishReason(choice, answer));
            node.set("timings", TimingsJson.timings(choice.timings()));
            stream.send(node);
        }

        @Override
        public void end(EventStream stream) throws IOException {
            if (run.request().usage()) {
                ObjectNode node = shell("chat.completion.chunk");
                node.putArray("choices");
                node.set("usage", TimingsJson.usage(run.choices()));
                node.set("timings", TimingsJson.timings(run.choices().getFirst().timings()));
                stream.send(node);
            }
            stream.done();
        }
    }
}
