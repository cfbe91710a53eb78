package dev.tern.server.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A client that sends whatever it is told, byte for byte. */
public final class RawClient implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;

    public RawClient(InetSocketAddress server) throws IOException {
        socket = new Socket();
        socket.setReceiveBufferSize(1 << 16);
        socket.connect(server);
        socket.setSoTimeout(20_000);
        in = socket.getInputStream();
    }

    public RawClient send(String text) throws IOException {
        return send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    public RawClient send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        return this;
    }

    public Socket socket() {
        return socket;
    }

    /** Everything up to the end of the connection. */
    public String readAll() throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }

    /** Everything up to and with this text. */
    public String readUntil(String end) throws IOException {
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        byte[] wanted = end.getBytes(StandardCharsets.UTF_8);
        while (true) {
            int b = in.read();
            if (b < 0) {
                throw new IOException("the connection ended after: " + read.toString(StandardCharsets.UTF_8));
            }
            read.write(b);
            if (b == wanted[wanted.length - 1] && read.toString(StandardCharsets.UTF_8).endsWith(end)) {
                return read.toString(StandardCharsets.UTF_8);
            }
        }
    }

    /** One answer with a length: its head and its body. */
    public String readAnswer() throws IOException {
        String head = readUntil("\r\n\r\n");
        int at = head.indexOf("Content-Length: ");
        int length = at < 0 ? 0 : Integer.parseInt(head.substring(at + 16, head.indexOf("\r\n", at)));
        return head + new String(in.readNBytes(length), StandardCharsets.UTF_8);
    }

    /** The status of an answer. */
    public static int status(String answer) {
        return Integer.parseInt(answer.substring("HTTP/1.1 ".length(), "HTTP/1.1 ".length() + 3));
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
