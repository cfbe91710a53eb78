package dev.tern.source;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An HTTP/1.1 server on this machine that does what a test tells it, however wrong. */
final class RoughServer implements AutoCloseable {
    private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d+)");

    private final ServerSocket socket;
    private final Handler handler;
    private final List<Request> requests = new CopyOnWriteArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);

    /** Answers requests, several at once. */
    interface Handler {
        Reply reply(Request request) throws Exception;
    }

    /** @param headers by their names in small letters */
    record Request(String method, String target, Map<String, String> headers, String body) {
        /** Decoded. */
        String path() {
            return URLDecoder.decode(target.replaceAll("\\?.*", "").replace("+", "%2B"), StandardCharsets.UTF_8);
        }

        String query(String name) {
            for (String field : target.replaceAll("^[^?]*\\??", "").split("&")) {
                if (field.startsWith(name + "=")) {
                    return URLDecoder.decode(field.substring(name.length() + 1), StandardCharsets.UTF_8);
                }
            }
            return "";
        }

        String header(String name) {
            return headers.getOrDefault(name.toLowerCase(Locale.ROOT), "");
        }
    }

    /**
     * @param announced what Content-Length says, or -1 for the body's own
     * @param cutAfter bytes after which the connection breaks, or -1
     * @param stallAfter bytes after which nothing comes any more, or -1
     */
    record Reply(int status, Map<String, String> headers, byte[] body, long announced, int cutAfter, int stallAfter) {
        static Reply of(int status, byte[] body) {
            return new Reply(status, new LinkedHashMap<>(), body, -1, -1, -1);
        }

        static Reply of(int status, String body) {
            return of(status, body.getBytes(StandardCharsets.UTF_8));
        }

        static Reply ok(byte[] body) {
            return of(200, body);
        }

        static Reply redirect(String location) {
            return of(302, "moved").with("Location", location);
        }

        /** The stretch that is asked for, as a server does that knows ranges. */
        static Reply range(Request request, byte[] all) {
            Matcher range = RANGE.matcher(request.header("Range"));
            if (!range.matches()) {
                return ok(all);
            }
            int from = Integer.parseInt(range.group(1));
            int to = Math.min(all.length - 1, Integer.parseInt(range.group(2)));
            return of(206, Arrays.copyOfRange(all, from, to + 1))
                    .with("Content-Range", "bytes " + from + "-" + to + "/" + all.length);
        }

        Reply with(String name, String value) {
            Map<String, String> more = new LinkedHashMap<>(headers);
            more.put(name, value);
            return new Reply(status, more, body, announced, cutAfter, stallAfter);
        }

        Reply cutAfter(int bytes) {
            return new Reply(status, headers, body, announced, bytes, stallAfter);
        }

        Reply stallAfter(int bytes) {
            return new Reply(status, headers, body, announced, cutAfter, bytes);
        }

        Reply body(byte[] other) {
            return new Reply(status, headers, other, announced, cutAfter, stallAfter);
        }
    }

    RoughServer(Handler handler) throws IOException {
        this.handler = handler;
        this.socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    String url() {
        return "http://localhost:" + socket.getLocalPort();
    }

    /** All requests so far. */
    List<Request> requests() {
        return requests;
    }

    /** The requests for paths that end so. */
    List<Request> requests(String end) {
        return requests.stream().filter(request -> request.path().endsWith(end)).toList();
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                Socket connection = socket.accept();
                Thread.ofVirtual().start(() -> serve(connection));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            InputStream in = new BufferedInputStream(connection.getInputStream());
            OutputStream out = connection.getOutputStream();
            for (Request request = read(in); request != null; request = read(in)) {
                requests.add(request);
                if (!write(out, request, handler.reply(request))) {
                    return;
                }
            }
        } catch (Exception e) {
            // The client broke off, or the handler wants the connection closed without an answer.
        }
    }

    private static Request read(InputStream in) throws IOException {
        String first = line(in);
        if (first.isEmpty()) {
            return null;
        }
        Map<String, String> headers = new LinkedHashMap<>();
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            int colon = line.indexOf(':');
            headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
        }
        int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
        String body = new String(in.readNBytes(length), StandardCharsets.UTF_8);
        String[] words = first.split(" ");
        return new Request(words[0], words[1], headers, body);
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
            line.write(c);
        }
        return line.toString(StandardCharsets.ISO_8859_1).strip();
    }

    /** Whether the connection may go on. */
    private boolean write(OutputStream out, Request request, Reply reply) throws Exception {
        List<String> head = new ArrayList<>();
        head.add("HTTP/1.1 " + reply.status() + " Whatever");
        reply.headers().forEach((name, value) -> head.add(name + ": " + value));
        if (!reply.headers().containsKey("Transfer-Encoding")) {
            head.add("Content-Length: " + (reply.announced() < 0 ? reply.body().length : reply.announced()));
        }
        out.write((String.join("\r\n", head) + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
        if (request.method().equals("HEAD")) {
            out.flush();
            return true;
        }
        int most = reply.body().length;
        if (reply.cutAfter() >= 0) {
            most = Math.min(most, reply.cutAfter());
        }
        if (reply.stallAfter() >= 0) {
            most = Math.min(most, reply.stallAfter());
        }
        out.write(reply.body(), 0, most);
        out.flush();
        if (reply.stallAfter() >= 0) {
            closed.await();
        }
        return reply.cutAfter() < 0 && reply.stallAfter() < 0;
    }

    @Override
    public void close() throws IOException {
        closed.countDown();
        socket.close();
    }
}
