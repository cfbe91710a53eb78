package dev.tern.server.http;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * Answers with what was asked: method, path, query and body. {@code /refused} is refused, {@code /flood} streams
 * without end, {@code /wait} answers when it is told or the client has left, {@code /health} is answered always.
 */
final class EchoHandler implements HttpHandler {
    final CountDownLatch answer = new CountDownLatch(1);
    final CountDownLatch waiting = new CountDownLatch(1);
    final CountDownLatch left = new CountDownLatch(1);
    final CountDownLatch floodEnded = new CountDownLatch(1);

    @Override
    public Optional<Reply> refuse(RequestHead head) {
        return head.target().path().equals("/refused") ? Optional.of(reply(403, "refused")) : Optional.empty();
    }

    @Override
    public boolean always(RequestHead head) {
        return head.target().path().equals("/health");
    }

    @Override
    public void handle(Exchange exchange) throws IOException, InterruptedException {
        RequestHead head = exchange.head();
        switch (head.target().path()) {
            case "/wait" -> {
                exchange.whenGone(left::countDown);
                waiting.countDown();
                answer.await();
                exchange.respond(reply(200, "waited"));
            }
            case "/flood" -> flood(exchange);
            case "/stream" -> {
                OutputStream out = exchange.stream(200, new Headers().add("Content-Type", "text/plain"));
                for (String piece : new String[] {"one ", "two ", "three"}) {
                    out.write(piece.getBytes(StandardCharsets.UTF_8));
                    out.flush();
                }
                out.close();
            }
            case "/cut" -> {
                OutputStream out = exchange.stream(200, new Headers());
                out.write('x');
                out.flush();
                throw new IOException("in the midst of an answer");
            }
            default -> exchange.respond(reply(
                    200,
                    head.method() + " " + head.target().path() + " " + head.target().query() + " "
                            + new String(exchange.body(), StandardCharsets.UTF_8)));
        }
    }

    private void flood(Exchange exchange) throws IOException {
        byte[] piece = new byte[1 << 16];
        try {
            OutputStream out = exchange.stream(200, new Headers());
            while (true) {
                out.write(piece);
            }
        } finally {
            floodEnded.countDown();
        }
    }

    @Override
    public Reply unreadable(InetSocketAddress client, @Nullable RequestHead head, HttpException problem) {
        return reply(problem.status(), problem.getMessage());
    }

    private static Reply reply(int status, String text) {
        return new Reply(
                status, new Headers().add("Content-Type", "text/plain"), text.getBytes(StandardCharsets.UTF_8));
    }
}
