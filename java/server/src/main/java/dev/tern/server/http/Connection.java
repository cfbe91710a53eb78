package dev.tern.server.http;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection. A virtual thread reads requests; each is answered on a thread of its own while the first
 * waits for the next one, so that it notices at once when the client leaves.
 */
final class Connection implements Runnable {
    private static final int SLICE = 16 << 10;
    private static final long LINGER_NANOS = 2_000_000_000L;
    private static final long SLOW_NANOS = 2_000_000_000L;

    private enum State {
        /** Nothing of a request has come. */
        IDLE,
        READING,
        ANSWERING,
        /** All is said; what the client still sends is thrown away until it closes, or it might lose the answer. */
        LINGERING
    }

    private final HttpFront front;
    private final Socket socket;
    private final InetSocketAddress client;
    private volatile State state = State.IDLE;
    private volatile long since = System.nanoTime();
    private volatile boolean writing;
    private volatile long writingSince;

    Connection(HttpFront front, Socket socket) {
        this.front = front;
        this.socket = socket;
        this.client = (InetSocketAddress) socket.getRemoteSocketAddress();
    }

    @Override
    public void run() {
        try (socket) {
            socket.setTcpNoDelay(true);
            RequestReader reader = new RequestReader(socket, client, front.limits());
            while (reader.await()) {
                if (!serve(reader)) {
                    reader.drain();
                    return;
                }
            }
        } catch (IOException e) {
            return; // the client is gone, or was cut off
        } finally {
            front.closed(this);
        }
    }

    /** Reads a request and has it answered; false when nothing more is to be said here. */
    private boolean serve(RequestReader reader) throws IOException {
        enter(State.READING);
        Share share = new Share();
        try {
            RequestHead head = null;
            byte[] body;
            try {
                head = reader.head();
                Optional<Reply> refused = front.handler().refuse(head);
                if (refused.isPresent()) {
                    return refuse(head, refused.get());
                }
                reader.check(head);
                if (head.hasBody() && head.headers().hasToken("Expect", "100-continue") && !reader.hasMore()) {
                    write(Wire.CONTINUE);
                }
                body = reader.body(head, share.memory);
                if (!front.handler().always(head)) { // not before: who sends slowly must not keep others out
                    share.permit();
                }
            } catch (HttpException e) {
                Reply reply = front.handler().unreadable(client, head, e);
                write(Wire.whole(reply, head != null && head.method().equals("HEAD"), false));
                linger();
                return false;
            }
            return answer(reader, new Exchange(this, head, body, share.memory), share);
        } finally {
            share.release();
        }
    }

    /** What a request takes of what all have together, until it is answered. For one thread at a time. */
    private final class Share {
        private final BodyBudget.Lease memory = front.bodies().new Lease();
        private boolean permitted;

        void permit() throws HttpException {
            permitted = front.requests().tryAcquire();
            if (!permitted) {
                throw new HttpException(503, "too many requests at once");
            }
        }

        /** Idempotent. */
        void release() {
            memory.release();
            if (permitted) {
                permitted = false;
                front.requests().release();
            }
        }
    }

    private boolean refuse(RequestHead head, Reply reply) throws IOException {
        boolean more = head.keepsAlive() && !head.hasBody() && !draining();
        write(Wire.whole(reply, head, more));
        if (more) {
            enter(State.IDLE);
        } else {
            linger();
        }
        return more;
    }

    private boolean answer(RequestReader reader, Exchange exchange, Share share) throws IOException {
        enter(State.ANSWERING);
        Thread worker = Thread.ofVirtual().name("tern-http").start(() -> work(exchange, share));
        boolean more = false;
        try {
            more = reader.await();
        } finally {
            if (!more) {
                exchange.leave();
            }
            joined(worker);
        }
        return more && exchange.keepsAlive();
    }

    private void work(Exchange exchange, Share share) {
        try {
            front.handler().handle(exchange);
        } catch (IOException e) {
            exchange.leave();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            share.release(); // now, and not when the client asks for something else
            if (exchange.keepsAlive()) {
                enter(State.IDLE);
            } else if (exchange.complete()) {
                linger();
            } else {
                cut();
            }
        }
    }

    private static void joined(Thread worker) {
        boolean interrupted = false;
        while (true) {
            try {
                worker.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void enter(State next) {
        since = System.nanoTime();
        state = next;
    }

    private void linger() {
        enter(State.LINGERING);
        try {
            socket.shutdownOutput();
        } catch (IOException e) {
            cut();
        }
    }

    boolean draining() {
        return front.draining();
    }

    /** Writes in slices, each within the time of a write, or fails. */
    void write(byte[] bytes) throws IOException {
        OutputStream out = socket.getOutputStream();
        for (int from = 0; from < bytes.length; from += SLICE) {
            writingSince = System.nanoTime();
            writing = true;
            try {
                out.write(bytes, from, Math.min(SLICE, bytes.length - from));
            } finally {
                writing = false;
            }
        }
    }

    /** Whether it has used up the time of what it does. */
    boolean expired(long now) {
        HttpLimits limits = front.limits();
        return (writing && now - writingSince > limits.writeTime().toNanos())
                || (state == State.IDLE && now - since > limits.idleTime().toNanos())
                || (state == State.LINGERING && now - since > LINGER_NANOS);
    }

    /** Whether it waits for a request. */
    boolean idle() {
        return state == State.IDLE;
    }

    /** Whether it waits for a request, or for one that comes slowly. */
    boolean keepsWaiting(long now) {
        return state == State.IDLE || (state == State.READING && now - since > SLOW_NANOS);
    }

    /** How long it has been in its state. */
    long age(long now) {
        return now - since;
    }

    /** Ends it at once, from any thread. */
    void cut() {
        try {
            socket.close();
        } catch (IOException e) {
            return; // it is closed
        }
    }

    static void cut(@Nullable Socket socket) {
        if (socket != null) {
            try {
                socket.close();
            } catch (IOException e) {
                return;
            }
        }
    }
}
