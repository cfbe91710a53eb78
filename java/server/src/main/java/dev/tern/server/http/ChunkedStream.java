package dev.tern.server.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** A body in chunks (RFC 9112, section 7.1), or as it is for HTTP/1.0; nothing for HEAD. */
final class ChunkedStream extends OutputStream {
    private static final byte[] LAST = "0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] LINE_END = {'\r', '\n'};
    private static final int FULL = 16 << 10;

    private final Connection connection;
    private final boolean chunked;
    private final boolean silent;
    private final Runnable whenComplete;
    private final ByteArrayOutputStream pending = new ByteArrayOutputStream();
    private boolean closed;

    ChunkedStream(Connection connection, RequestHead head, Runnable whenComplete) {
        this.connection = connection;
        this.chunked = head.http11();
        this.silent = head.method().equals("HEAD");
        this.whenComplete = whenComplete;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int count) throws IOException {
        pending.write(bytes, from, count);
        if (pending.size() >= FULL) {
            flush();
        }
    }

    @Override
    public void flush() throws IOException {
        int size = pending.size();
        if (size == 0) {
            return;
        }
        byte[] data = pending.toByteArray();
        pending.reset();
        if (silent) {
            return;
        }
        if (!chunked) {
            connection.write(data);
            return;
        }
        byte[] length = (Integer.toHexString(size) + "\r\n").getBytes(StandardCharsets.US_ASCII);
        byte[] chunk = new byte[length.length + size + LINE_END.length];
        System.arraycopy(length, 0, chunk, 0, length.length);
        System.arraycopy(data, 0, chunk, length.length, size);
        System.arraycopy(LINE_END, 0, chunk, length.length + size, LINE_END.length);
        connection.write(chunk);
    }

    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        flush();
        if (chunked && !silent) {
            connection.write(LAST);
        }
        whenComplete.run();
    }
}
