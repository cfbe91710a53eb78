package dev.tern.server.completion;

import dev.tern.StopReason;
import dev.tern.server.api.ApiException;
import dev.tern.server.api.Call;
import dev.tern.server.slots.CompletionEvent;
import dev.tern.server.slots.CompletionRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Has a request's completions computed and hands on what happens, until all have ended or the client has left. */
public final class CompletionRun {
    private static final Duration STEP = Duration.ofMillis(200); // in which a client that left is noticed at last

    private final Call call;
    private final List<CompletionRequest> requests;
    private final List<Choice> choices = new ArrayList<>();

    /** Who is told. */
    public interface Listener {
        /** Something happened to a choice, which knows of it already. */
        void happened(Choice choice, CompletionEvent event) throws IOException;

        /** Nothing more is at hand: what is to be sent may leave. */
        default void pause() throws IOException {}

        /** Nothing has happened for a while. */
        default void silence() throws IOException {}
    }

    /** @param requests one or more, in the order of the answers; those of one prompt share its array */
    public CompletionRun(Call call, List<CompletionRequest> requests) {
        this.call = call;
        this.requests = requests;
        int context = call.served().contextLength();
        for (CompletionRequest request : requests) {
            int length = request.prompt().length;
            if (length == 0) {
                throw ApiException.invalid("prompt", "the prompt is empty");
            }
            if (length >= context) {
                throw ApiException.tooLong(length, context);
            }
            choices.add(new Choice(choices.size(), request.prompt()));
        }
    }

    public List<Choice> choices() {
        return choices;
    }

    /** The options of the first, which all share but for their seeds. */
    CompletionRequest request() {
        return requests.getFirst();
    }

    /**
     * Computes. A completion that fails fails the request.
     *
     * @return false when the client left before the end
     */
    public boolean run(Duration silence, Listener listener) throws IOException, InterruptedException {
        int open = choices.size();
        long last = System.nanoTime();
        try (Choices running = Choices.submit(call.served().completions(), requests)) {
            call.exchange().whenGone(running::close);
            while (open > 0) {
                Choices.Event next = running.next(Duration.ZERO);
                if (next == null) {
                    listener.pause();
                    next = running.next(STEP);
                }
                if (call.exchange().gone()) {
                    return false;
                }
                if (next == null) {
                    if (System.nanoTime() - last > silence.toNanos()) {
                        listener.silence();
                        last = System.nanoTime();
                    }
                    continue;
                }
                last = System.nanoTime();
                Choice choice = choices.get(next.choice());
                choice.take(next.event());
                if (next.event() instanceof CompletionEvent.Failed failed) {
                    throw failed.cause();
                }
                if (next.event() instanceof CompletionEvent.Ended ended) {
                    open--;
                    if (ended.reason() == StopReason.CANCELLED) {
                        throw ApiException.stopping();
                    }
                }
                listener.happened(choice, next.event());
            }
            listener.pause();
        } finally {
            count();
        }
        return true;
    }

    private void count() {
        for (Choice choice : choices) {
            if (choice.slot() >= 0) {
                call.log().count(choice.prompt().length, choice.timings().cachedTokens(), choice.count());
            }
        }
    }
}
