package dev.tern.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A folder as a model of a Hugging Face hub, {@code org/packed-u8}, and as a folder of a web server, {@code /files/}.
 */
final class HubServer implements AutoCloseable {
    static final String COMMIT = "89abcdef0123456789abcdef0123456789abcdef";

    /** Connections that break in the middle of the weights, before others do not. */
    final AtomicInteger breaks = new AtomicInteger();

    /** Answers that stop in the middle of the weights and stay there until the server ends. */
    final AtomicInteger stalls = new AtomicInteger();

    /** Opened when an answer has come to such a stop. */
    final CountDownLatch stalled = new CountDownLatch(1);

    private final CountDownLatch closed = new CountDownLatch(1);

    final List<String> requests = new CopyOnWriteArrayList<>();
    private final Path folder;
    private final ServerSocket socket;

    HubServer(Path folder) throws IOException {
        this.folder = folder;
        socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(() -> {
            while (!socket.isClosed()) {
                try {
                    Socket connection = socket.accept();
                    Thread.ofVirtual().start(() -> serve(connection));
                } catch (IOException e) {
                    return; // closed
                }
            }
        });
    }

    String url() {
        return "http://localhost:" + socket.getLocalPort();
    }

    private void serve(Socket connection) {
        try (connection) {
            BufferedReader in = new BufferedReader(
                    new InputStreamReader(connection.getInputStream(), StandardCharsets.ISO_8859_1));
            String[] words = in.readLine().split(" ");
            String range = "";
            for (String line = in.readLine(); !line.isEmpty(); line = in.readLine()) {
                range = line.startsWith("Range: bytes=") ? line.substring(13) : range;
            }
            requests.add(words[0] + " " + words[1]);
            answer(connection.getOutputStream(), words[0].equals("HEAD"), words[1], range);
        } catch (Exception e) {
            // The client broke off.
        }
    }

    private void answer(OutputStream out, boolean head, String target, String range) throws Exception {
        if (target.startsWith("/api/models/org/packed-u8/revision/main?")) {
            send(out, "200 OK", listing().getBytes(StandardCharsets.UTF_8), head);
            return;
        }
        String name = target.replaceFirst("^(/org/packed-u8/resolve/" + COMMIT + "/|/files/)", "");
        Path file = folder.resolve(name);
        if (name.equals(target) || name.isEmpty() || !Files.isRegularFile(file)) {
            send(out, "404 Not Found\r\nX-Error-Code: RepoNotFound", new byte[0], head);
            return;
        }
        byte[] bytes = Files.readAllBytes(file);
        String status = "200 OK";
        if (!range.isEmpty()) {
            int from = Integer.parseInt(range.split("-")[0]);
            int to = Integer.parseInt(range.split("-")[1]);
            status = "206 Partial\r\nContent-Range: bytes " + from + "-" + to + "/" + bytes.length;
            bytes = Arrays.copyOfRange(bytes, from, to + 1);
        }
        boolean weights = name.endsWith(".safetensors") && !head;
        boolean stops = weights && stalls.getAndDecrement() > 0;
        boolean broken = weights && breaks.getAndDecrement() > 0;
        out.write(("HTTP/1.1 " + status + "\r\nETag: \"" + name.hashCode()
                + "\"\r\nConnection: close\r\nContent-Length: "
                        + bytes.length + "\r\n\r\n")
                .getBytes(StandardCharsets.ISO_8859_1));
        if (!head) {
            out.write(bytes, 0, broken || stops ? bytes.length / 2 : bytes.length);
            out.flush();
        }
        if (stops) {
            stalled.countDown();
            closed.await();
        }
    }

    private static void send(OutputStream out, String status, byte[] body, boolean head) throws IOException {
        out.write(("HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Length: " + body.length + "\r\n\r\n")
                .getBytes(StandardCharsets.ISO_8859_1));
        if (!head) {
            out.write(body);
        }
    }

    private String listing() throws Exception {
        StringBuilder json =
                new StringBuilder("{\"sha\": \"" + COMMIT + "\", \"siblings\": [{\"rfilename\": \"optimizer.bin\"}");
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                byte[] bytes = Files.readAllBytes(file);
                String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
                json.append(", {\"rfilename\": \"").append(file.getFileName()).append("\", \"lfs\": {\"sha256\": \"")
                        .append(sha256)
                        .append("\", \"size\": ").append(bytes.length).append("}}");
            }
        }
        return json.append("]}").toString();
    }

    @Override
    public void close() throws IOException {
        closed.countDown();
        socket.close();
    }
}
