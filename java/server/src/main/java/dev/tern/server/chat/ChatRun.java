package dev.tern.server.chat;

import dev.tern.server.api.ApiException;
import dev.tern.server.api.Call;
import dev.tern.server.api.EventStream;
import dev.tern.server.completion.Choice;
import dev.tern.server.completion.CompletionBody;
import dev.tern.server.completion.CompletionRun;
import dev.tern.server.completion.ResponseFormat;
import dev.tern.server.completion.StreamedRun;
import dev.tern.server.json.Fields;
import dev.tern.server.slots.CompletionEvent;
import dev.tern.tools.Answer;
import dev.tern.tools.AnswerDelta;
import dev.tern.tools.AnswerReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A chat's completions, read as answers: content, reasoning and calls of tools. */
public final class ChatRun {
    private final Call call;
    private final ChatQuery query;
    private final CompletionBody request;
    private final CompletionRun run;

    /** How a stream of answers looks. */
    public interface Format {
        void begin(EventStream stream, Choice choice) throws IOException;

        /** More of the answer came with a token, or with the end, when there may be several; perhaps none at all. */
        void more(EventStream stream, Choice choice, List<AnswerDelta> deltas, CompletionEvent event)
                throws IOException;

        default void progress(EventStream stream, Choice choice, CompletionEvent.Prefilled prefilled)
                throws IOException {}

        void end(EventStream stream, Choice choice, Answer answer) throws IOException;

        /** All have ended. */
        void end(EventStream stream) throws IOException;

        default void error(EventStream stream, ApiException error) throws IOException {
            stream.send(error.body());
        }
    }

    private ChatRun(Call call, ChatQuery query, CompletionBody request) {
        this.call = call;
        this.query = query;
        this.request = request;
        this.run = new CompletionRun(call, request.requests());
    }

    /** @param body as OpenAI's chats have it */
    public static ChatRun read(Call call, Fields body) {
        ChatQuery query = ChatQuery.read(call.served(), body);
        int[] prompt = call.served().encodePrompt(query.prompt());
        CompletionBody request = CompletionBody.read(
                call,
                body,
                "n",
                List.of(prompt),
                call.served().model().chatStops(),
                call.served().chats().marks(),
                new ChatGrammar(query, ResponseFormat.read(body)).constraint(call.served().grammars()));
        return new ChatRun(call, query, request);
    }

    public CompletionBody request() {
        return request;
    }

    ChatQuery query() {
        return query;
    }

    public List<Choice> choices() {
        return run.choices();
    }

    /** Computes all; false when the client left before the end. */
    public boolean whole() throws IOException, InterruptedException {
        return run.run(request.pings(), (choice, event) -> {});
    }

    /** The answer of a choice that has ended. */
    public Answer answer(Choice choice) {
        AnswerReader reader = query.reader();
        reader.accept(choice.text());
        reader.finish();
        return reader.answer();
    }

    /** Why an answer ended, as OpenAI says it. */
    public static String finishReason(Choice choice, Answer answer) {
        String reason = choice.finishReason();
        return reason.equals("stop") && !answer.calls().isEmpty() ? "tool_calls" : reason;
    }

    /** Computes all and sends what comes. */
    public void stream(Format format) throws IOException, InterruptedException {
        List<AnswerReader> readers = new ArrayList<>();
        run.choices().forEach(choice -> readers.add(query.reader()));
        StreamedRun.run(call, run, request, new StreamedRun.Format() {
            @Override
            public void happened(EventStream stream, Choice choice, CompletionEvent event) throws IOException {
                AnswerReader reader = readers.get(choice.index());
                switch (event) {
                    case CompletionEvent.Started started -> format.begin(stream, choice);
                    case CompletionEvent.Prefilled prefilled -> format.progress(stream, choice, prefilled);
                    case CompletionEvent.Generated generated ->
                        format.more(stream, choice, reader.accept(generated.text()), event);
                    case CompletionEvent.Ended ended -> {
                        List<AnswerDelta> deltas = new ArrayList<>(reader.accept(ended.text()));
                        deltas.addAll(reader.finish());
                        format.more(stream, choice, deltas, event);
                        format.end(stream, choice, reader.answer());
                    }
                    case CompletionEvent.Failed failed -> {}
                }
            }

            @Override
            public void end(EventStream stream) throws IOException {
                format.end(stream);
            }

            @Override
            public void error(EventStream stream, ApiException error) throws IOException {
                format.error(stream, error);
            }
        });
    }
}
