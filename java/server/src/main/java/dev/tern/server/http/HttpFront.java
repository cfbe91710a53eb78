package dev.tern.server.http;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Comparator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/** A listening socket, and the connections of the clients that came. Thread-safe. */
public final class HttpFront implements AutoCloseable {
    private static final int BACKLOG = 1024;
    private static final long WATCH_MILLIS = 200;

    private final ServerSocket listener;
    private final HttpLimits limits;
    private final HttpHandler handler;
    private final BodyBudget bodies;
    private final Semaphore requests;
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private volatile boolean draining;
    private volatile boolean closed;

    private HttpFront(ServerSocket listener, HttpLimits limits, HttpHandler handler) {
        this.listener = listener;
        this.limits = limits;
        this.handler = handler;
        this.bodies = new BodyBudget(limits.allBodyBytes());
        this.requests = new Semaphore(limits.requests());
    }

    /**
     * Listens, and answers from now on.
     *
     * @param address port 0 takes a free one
     * @throws IOException when the address cannot be had
     */
    public static HttpFront open(InetSocketAddress address, HttpLimits limits, HttpHandler handler) throws IOException {
        ServerSocket listener = new ServerSocket();
        try {
            listener.bind(address, BACKLOG);
        } catch (IOException e) {
            listener.close();
            throw e;
        }
        HttpFront front = new HttpFront(listener, limits, handler);
        Thread.ofPlatform().daemon().name("tern-http-accept").start(front::accept);
        Thread.ofPlatform().daemon().name("tern-http-watch").start(front::watch);
        return front;
    }

    /** Where it listens. */
    public InetSocketAddress address() {
        return (InetSocketAddress) listener.getLocalSocketAddress();
    }

    /** Connections that are open. */
    public int connections() {
        return connections.size();
    }

    /** Takes no more connections, and closes each that waits for a request, now or when its answer is given. */
    public void drain() {
        draining = true;
        try {
            listener.close();
        } catch (IOException e) {
            return; // it is closed
        }
    }

    /** Waits until all connections are closed, so long at most; says whether they are. */
    public boolean awaitQuiet(Duration patience) throws InterruptedException {
        long start = System.nanoTime();
        while (!connections.isEmpty() && System.nanoTime() - start < patience.toNanos()) {
            Thread.sleep(10);
        }
        return connections.isEmpty();
    }

    /** Cuts off whoever is left. Idempotent. */
    @Override
    public void close() {
        drain();
        closed = true;
        connections.forEach(Connection::cut);
    }

    private void accept() {
        while (!draining) {
            Socket socket = null;
            try {
                socket = listener.accept();
                admit(socket);
            } catch (Throwable e) { // no more file descriptors or memory, most likely; or closed
                Connection.cut(socket); // whatever it was, who comes next is listened to
                makeRoom();
                pause();
            }
        }
    }

    private void admit(Socket socket) {
        if (connections.size() >= limits.connections() && !makeRoom()) {
            Connection.cut(socket);
            return;
        }
        Connection connection = new Connection(this, socket);
        connections.add(connection);
        if (closed) { // it was overlooked by close()
            connection.cut();
        }
        try {
            Thread.ofVirtual().name("tern-http-read").start(connection);
        } catch (Throwable e) {
            connections.remove(connection);
            throw e;
        }
    }

    /** Cuts off the connection that has kept us waiting longest for a request; false when none does. */
    private boolean makeRoom() {
        long now = System.nanoTime();
        return connections.stream()
                .filter(connection -> connection.keepsWaiting(now))
                .max(Comparator.comparingLong(connection -> connection.age(now)))
                .map(connection -> {
                    connections.remove(connection);
                    connection.cut();
                    return true;
                })
                .orElse(false);
    }

    private void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Cuts off those whose time is over. */
    private void watch() {
        while (!closed || !connections.isEmpty()) {
            long now = System.nanoTime();
            for (Connection connection : connections) {
                if (connection.expired(now) || (draining && connection.idle())) {
                    connection.cut();
                }
            }
            try {
                Thread.sleep(draining ? 20 : WATCH_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    void closed(Connection connection) {
        connections.remove(connection);
    }

    boolean draining() {
        return draining;
    }

    HttpLimits limits() {
        return limits;
    }

    HttpHandler handler() {
        return handler;
    }

    BodyBudget bodies() {
        return bodies;
    }

    Semaphore requests() {
        return requests;
    }
}
