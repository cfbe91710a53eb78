package dev.tern.server.http;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Reads requests as RFC 9112 has them, and refuses whatever two readers could understand in two ways: lines that end in
 * a bare line feed, folded headers, a length given twice, a length beside a transfer coding. For one thread.
 */
final class RequestReader {
    private static final int SMALL = 512; // what a connection holds that waits
    private static final int LARGE = 16 << 10;
    private static final int CHUNK_LINE = 256;

    private final Socket socket;
    private final InputStream in;
    private final InetSocketAddress client;
    private final HttpLimits limits;
    private byte[] buffer = new byte[SMALL];
    private int at;
    private int end;

    /** A request's last moment, and what is left of its head. */
    private long deadline;

    private int headLeft;

    RequestReader(Socket socket, InetSocketAddress client, HttpLimits limits) throws IOException {
        this.socket = socket;
        this.in = socket.getInputStream();
        this.client = client;
        this.limits = limits;
    }

    /** Waits for a byte, however long; false when the client has left. */
    boolean await() throws IOException {
        if (at < end) {
            return true;
        }
        at = end = 0;
        if (buffer.length > SMALL) {
            buffer = new byte[SMALL];
        }
        socket.setSoTimeout(0);
        end = Math.max(0, in.read(buffer));
        return end > 0;
    }

    /** Throws away what comes until the client leaves. */
    void drain() throws IOException {
        at = end = 0;
        buffer = new byte[LARGE];
        socket.setSoTimeout(0);
        while (in.read(buffer) > 0) {}
    }

    /** Whether something that has arrived has not been read. */
    boolean hasMore() {
        return at < end;
    }

    /** Reads a request up to its body; the time for the whole request begins now. */
    RequestHead head() throws IOException, HttpException {
        deadline = System.nanoTime() + limits.requestTime().toNanos();
        headLeft = limits.headBytes();
        String line = line(414, "the request's target is too long");
        if (line.isEmpty()) { // some clients end a body with a line that they do not count
            line = line(414, "the request's target is too long");
        }
        String[] parts = line.split(" ", -1);
        if (parts.length != 3 || !isToken(parts[0]) || parts[1].isEmpty()) {
            throw new HttpException(400, "the first line is no HTTP request");
        }
        boolean http11 = parts[2].equals("HTTP/1.1");
        if (!http11 && !parts[2].equals("HTTP/1.0")) {
            throw new HttpException(parts[2].startsWith("HTTP/") ? 505 : 400, "expected HTTP/1.1");
        }
        Headers headers = headers();
        if (http11 && headers.all("Host").size() != 1) {
            throw new HttpException(400, "expected one Host header");
        }
        return new RequestHead(parts[0], RequestTarget.parse(parts[1]), http11, headers, client);
    }

    private Headers headers() throws IOException, HttpException {
        Headers headers = new Headers();
        while (true) {
            String line = line(431, "the headers are too large");
            if (line.isEmpty()) {
                return headers;
            }
            int colon = line.indexOf(':');
            if (colon < 0 || !isToken(line.substring(0, colon))) { // folded lines begin with a blank, which is no token
                throw new HttpException(400, "a header is not of the form 'name: value'");
            }
            if (headers.size() == limits.headers()) {
                throw new HttpException(431, "expected at most " + limits.headers() + " headers");
            }
            headers.add(line.substring(0, colon), line.substring(colon + 1).strip());
        }
    }

    /** Says no to a body that its head tells to be none, or too large. */
    void check(RequestHead head) throws HttpException {
        List<String> codings = head.headers().all("Transfer-Encoding");
        List<String> lengths = head.headers().all("Content-Length");
        if (!codings.isEmpty()) {
            if (!lengths.isEmpty() || !head.http11()) {
                throw new HttpException(400, "a transfer coding where there can be none");
            }
            if (codings.size() > 1 || !codings.getFirst().equalsIgnoreCase("chunked")) {
                throw new HttpException(501, "the only transfer coding known is chunked");
            }
            return;
        }
        for (String length : lengths) {
            if (lengths.size() > 1 || length.isEmpty() || !length.chars().allMatch(c -> c >= '0' && c <= '9')) {
                throw new HttpException(400, "expected one Content-Length, a number");
            }
            if (length.length() > 18 || Long.parseLong(length) > limits.bodyBytes()) {
                throw tooLarge();
            }
        }
    }

    /** The body, whole, of a head that was checked. */
    byte[] body(RequestHead head, BodyBudget.Lease lease) throws IOException, HttpException {
        if (head.headers().first("Transfer-Encoding").isPresent()) {
            return chunks(lease);
        }
        Body body = new Body(lease);
        body.read(Integer.parseInt(head.headers().first("Content-Length").orElse("0")));
        return body.bytes();
    }

    private byte[] chunks(BodyBudget.Lease lease) throws IOException, HttpException {
        Body body = new Body(lease);
        while (true) {
            headLeft = CHUNK_LINE;
            String line = line(400, "a chunk's first line is too long");
            int semicolon = line.indexOf(';');
            String size = (semicolon < 0 ? line : line.substring(0, semicolon)).strip();
            if (size.isEmpty() || size.length() > 15 || !size.chars().allMatch(c -> Character.digit(c, 16) >= 0)) {
                throw new HttpException(400, "a chunk's size is no hexadecimal number");
            }
            long bytes = Long.parseLong(size, 16);
            if (bytes == 0) {
                headLeft = limits.headBytes();
                headers(); // trailers say nothing that matters here
                return body.bytes();
            }
            if (bytes > limits.bodyBytes() - body.length) {
                throw tooLarge();
            }
            body.read((int) bytes);
            headLeft = CHUNK_LINE;
            if (!line(400, "a chunk is longer than its size").isEmpty()) {
                throw new HttpException(400, "a chunk is longer than its size");
            }
        }
    }

    private HttpException tooLarge() {
        return new HttpException(413, "the body is larger than the " + limits.bodyBytes() + " bytes that are taken");
    }

    /** Bytes that come: memory is taken for those that came, not for those announced. */
    private final class Body {
        private final BodyBudget.Lease lease;
        private byte[] bytes = new byte[0];
        private int length;

        Body(BodyBudget.Lease lease) {
            this.lease = lease;
        }

        void read(int count) throws IOException, HttpException {
            int wanted = length + count;
            while (length < wanted) {
                if (at == end) {
                    fill();
                }
                int n = Math.min(wanted - length, end - at);
                if (length + n > bytes.length) {
                    int room = Math.min(wanted, Math.max(length + n, 2 * bytes.length));
                    lease.grow(room);
                    bytes = Arrays.copyOf(bytes, room);
                }
                System.arraycopy(buffer, at, bytes, length, n);
                at += n;
                length += n;
            }
        }

        byte[] bytes() {
            return bytes.length == length ? bytes : Arrays.copyOf(bytes, length);
        }
    }

    /** A line without its end; its bytes are characters, as headers are read. */
    private String line(int statusWhenLong, String problemWhenLong) throws IOException, HttpException {
        StringBuilder line = new StringBuilder(64);
        while (true) {
            if (at == end) {
                fill();
            }
            int from = at;
            while (at < end && buffer[at] != '\n') {
                int c = buffer[at] & 0xff;
                if ((c < ' ' && c != '\t' && c != '\r') || c == 0x7f) {
                    throw new HttpException(400, "a control character in the head of the request");
                }
                at++;
            }
            line.append(new String(buffer, from, at - from, StandardCharsets.ISO_8859_1));
            headLeft -= at - from;
            if (headLeft < 0) {
                throw new HttpException(statusWhenLong, problemWhenLong);
            }
            if (at < end) {
                at++;
                headLeft--;
                int length = line.length() - 1;
                if (length < 0 || line.indexOf("\r") != length) {
                    throw new HttpException(400, "a line does not end in CR LF");
                }
                line.setLength(length);
                return line.toString();
            }
        }
    }

    /** Reads what has come into the buffer, which is read out; waits until the deadline for it. */
    private void fill() throws IOException, HttpException {
        if (buffer.length < LARGE && end == buffer.length) { // more comes than a small one takes
            buffer = new byte[LARGE];
        }
        at = end = 0;
        long millis = (deadline - System.nanoTime()) / 1_000_000;
        if (millis <= 0) {
            throw tooSlow();
        }
        socket.setSoTimeout((int) Math.min(millis, Integer.MAX_VALUE));
        try {
            int n = in.read(buffer);
            if (n < 0) {
                throw new ClientLeftException();
            }
            end = n;
        } catch (SocketTimeoutException e) {
            throw tooSlow();
        }
    }

    private HttpException tooSlow() {
        return new HttpException(408, "the request did not arrive within " + limits.requestTime().toSeconds() + " s");
    }

    private static boolean isToken(String text) {
        return !text.isEmpty()
                && text.chars()
                        .allMatch(c -> c > ' ' && c < 0x7f && "\"(),/:;<=>?@[\\]{}".indexOf(c) < 0);
    }

    /** The client left in the midst of a request: there is nobody to answer. */
    static final class ClientLeftException extends IOException {
        private static final long serialVersionUID = 1;

        ClientLeftException() {
            super("the client left in the midst of its request");
        }
    }
}
