package dev.tern.server.openai;

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
import java.io.IOException;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** OpenAI's {@code POST /v1/responses}. Nothing is kept: {@code store} changes nothing. */
public final class ResponsesEndpoint implements Endpoint {
    @Override
    public void answer(Call call) throws IOException, InterruptedException {
        Fields body = call.body();
        ChatRun run = ChatRun.read(call, ResponsesBody.toChat(body));
        ResponseJson response = new ResponseJson(call, body);
        if (run.request().stream()) {
            run.stream(new ResponseStream(response));
        } else if (run.whole()) {
            Choice choice = run.choices().getFirst();
            Answer answer = run.answer(choice);
            call.json(response.finished(choice, answer, response.output(answer)));
        }
    }

    /** {@code POST /v1/responses/input_tokens}. */
    public static void count(Call call) throws IOException {
        ChatQuery query = ChatQuery.read(call.served(), ResponsesBody.toChat(call.body()));
        int tokens = call.served().encodePrompt(query.prompt()).length;
        call.json(Json.object().put("object", "response.input_tokens").put("input_tokens", tokens));
    }

    /** A response as OpenAI writes it. */
    static final class ResponseJson {
        private static final List<String> ECHOED =
                List.of("instructions", "max_output_tokens", "temperature", "top_p", "metadata", "text", "reasoning");

        private final Call call;
        private final Fields body;
        private final String id = Ids.next("resp_");
        private final long created = System.currentTimeMillis() / 1000;

        ResponseJson(Call call, Fields body) {
            this.call = call;
            this.body = body;
        }

        ObjectNode begun() {
            ObjectNode node = Json.object()
                    .put("id", id)
                    .put("object", "response")
                    .put("created_at", created)
                    .put("status", "in_progress")
                    .put("model", call.served().id());
            for (String name : List.of("error", "incomplete_details", "previous_response_id", "usage")) {
                node.putNull(name);
            }
            for (String name : ECHOED) {
                if (body.has(name)) {
                    node.set(name, body.value(name));
                } else {
                    node.putNull(name);
                }
            }
            node.put("parallel_tool_calls", body.flag("parallel_tool_calls", true));
            if (body.has("tool_choice")) {
                node.set("tool_choice", body.value("tool_choice"));
            } else {
                node.put("tool_choice", "auto");
            }
            if (body.has("tools")) {
                node.set("tools", body.value("tools"));
            } else {
                node.putArray("tools");
            }
            node.put("store", false).put("truncation", "disabled");
            node.putArray("output");
            return node;
        }

        ObjectNode finished(Choice choice, Answer answer, ArrayNode output) {
            ObjectNode node = begun();
            boolean cut = choice.reason() == StopReason.MAX_TOKENS || choice.reason() == StopReason.CONTEXT_FULL;
            node.put("status", cut ? "incomplete" : "completed");
            if (cut) {
                node.putObject("incomplete_details").put("reason", "max_output_tokens");
            }
            node.set("output", output);
            ObjectNode usage = node.putObject("usage")
                    .put("input_tokens", choice.prompt().length)
                    .put("output_tokens", choice.count())
                    .put("total_tokens", choice.prompt().length + choice.count());
            usage.putObject("input_tokens_details").put("cached_tokens", choice.timings().cachedTokens());
            usage.putObject("output_tokens_details").put("reasoning_tokens", reasoningTokens(answer));
            return node;
        }

        /**
         * Tokens that the text of the reasoning has; its marks and what the tokens of its ends share are not counted.
         */
        private int reasoningTokens(Answer answer) {
            return answer.reasoning().isEmpty()
                    ? 0
                    : call.served().tokenizer().encode(answer.reasoning(), false, false).length;
        }

        ArrayNode output(Answer answer) {
            ArrayNode output = Json.array();
            if (!answer.reasoning().isEmpty()) {
                output.add(reasoning(Ids.next("rs_"), answer.reasoning()));
            }
            if (!answer.content().isEmpty() || answer.calls().isEmpty()) {
                output.add(message(Ids.next("msg_"), answer.content()));
            }
            answer.calls().forEach(one -> output.add(function(Ids.next("fc_"), one.id(), one.name(), one.arguments())));
            return output;
        }
    }

    private static ObjectNode reasoning(String id, String text) {
        ObjectNode node = Json.object().put("id", id).put("type", "reasoning").put("status", "completed");
        node.putArray("summary");
        node.putArray("content").addObject().put("type", "reasoning_text").put("text", text);
        return node;
    }

    private static ObjectNode message(String id, String text) {
        ObjectNode node = Json.object()
                .put("id", id)
                .put("type", "message")
                .put("status", "completed")
                .put("role", "assistant");
        node.putArray("content").add(text(text));
        return node;
    }

    private static ObjectNode text(String text) {
        ObjectNode part = Json.object().put("type", "output_text").put("text", text);
        part.putArray("annotations");
        part.putArray("logprobs");
        return part;
    }

    private static ObjectNode function(String id, String callId, String name, String arguments) {
        return Json.object()
                .put("id", id)
                .put("type", "function_call")
                .put("status", "completed")
                .put("call_id", callId)
                .put("name", name)
                .put("arguments", arguments);
    }

    /** Items that open and close, one at a time, in numbered events. */
    private static final class ResponseStream implements ChatRun.Format {
        private final ResponseJson response;
        private final ArrayNode output = Json.array();
        private final StringBuilder text = new StringBuilder();
        private String kind = "";
        private String item = "";
        private String callId = "";
        private String name = "";
        private int sequence;

        ResponseStream(ResponseJson response) {
            this.response = response;
        }

        private void send(EventStream stream, String type, ObjectNode event) throws IOException {
            ObjectNode all = Json.object().put("type", type).put("sequence_number", sequence++);
            all.setAll(event);
            stream.send(type, all);
        }

        private ObjectNode at() {
            return Json.object().put("item_id", item).put("output_index", output.size());
        }

        private ObjectNode part() {
            return at().put("content_index", 0);
        }

        private void response(EventStream stream, String type, ObjectNode node) throws IOException {
            ObjectNode event = Json.object();
            event.set("response", node);
            send(stream, type, event);
        }

        @Override
        public void begin(EventStream stream, Choice choice) throws IOException {
            response(stream, "response.created", response.begun());
            response(stream, "response.in_progress", response.begun());
        }

        @Override
        public void more(EventStream stream, Choice choice, List<AnswerDelta> deltas, CompletionEvent event)
                throws IOException {
            for (AnswerDelta delta : deltas) {
                switch (delta) {
                    case AnswerDelta.Content content -> {
                        open(stream, "message");
                        text.append(content.text());
                        ObjectNode more = part().put("delta", content.text());
                        more.putArray("logprobs");
                        send(stream, "response.output_text.delta", more);
                    }
                    case AnswerDelta.Reasoning reasoning -> {
                        open(stream, "reasoning");
                        text.append(reasoning.text());
                        send(stream, "response.reasoning_text.delta", part().put("delta", reasoning.text()));
                    }
                    case AnswerDelta.CallBegin begin -> {
                        close(stream);
                        callId = begin.id();
                        name = begin.name();
                        open(stream, "function_call");
                    }
                    case AnswerDelta.CallArguments arguments -> {
                        text.append(arguments.text());
                        send(stream, "response.function_call_arguments.delta", at().put("delta", arguments.text()));
                    }
                }
            }
        }

        private void open(EventStream stream, String wanted) throws IOException {
            if (kind.equals(wanted)) {
                return;
            }
            close(stream);
            kind = wanted;
            item = Ids.next(wanted.equals("message") ? "msg_" : wanted.equals("reasoning") ? "rs_" : "fc_");
            ObjectNode begun = item("");
            begun.put("status", "in_progress");
            if (begun.has("content")) {
                begun.set("content", Json.array());
            }
            ObjectNode event = Json.object().put("output_index", output.size());
            event.set("item", begun);
            send(stream, "response.output_item.added", event);
            if (wanted.equals("message")) {
                ObjectNode added = part();
                added.set("part", text(""));
                send(stream, "response.content_part.added", added);
            }
        }

        private ObjectNode item(String whole) {
            return switch (kind) {
                case "message" -> message(item, whole);
                case "reasoning" -> reasoning(item, whole);
                default -> function(item, callId, name, whole);
            };
        }

        private void close(EventStream stream) throws IOException {
            if (kind.isEmpty()) {
                return;
            }
            String whole = text.toString();
            switch (kind) {
                case "message" -> {
                    ObjectNode done = part().put("text", whole);
                    done.putArray("logprobs");
                    send(stream, "response.output_text.done", done);
                    ObjectNode part = part();
                    part.set("part", text(whole));
                    send(stream, "response.content_part.done", part);
                }
                case "reasoning" -> send(stream, "response.reasoning_text.done", part().put("text", whole));
                default ->
                    send(
                            stream,
                            "response.function_call_arguments.done",
                            at().put("name", name).put("arguments", whole));
            }
            ObjectNode finished = item(whole);
            ObjectNode event = Json.object().put("output_index", output.size());
            event.set("item", finished);
            send(stream, "response.output_item.done", event);
            output.add(finished);
            text.setLength(0);
            kind = "";
        }

        @Override
        public void end(EventStream stream, Choice choice, Answer answer) throws IOException {
            if (output.isEmpty() && kind.isEmpty()) {
                open(stream, "message");
            }
            close(stream);
            ObjectNode node = response.finished(choice, answer, output);
            response(stream, "response." + node.path("status").asString(), node);
        }

        @Override
        public void end(EventStream stream) {}

        @Override
        public void error(EventStream stream, ApiException error) throws IOException {
            send(stream, "error", Json.object().put("code", error.type()).put("message", error.getMessage()));
        }
    }
}
