package dev.tern.server.http;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * A request and the answer to it, given once: whole, or as a stream. For one thread, except where it says otherwise.
 */
public final class Exchange {
    private final Connection connection;
    private final RequestHead head;
    private final byte[] body;
    private final BodyBudget.Lease lease;
    private final List<Runnable> actions = new ArrayList<>();
    private boolean keepsAlive;
    private boolean started;
    private boolean complete;
    private boolean gone;

    Exchange(Connection connection, RequestHead head, byte[] body, BodyBudget.Lease lease) {
        this.connection = connection;
        this.head = head;
        this.body = body;
        this.lease = lease;
        this.keepsAlive = head.keepsAlive();
    }

    /** The request without its body. */
    public RequestHead head() {
        return head;
    }

    /** The request's body: the very bytes, not to be changed. */
    public byte[] body() {
        return body;
    }

    /**
     * Takes of the memory that all requests may have, for what the body is read into, until the answer is given.
     *
     * @return whether so much is left
     */
    public boolean reserve(long bytes) {
        return lease.more(bytes);
    }

    /** Whether the client has left, as far as can be known. Any thread may ask. */
    public boolean gone() {
        synchronized (actions) {
            return gone;
        }
    }

    /** Runs this when the client leaves, on a thread that must not be held; at once when it has left. */
    public void whenGone(Runnable action) {
        synchronized (actions) {
            if (!gone) {
                actions.add(action);
                return;
            }
        }
        action.run();
    }

    void leave() {
        List<Runnable> all;
        synchronized (actions) {
            gone = true;
            all = List.copyOf(actions);
            actions.clear();
        }
        all.forEach(Runnable::run);
    }

    /** Whether an answer has begun. */
    public boolean started() {
        return started;
    }

    /** Answers, whole. */
    public void respond(Reply reply) throws IOException {
        begin();
        keepsAlive &= !connection.draining();
        connection.write(Wire.whole(reply, head, keepsAlive));
        complete = true;
    }

    /**
     * Begins an answer whose length is not known: what is written is sent when it is flushed, and
     * {@link OutputStream#close} ends it. An answer that is not closed is cut off, so that the client can tell.
     */
    public OutputStream stream(int status, Headers headers) throws IOException {
        begin();
        keepsAlive &= head.http11() && !connection.draining();
        connection.write(Wire.head(status, headers, head, keepsAlive));
        return new ChunkedStream(connection, head, () -> complete = true);
    }

    private void begin() {
        if (started) {
            throw new IllegalStateException("the request has been answered");
        }
        started = true;
    }

    /** Whether the answer was given to its end. */
    public boolean complete() {
        return complete;
    }

    boolean keepsAlive() {
        return keepsAlive && complete;
    }
}
