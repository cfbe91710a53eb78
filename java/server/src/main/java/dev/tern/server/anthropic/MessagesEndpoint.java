package dev.tern.server.anthropic;

import dev.tern.StopReason;
import dev.tern.server.api.ApiException;
import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.api.EventStream;
import dev.tern.server.chat.ChatQuery;
import dev.tern.server.chat.ChatRun;
import dev.tern.server.completion.Choice;
import dev.tern.server.completion.Ids;
import dev.tern.server.json.Fields;
import dev.tern.server.json.Json;
import dev.tern.server.slots.CompletionEvent;
import dev.tern.tools.Answer;
import dev.tern.tools.AnswerDelta;
import dev.tern.tools.ToolCall;
import java.io.IOException;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Anthropic's {@code POST /v1/messages}. */
public final class MessagesEndpoint implements Endpoint {
    @Override
    public void answer(Call call) throws IOException, InterruptedException {
        Fields body = call.body();
        body.integer("max_tokens", 1, Integer.MAX_VALUE);
        ChatRun run = ChatRun.read(call, MessagesBody.toChat(body));
        if (run.request().stream()) {
            run.stream(new Stream(call));
            return;
        }
        if (run.whole()) {
            Choice choice = run.choices().getFirst();
            Answer answer = run.answer(choice);
            ObjectNode node = shell(call, choice);
            ArrayNode content = (ArrayNode) node.path("content");
            if (!answer.reasoning().isEmpty()) {
                content.addObject().put("type", "thinking").put("thinking", answer.reasoning()).put("signature", "");
            }
            if (!answer.content().isEmpty() || answer.calls().isEmpty()) {
                content.addObject().put("type", "text").put("text", answer.content());
            }
            for (ToolCall one : answer.calls()) {
                content.addObject()
                        .put("type", "tool_use")
                        .put("id", one.id())
                        .put("name", one.name())
                        .set("input", Json.raw(one.arguments()));
            }
            end(node, choice, answer);
            node.set("usage", usage(choice));
            call.json(node);
        }
    }

    /** {@code POST /v1/messages/count_tokens}. */
    public static void count(Call call) throws IOException {
        ChatQuery query = ChatQuery.read(call.served(), MessagesBody.toChat(call.body()));
        call.json(Json.object().put("input_tokens", call.served().encodePrompt(query.prompt()).length));
    }

    private static ObjectNode shell(Call call, Choice choice) {
        ObjectNode node = Json.object()
                .put("id", Ids.next("msg_"))
                .put("type", "message")
                .put("role", "assistant")
                .put("model", call.served().id());
        node.putArray("content");
        node.putNull("stop_reason");
        node.putNull("stop_sequence");
        node.set("usage", usage(choice));
        return node;
    }

    private static ObjectNode usage(Choice choice) {
        int cached = choice.timings().cachedTokens();
        return Json.object()
                .put("input_tokens", choice.prompt().length - cached)
                .put("cache_read_input_tokens", cached)
                .put("cache_creation_input_tokens", 0)
                .put("output_tokens", choice.count());
    }

    private static void end(ObjectNode node, Choice choice, Answer answer) {
        String reason = switch (choice.reason()) {
            case MAX_TOKENS -> "max_tokens";
            case CONTEXT_FULL -> "model_context_window_exceeded";
            case STOP_STRING -> "stop_sequence";
            case END_TOKEN, CANCELLED -> "end_turn";
        };
        boolean calls = !answer.calls().isEmpty() && choice.reason() != StopReason.MAX_TOKENS;
        node.put("stop_reason", calls ? "tool_use" : reason);
        if (choice.stoppingWord().isEmpty()) {
            node.putNull("stop_sequence");
        } else {
            node.put("stop_sequence", choice.stoppingWord());
        }
    }

    /** Blocks that open and close, one at a time. */
    private static final class Stream implements ChatRun.Format {
        private final Call call;
        private int block = -1;
        private String open = "";

        Stream(Call call) {
            this.call = call;
        }

        private static ObjectNode event(String type) {
            return Json.object().put("type", type);
        }

        private static void send(EventStream stream, ObjectNode event) throws IOException {
            stream.send(event.path("type").asString(), event);
        }

        @Override
        public void begin(EventStream stream, Choice choice) throws IOException {
            ObjectNode start = event("message_start");
            start.set("message", shell(call, choice));
            send(stream, start);
        }

        @Override
        public void more(EventStream stream, Choice choice, List<AnswerDelta> deltas, CompletionEvent event)
                throws IOException {
            for (AnswerDelta delta : deltas) {
                switch (delta) {
                    case AnswerDelta.Content content -> {
                        open(stream, "text", Json.object().put("type", "text").put("text", ""));
                        send(stream, delta("text_delta", "text", content.text()));
                    }
                    case AnswerDelta.Reasoning reasoning -> {
                        open(stream, "thinking", Json.object().put("type", "thinking").put("thinking", ""));
                        send(stream, delta("thinking_delta", "thinking", reasoning.text()));
                    }
                    case AnswerDelta.CallBegin begin -> {
                        ObjectNode use = Json.object()
                                .put("type", "tool_use")
                                .put("id", begin.id())
                                .put("name", begin.name());
                        use.putObject("input");
                        open(stream, "tool_use " + begin.index(), use);
                    }
                    case AnswerDelta.CallArguments arguments ->
                        send(stream, delta("input_json_delta", "partial_json", arguments.text()));
                }
            }
        }

        private ObjectNode delta(String type, String field, String text) {
            ObjectNode event = event("content_block_delta").put("index", block);
            event.putObject("delta").put("type", type).put(field, text);
            return event;
        }

        /** Opens a block unless it is open. */
        private void open(EventStream stream, String name, ObjectNode content) throws IOException {
            if (!open.equals(name)) {
                close(stream);
                open = name;
                block++;
                ObjectNode start = event("content_block_start").put("index", block);
                start.set("content_block", content);
                send(stream, start);
            }
        }

        private void close(EventStream stream) throws IOException {
            if (!open.isEmpty()) {
                send(stream, event("content_block_stop").put("index", block));
                open = "";
            }
        }

        @Override
        public void end(EventStream stream, Choice choice, Answer answer) throws IOException {
            if (block < 0) {
                open(stream, "text", Json.object().put("type", "text").put("text", ""));
            }
            close(stream);
            ObjectNode last = event("message_delta");
            MessagesEndpoint.end(last.putObject("delta"), choice, answer);
            last.set("usage", usage(choice));
            send(stream, last);
        }

        @Override
        public void end(EventStream stream) throws IOException {
            send(stream, event("message_stop"));
        }

        @Override
        public void error(EventStream stream, ApiException error) throws IOException {
            send(stream, error.anthropicBody());
        }
    }
}
