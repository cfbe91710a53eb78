package dev.tern.server.api;

import java.io.IOException;

/** Answers one kind of request. Called from many threads at once. */
@FunctionalInterface
public interface Endpoint {
    /**
     * Answers, or throws what is the answer: {@link ApiException}, {@link dev.tern.server.json.FieldException},
     * {@link dev.tern.io.InputException} and {@link dev.tern.server.slots.QueueFullException} all have one.
     *
     * @throws IOException when the client cannot be written to any more
     */
    void answer(Call call) throws IOException, InterruptedException;
}
