package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

/** What strangers, the system and a careless user do to a server that others use. */
class ServerFaultsTest {
    private static final String HEAD = "POST /completion HTTP/1.1\r\nHost: localhost\r\n";
    private static final int CONNECTIONS = 10_000;

    private static Path folder;
    private static Path model;

    @BeforeAll
    static void convert(@TempDir Path temporary) {
        folder = temporary;
        model = folder.resolve("tiny.gguf");
        assertThat(InProcess.tern("convert", InProcess.PACKED, "-o", model).status()).isZero();
    }

    private static ObjectNode fable() {
        return ServeClient.json("{'messages': [{'role': 'user', 'content': 'Tell me the fable of The Fox and the"
                + " Grapes.'}], 'temperature': 0}");
    }

    private static String tell(ServeClient client) throws IOException, InterruptedException {
        return client.answer("/v1/chat/completions", fable());
    }

    private static Socket connect(ServeProcess server) throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress(server.uri().getHost(), server.uri().getPort()));
        socket.setSoTimeout(30_000);
        return socket;
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** The status that a request gets whose characters are its bytes. */
    private static int status(ServeProcess server, String request) throws IOException {
        try (Socket socket = connect(server)) {
            send(socket, request);
            return status(socket);
        }
    }

    private static int status(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        String line = new String(in.readNBytes("HTTP/1.1 200".length()), StandardCharsets.ISO_8859_1);
        return Integer.parseInt(line.substring(line.indexOf(' ') + 1));
    }

    private static String withBody(String body) {
        return HEAD + "Content-Length: " + body.length() + "\r\n\r\n" + body;
    }

    /** One of each, at the same time. */
    private static void misbehave(ServeProcess server, ExecutorService strangers) throws Exception {
        List<Future<?>> all = new ArrayList<>();
        all.add(strangers.submit(() -> assertThat(bodyOf(100 << 20, server)).isEqualTo(413)));
        for (String nonsense : List.of(
                withBody("{\"prompt\": \"\u00c3\"}"),
                withBody("{\"prompt\": "),
                withBody("[".repeat(100_000)),
                "\u0016\u0003\u0001nonsense\r\n\r\n")) {
            all.add(strangers.submit(() -> assertThat(status(server, nonsense)).isEqualTo(400)));
        }
        all.add(strangers.submit( // stalls
                () -> assertThat(status(server, withBody("{\"prompt\": \"A fox\"}").substring(0, 80))).isEqualTo(408)));
        all.add(strangers.submit(() -> { // sends a half and leaves
            try (Socket socket = connect(server)) {
                send(socket, withBody("{\"prompt\": \"A fox\"}").substring(0, 80));
            }
            return null;
        }));
        for (String stream : List.of("true", "false")) {
            all.add(strangers.submit(() -> { // vanishes in the midst of its answer, without a word
                try (Socket socket = connect(server)) {
                    send(socket, withBody("{\"prompt\": \"A fox\", \"ignore_eos\": true, \"stream\": " + stream + "}"));
                    if (stream.equals("true")) {
                        assertThat(status(socket)).isEqualTo(200);
                    }
                    socket.setSoLinger(true, 0);
                }
                return null;
            }));
        }
        for (Future<?> one : all) {
            one.get();
        }
    }

    private static int bodyOf(int bytes, ServeProcess server) throws Exception {
        try (Socket socket = connect(server)) {
            send(socket, HEAD + "Content-Length: " + bytes + "\r\n\r\n");
            Thread sender = Thread.ofVirtual().start(() -> {
                try {
                    OutputStream out = socket.getOutputStream();
                    for (int sent = 0; sent < bytes; sent += 1 << 16) {
                        out.write(new byte[1 << 16]);
                    }
                } catch (IOException e) {
                    return; // cut off
                }
            });
            int status = status(socket);
            sender.join();
            return status;
        }
    }

    @Test
    void thoseWhoMisbehaveHarmNobodyElseAndLeaveNothing() throws Exception {
        try (ServeProcess server =
                        ServeProcess.startWith("-Xmx128m", "-m", model, "--request-timeout", "1", "--metrics");
                ServeClient client = new ServeClient(server);
                ExecutorService strangers = Executors.newVirtualThreadPerTaskExecutor()) {
            String expected = tell(client);
            misbehave(server, strangers); // the first of them make the JVM load what it needs
            Optional<ProcessVitals> before = server.atRest();
            ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();
            AtomicInteger right = new AtomicInteger();
            AtomicBoolean over = new AtomicBoolean();
            Future<?> other = strangers.submit(() -> {
                while (!over.get()) {
                    String answer = tell(client);
                    if (answer.equals(expected)) {
                        right.incrementAndGet();
                    } else {
                        wrong.add(answer);
                    }
                }
                return null;
            });
            List<Future<?>> groups = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                groups.add(strangers.submit(() -> {
                    misbehave(server, strangers);
                    return null;
                }));
            }
            for (Future<?> group : groups) {
                group.get();
            }
            over.set(true);
            other.get();
            assertThat(wrong).isEmpty();
            assertThat(right.get()).isPositive();
            assertThat(server.log()).noneMatch(line -> line.contains("level=error"));
            Optional<ProcessVitals> after = server.atRest();
            if (before.isPresent()) {
                assertThat(after.get().threads()).isLessThanOrEqualTo(before.get().threads() + 4);
                assertThat(after.get().descriptors()).isLessThanOrEqualTo(before.get().descriptors());
                assertThat(after.get().residentBytes()).isLessThan(before.get().residentBytes() + (96L << 20));
            }
        }
    }

    @Test
    void thousandsOfConnectionsHarmNobody() throws Exception {
        try (ServeProcess server = ServeProcess.startWith("-Xmx128m", "-m", model, "--metrics")) {
            String expected;
            try (ServeClient client = new ServeClient(server)) {
                expected = tell(client);
            }
            Optional<ProcessVitals> before = server.atRest();
            List<Socket> sockets = new ArrayList<>();
            try {
                while (sockets.size() < CONNECTIONS) {
                    sockets.add(connect(server));
                    if (sockets.size() % 3 == 0) {
                        sendIfOpen(sockets.getLast(), HEAD.substring(0, sockets.size() % HEAD.length()));
                    }
                }
            } catch (SocketException e) { // the limit of this process: fewer must do
                assertThat(sockets.size()).as(e.toString()).isGreaterThan(500);
                sockets.removeLast().close();
                sockets.removeLast().close();
            }
            try (ServeClient client = new ServeClient(server)) {
                assertThat(tell(client)).isEqualTo(expected);
            } finally {
                for (Socket socket : sockets) {
                    socket.close();
                }
            }
            Optional<ProcessVitals> after = server.atRest();
            if (before.isPresent()) {
                assertThat(after.get().descriptors()).isLessThanOrEqualTo(before.get().descriptors());
                assertThat(after.get().threads()).isLessThanOrEqualTo(before.get().threads() + 4);
            }
        }
    }

    private static void sendIfOpen(Socket socket, String text) {
        try {
            send(socket, text);
        } catch (IOException e) {
            return; // it has been cut off already
        }
    }

    @Test
    void aModelFileThatIsReplacedOrRemovedIsStillTheOneServed() throws Exception {
        Path file = Files.copy(model, folder.resolve("served.gguf"));
        try (ServeProcess server = ServeProcess.start("-m", file);
                ServeClient client = new ServeClient(server)) {
            Path other = Files.writeString(folder.resolve("other.gguf"), "something else");
            Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
            String answer = tell(client);
            Files.delete(file);
            assertThat(tell(client)).isEqualTo(answer).startsWith("A hungry Fox");
        }
    }

    @Test
    void aServerThatIsKilledWhileItSavesASlotLeavesTheOldFileWhole() throws Exception {
        Path saved = Files.createDirectory(folder.resolve("saved"));
        ObjectNode name = ServeClient.json("{'filename': 'slot.bin'}");
        String expected = "";
        int tokens = 0;
        for (int i = 0; i < 3; i++) {
            try (ServeProcess server = ServeProcess.start("-m", model, "-np", "1", "--slot-save-path", saved);
                    ServeClient client = new ServeClient(server)) {
                if (i > 0) { // what the last one left
                    HttpResponse<String> restored = client.post("/slots/0?action=restore", name);
                    assertThat(restored.statusCode()).as(restored.body()).isEqualTo(200);
                    assertThat(ServeClient.json(restored.body()).path("n_restored").asInt()).isEqualTo(tokens);
                    assertThat(tell(client)).isEqualTo(expected);
                }
                expected = tell(client);
                HttpResponse<String> first = client.post("/slots/0?action=save", name);
                assertThat(first.statusCode()).as(first.body()).isEqualTo(200);
                tokens = ServeClient.json(first.body()).path("n_saved").asInt();
                assertThat(tokens).isGreaterThan(100);
                Thread saver = Thread.ofVirtual().start(() -> {
                    try {
                        while (true) {
                            client.post("/slots/0?action=save", name);
                        }
                    } catch (IOException | InterruptedException e) {
                        return; // killed
                    }
                });
                Thread.sleep(20 + 11 * i);
                server.kill();
                saver.join();
            }
        }
    }
}
