package dev.tern.server.http;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the requests are answered by. Called from many threads at once. */
public interface HttpHandler {
    /** Refuses a request by its head alone, before its body is read; empty to go on. */
    Optional<Reply> refuse(RequestHead head);

    /** Whether a request is answered even when as many as may are being answered. */
    boolean always(RequestHead head);

    /**
     * Answers a request.
     *
     * @throws IOException when the client cannot be written to any more
     * @throws InterruptedException when the thread is interrupted
     */
    void handle(Exchange exchange) throws IOException, InterruptedException;

    /**
     * The answer to a request that cannot be read.
     *
     * @param head null where not even that could be read
     */
    Reply unreadable(InetSocketAddress client, @Nullable RequestHead head, HttpException problem);
}
