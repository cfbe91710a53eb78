package dev.tern.server.chat;

import dev.tern.server.json.Fields;
import dev.tern.server.served.Served;
import dev.tern.template.ChatMessage;
import dev.tern.template.ChatRequest;
import dev.tern.tools.AnswerReader;
import dev.tern.tools.ChatFormat;
import dev.tern.tools.ToolChoice;
import java.util.List;

/**
 * A conversation that an answer is wanted to, as OpenAI's chats have it.
 *
 * @param format how the model writes
 * @param request messages, tools and what else the template wants
 * @param choice whether tools may be called
 * @param parallel whether more than one may be
 * @param prompt the text that the model goes on with
 * @param separateReasoning whether reasoning is told apart from the answer
 */
public record ChatQuery(
        ChatFormat format,
        ChatRequest request,
        ToolChoice choice,
        boolean parallel,
        String prompt,
        boolean separateReasoning) {

    /** @throws dev.tern.io.InputException when the model has no chat template, or the body is none of a chat */
    public static ChatQuery read(Served served, Fields body) {
        ChatFormat format = served.chats().format();
        ChatRequest request = ChatRequest.read(body.node());
        if (continuesAnswer(body, request)) {
            request = request.withContinued("content");
        }
        if (body.text("reasoning_effort").filter("none"::equals).isPresent()) {
            request = request.withVariable("enable_thinking", false);
        }
        ToolChoice choice = ToolChoice.read(body.node(), request.tools());
        boolean separate = !body.word(
                        "reasoning_format", "auto", List.of("auto", "none", "deepseek", "deepseek-legacy"))
                .equals("none");
        return new ChatQuery(
                format,
                request,
                choice,
                body.flag("parallel_tool_calls", true),
                format.prompt(request, choice),
                separate);
    }

    /** A last message of the assistant is the beginning of its answer, unless the request says how it is meant. */
    private static boolean continuesAnswer(Fields body, ChatRequest request) {
        ChatMessage last = request.messages().getLast();
        return !body.has("add_generation_prompt")
                && !body.has("continue_final_message")
                && last.role().equals("assistant")
                && !last.content().isEmpty()
                && last.json().path("tool_calls").isEmpty();
    }

    /** Reads one answer. */
    AnswerReader reader() {
        return format.reader(request, choice, prompt, separateReasoning);
    }
}
