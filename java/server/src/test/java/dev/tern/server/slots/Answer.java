package dev.tern.server.slots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.Generation;
import dev.tern.StopReason;
import dev.tern.Token;
import dev.tern.sampling.TokenProbability;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All that a completion gave, read to its end. */
record Answer(
        List<Integer> ids,
        String text,
        List<List<TokenProbability>> probabilities,
        @Nullable StopReason reason,
        List<CompletionEvent> events) {
    private static final Duration PATIENCE = Duration.ofSeconds(60); // for what comes at once unless something is wrong

    static CompletionEvent next(Completion completion) {
        try {
            CompletionEvent event = completion.next(PATIENCE);
            assertThat(event).as("an event within a minute").isNotNull();
            return event;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    static Answer of(Completion completion) {
        List<CompletionEvent> events = new ArrayList<>();
        List<Integer> ids = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        List<List<TokenProbability>> probabilities = new ArrayList<>();
        StopReason reason = null;
        boolean over = false;
        while (!over) {
            CompletionEvent event = next(completion);
            events.add(event);
            switch (event) {
                case CompletionEvent.Generated token -> {
                    ids.add(token.id());
                    text.append(token.text());
                    probabilities.add(token.probabilities());
                }
                case CompletionEvent.Ended end -> {
                    text.append(end.text());
                    reason = end.reason();
                    over = true;
                }
                case CompletionEvent.Failed failed -> over = true;
                case CompletionEvent.Started started -> {}
                case CompletionEvent.Prefilled prefilled -> {}
            }
        }
        return new Answer(ids, text.toString(), probabilities, reason, events);
    }

    /** What the same request gives alone. */
    static Answer alone(Generation generation) {
        List<Integer> ids = new ArrayList<>();
        List<List<TokenProbability>> probabilities = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        for (Token token : generation) {
            text.append(token.text());
            if (token.id() != Token.NO_ID) {
                ids.add(token.id());
                probabilities.add(token.probabilities().stream()
                        .map(each -> new TokenProbability(each.id(), each.logProbability()))
                        .toList());
            }
        }
        return new Answer(ids, text.toString(), probabilities, generation.stopReason(), List.of());
    }

    void assertSameAs(Answer other) {
        assertThat(ids).isEqualTo(other.ids);
        assertThat(text).isEqualTo(other.text);
        assertThat(probabilities).isEqualTo(other.probabilities);
        assertThat(reason).isEqualTo(other.reason);
    }

    CompletionEvent.Started started() {
        return (CompletionEvent.Started) events.getFirst();
    }

    CompletionTimings timings() {
        return ((CompletionEvent.Ended) events.getLast()).timings();
    }

    RuntimeException failure() {
        return ((CompletionEvent.Failed) events.getLast()).cause();
    }
}
