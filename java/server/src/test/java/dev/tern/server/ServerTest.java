package dev.tern.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import dev.tern.server.http.RawClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Who may ask, when, and what becomes of requests that are not answered as usual. */
class ServerTest {
    private static final String COMPLETION = "{'prompt': 'A fox', 'n_predict': 4, 'temperature': 0}";

    private TestServer server = new TestServer(ServerOptions.builder());

    private TestServer restart(ServerOptions.Builder options, int mostWaiting) {
        server.close();
        server = new TestServer(options, mostWaiting).serve();
        return server;
    }

    @AfterEach
    void close() {
        server.close();
    }

    private RawClient raw(String request) throws IOException {
        return new RawClient(server.address()).send(request.replace('\'', '"'));
    }

    private static String completion(String more) {
        String body = "{'prompt': 'A fox', 'n_predict': 400, 'temperature': 0" + more + "}";
        return "POST /completion HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
    }

    @Test
    void answersFromTheFirstMomentThatItIsLoading() throws IOException {
        for (String path : List.of("/health", "/v1/health")) {
            JsonNode error = server.error(server.get(path), 503, "unavailable_error");
            assertThat(error.path("message").asString()).isEqualTo("Loading model");
        }
        HttpResponse<String> response = server.post("/completion", COMPLETION);
        server.error(response, 503, "unavailable_error");
        assertThat(response.headers().firstValue("Retry-After")).contains("1");
        server.serve();
        assertThat(server.json(server.get("/health")).path("status").asString()).isEqualTo("ok");
        server.json(server.post("/completion", COMPLETION));
    }

    @Test
    void pathsAndMethodsThatAreNotThereSaySo() throws IOException {
        server.serve();
        for (String path : List.of("/nothing", "/completion/", "/../etc/passwd", "/%2e%2e/etc/passwd", "//health")) {
            server.error(server.get(path), 404, "not_found_error");
        }
        HttpResponse<String> response = server.get("/completion");
        server.error(response, 405, "invalid_request_error");
        assertThat(response.headers().firstValue("Allow")).contains("OPTIONS, POST");
        response = server.send("HEAD", "/health", "");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).isEmpty();
        assertThat(response.headers().firstValue("Content-Length")).contains("15");
        response = server.send("OPTIONS", "/health", "");
        assertThat(response.statusCode()).isEqualTo(204);
        assertThat(response.headers().firstValue("Allow")).contains("GET, HEAD, OPTIONS");
        assertThat(response.headers().map()).doesNotContainKey("access-control-allow-origin");
        server.error(server.send("DELETE", "/completion", ""), 405, "invalid_request_error");
    }

    @Test
    void asksForAKey() throws IOException {
        restart(ServerOptions.builder().apiKeys(List.of("first", "second")), 16);
        server.json(server.get("/health"));
        HttpResponse<String> response = server.post("/completion", COMPLETION);
        server.error(response, 401, "authentication_error");
        assertThat(response.headers().firstValue("WWW-Authenticate")).contains("Bearer");
        for (String wrong : List.of("Bearer", "Bearer ", "Bearer third", "Bearer firs", "Basic first", "first")) {
            server.error(server.post("/completion", COMPLETION, "Authorization", wrong), 401, "authentication_error");
        }
        server.json(server.post("/completion", COMPLETION, "Authorization", "Bearer second"));
        server.json(server.post("/completion", COMPLETION, "authorization", "bearer first"));
        server.json(server.post("/completion", COMPLETION, "x-api-key", "first"));
    }

    @Test
    void aKeyThatIsNotAsciiIsThatInUtf8AndNoOther() throws IOException {
        restart(ServerOptions.builder().apiKeys(List.of("ключ")), 16);
        assertThat(statusWith("ключ")).isEqualTo(200);
        assertThat(statusWith("????")).isEqualTo(401);
        assertThat(statusWith("клюq")).isEqualTo(401);
    }

    private int statusWith(String key) throws IOException {
        try (RawClient client = new RawClient(server.address())) {
            client.send(("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer "
                            + key + "\r\n\r\n")
                    .getBytes(StandardCharsets.UTF_8));
            return RawClient.status(client.readAll());
        }
    }

    @Test
    void pagesOfOtherOriginsAreRefusedUnlessTheyAreAllowed() throws IOException {
        server.serve();
        String own = "http://127.0.0.1:" + server.address().getPort();
        server.json(server.post("/completion", COMPLETION, "Origin", own));
        for (String foreign : List.of("http://evil.example", "null", own + "0")) {
            server.error(server.post("/completion", COMPLETION, "Origin", foreign), 403, "permission_error");
        }
        restart(ServerOptions.builder().corsOrigins(List.of("http://localhost:3000")), 16);
        HttpResponse<String> response = server.send(
                "OPTIONS", "/completion", "", "Origin", "http://localhost:3000", "Access-Control-Request-Method",
                "POST", "Access-Control-Request-Headers", "authorization,content-type");
        assertThat(response.statusCode()).isEqualTo(204);
        assertThat(response.headers().firstValue("Access-Control-Allow-Origin")).contains("http://localhost:3000");
        assertThat(response.headers().firstValue("Access-Control-Allow-Methods")).contains("OPTIONS, POST");
        assertThat(response.headers().firstValue("Access-Control-Allow-Headers"))
                .contains("authorization,content-type");
        response = server.post("/completion", COMPLETION, "Origin", "http://localhost:3000");
        server.json(response);
        assertThat(response.headers().firstValue("Access-Control-Allow-Origin")).contains("http://localhost:3000");
        assertThat(response.headers().firstValue("Vary")).contains("Origin");
        server.error(server.post("/completion", COMPLETION, "Origin", "http://evil.example"), 403, "permission_error");
        restart(ServerOptions.builder().corsOrigins(List.of("*")), 16);
        response = server.post("/completion", "{", "Origin", "http://any.example");
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.headers().firstValue("Access-Control-Allow-Origin")).contains("*");
    }

    @ParameterizedTest
    @ValueSource(strings = {"evil.example", "evil.example:30000", "localhost.evil.example", "127.0.0.1.evil.example"})
    void aNameThatOnlyLeadsHereIsRefused(String host) throws IOException {
        server.serve();
        try (RawClient client = raw("GET /health HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")) {
            assertThat(RawClient.status(client.readAll())).isEqualTo(403);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "LOCALHOST:1", "127.0.0.1:30000", "[::1]:30000", "app.localhost"})
    void namesOfThisMachineAreNot(String host) throws IOException {
        server.serve();
        try (RawClient client = raw("GET /health HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")) {
            assertThat(RawClient.status(client.readAll())).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"evil.example", "127.0.0.1.evil.example:30000", "1.2.3.4.5"})
    void aServerWithoutKeysThatAllCanReachKnowsItsNamesToo(String host) throws IOException {
        restart(ServerOptions.builder().host("0.0.0.0").allowedHosts(List.of("Tern.example")), 16);
        assertThat(healthAt(host)).isEqualTo(403);
        for (String known :
                List.of("192.168.1.7:30000", "[fe80::1]:30000", "localhost", "tern.example:30000", "0.0.0.0")) {
            assertThat(healthAt(known)).as(known).isEqualTo(200);
        }
        restart(ServerOptions.builder().host("0.0.0.0").apiKeys(List.of("key")), 16);
        assertThat(healthAt(host)).as("who has no key can do nothing").isEqualTo(200);
        assertThatThrownBy(() -> ServerOptions.builder().allowedHosts(List.of("http://tern.example")).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("allowed host");
    }

    private int healthAt(String host) throws IOException {
        try (RawClient client = new RawClient(new InetSocketAddress(
                        InetAddress.getLoopbackAddress(), server.address().getPort()))
                .send("GET /health HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")) {
            return RawClient.status(client.readAll());
        }
    }

    @Test
    void valuesOfABodyAreLimited() throws IOException {
        server.serve();
        String text = "[,:{".repeat(400_000); // within a text they are none
        server.json(server.post("/tokenize", "{'content': '" + text.substring(0, 40) + "', 'other': '" + text + "'}"));
        JsonNode error = server.error(
                server.post("/tokenize", "{'content': 'a', 'other': [" + "1,".repeat(1 << 20) + "1]}"),
                400,
                "invalid_request_error");
        assertThat(error.path("message").asString()).contains("at most 1048576");
    }

    @Test
    void aFullQueueSaysWhenToComeAgain() throws Exception {
        restart(ServerOptions.builder(), 0);
        server.completions.hold();
        try (RawClient first = raw(completion(", 'stream': true"))) {
            first.readUntil("\r\n\r\n");
            HttpResponse<String> response = server.post("/completion", COMPLETION);
            server.error(response, 503, "unavailable_error");
            assertThat(response.headers().firstValue("Retry-After")).contains("7");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ", 'stream': true"})
    void aClientThatLeavesEndsItsCompletion(String more) throws Exception {
        server.serve();
        server.completions.hold();
        try (RawClient client = raw(completion(more))) {
            if (more.isEmpty()) {
                while (!server.completions.slots().getFirst().busy()) {
                    Thread.sleep(5);
                }
            } else {
                client.readUntil("\r\n\r\n");
            }
        }
        assertThat(server.completions.cancelled.tryAcquire(20, TimeUnit.SECONDS)).isTrue();
        while (server.log.isEmpty()) {
            Thread.sleep(5);
        }
        assertThat(server.log.getFirst()).contains(" outcome=client_gone ");
    }

    @Test
    void aSilentStreamIsKeptAlive() throws Exception {
        restart(ServerOptions.builder().pingInterval(Duration.ofMillis(20)), 16);
        server.completions.hold();
        try (RawClient client = raw(completion(", 'stream': true"))) {
            client.readUntil(": ping\n\n");
            client.readUntil(": ping\n\n");
            server.completions.go();
            client.readUntil("\"stop_type\":");
        }
    }

    @Test
    void drainingFinishesWhatRunsAndRefusesTheRest() throws Exception {
        server.serve();
        server.completions.hold();
        try (RawClient client = raw(completion(", 'stream': true"))) {
            client.readUntil("\r\n\r\n");
            Thread drain = Thread.ofVirtual().start(() -> {
                try {
                    server.server().drain(Duration.ofSeconds(20));
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            assertThatThrownBy(() -> {
                        while (true) {
                            server.get("/health"); // until nobody listens any more
                        }
                    })
                    .isInstanceOf(IOException.class);
            server.completions.go();
            assertThat(client.readUntil("\"stop_type\":")).contains("\"content\":");
            drain.join();
        }
        assertThat(server.server().connections()).isZero();
    }

    @Test
    void aRequestThatArrivesWhileTheServerStopsIsToldSo() throws Exception {
        server.serve();
        String request = completion(", 'stream': true").replace("Host:", "Expect: 100-continue\r\nHost:");
        int body = request.indexOf("\r\n\r\n") + 4;
        int half = body + 10;
        try (RawClient client = raw(request.substring(0, body))) {
            client.readUntil("100 Continue\r\n\r\n");
            client.send(request.substring(body, half).replace('\'', '"'));
            Thread drain = Thread.ofVirtual().start(() -> {
                try {
                    server.server().drain(Duration.ofSeconds(20));
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            assertThatThrownBy(() -> {
                        while (true) {
                            server.get("/health"); // until nobody listens any more
                        }
                    })
                    .isInstanceOf(IOException.class);
            client.send(request.substring(half).replace('\'', '"'));
            assertThat(client.readAll())
                    .startsWith("HTTP/1.1 503 ")
                    .contains("Retry-After: 10\r\n")
                    .contains("the server is stopping");
            drain.join();
        }
        assertThat(server.log).noneMatch(line -> line.contains("level=error"));
    }

    @Test
    void aDrainThatTakesTooLongCutsOff() throws Exception {
        server.serve();
        server.completions.hold();
        try (RawClient client = raw(completion(", 'stream': true"))) {
            client.readUntil("\r\n\r\n");
            server.server().drain(Duration.ofMillis(50));
            assertThat(client.readUntil("}}\n\n")).contains("\"unavailable_error\"");
        }
    }

    @Test
    void theLogHasOneLineForEachRequestAndNothingOfItsContent() throws Exception {
        server.serve();
        server.post("/completion", "{'prompt': 'A secret fox', 'n_predict': 3, 'temperature': 0}");
        awaitLines(1); // which are written behind the answers
        server.get("/secret?secret=1");
        awaitLines(2);
        server.post("/completion", "{'secret': ");
        awaitLines(3);
        try (RawClient client = raw("GET /secret\u0001 HTTP/1.1\r\n\r\n")) {
            client.readAll();
        }
        awaitLines(4);
        assertThat(server.log).hasSize(4).noneMatch(line -> line.contains("secret"));
        assertThat(server.log.getFirst())
                .matches("time=\\S+Z level=info method=POST route=/completion status=200 prompt_tokens=\\d+"
                        + " cached_tokens=0 tokens=3 ms=\\d+\\.\\d client=127\\.0\\.0\\.1:\\d+ id=req_\\w+");
        assertThat(server.log.get(1)).contains(" method=GET route=- status=404 outcome=not_found_error ");
        assertThat(server.log.get(2)).contains(" status=400 outcome=invalid_request_error ");
        assertThat(server.log.get(3)).contains(" method=- route=- status=400 outcome=unreadable ");
    }

    private void awaitLines(int count) throws InterruptedException {
        while (server.log.size() < count) {
            Thread.sleep(5);
        }
    }

    @Test
    void bodiesThatAreTooLargeOrBrokenAreRefused() throws IOException {
        restart(ServerOptions.builder().maxBodyBytes(1000), 16);
        HttpResponse<String> response = server.post("/completion", "{'prompt': '" + "x".repeat(2000) + "'}");
        server.error(response, 413, "invalid_request_error");
        try (RawClient client =
                raw("POST /completion HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 15\r\n\r\n")) {
            client.send(new byte[] {'{', '"', 'p', 'r', 'o', 'm', 'p', 't', '"', ':', '"', (byte) 0xc3, '"', '}', ' '});
            assertThat(client.readAll()).startsWith("HTTP/1.1 400 ").contains("not UTF-8: byte 11 ");
        }
    }

    @Test
    void manyClientsAreAnsweredAtOnce() throws Exception {
        restart(ServerOptions.builder(), 1000);
        String expected = server.json(server.post("/completion", COMPLETION)).path("content").asString();
        List<Thread> threads = new ArrayList<>();
        List<String> answers = new CopyOnWriteArrayList<>();
        for (int i = 0; i < 40; i++) {
            threads.add(Thread.ofVirtual().start(() -> {
                try {
                    answers.add(server.json(server.post("/completion", COMPLETION)).path("content").asString());
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(answers).hasSize(40).containsOnly(expected);
    }

    @Test
    void noThreadIsLeft() throws Exception {
        server.serve();
        server.post("/completion", COMPLETION);
        server.close();
        for (String name : List.of("tern-http-accept", "tern-http-watch")) {
            long start = System.nanoTime();
            while (Thread.getAllStackTraces().keySet().stream().anyMatch(thread -> thread.getName().equals(name))) {
                assertThat(System.nanoTime() - start).as(name).isLessThan(20_000_000_000L);
                Thread.sleep(10);
            }
        }
    }

    @Test
    void anAddressThatCannotBeHadIsTheUsersFault() {
        assertThatThrownBy(() -> Server.start(
                        ServerOptions.builder().port(server.address().getPort()).build(), line -> {}))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("cannot listen there")
                .hasMessageContaining("--port");
        assertThatThrownBy(() -> Server.start(
                        ServerOptions.builder().host("no.such.host.invalid").port(0).build(), line -> {}))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("no such host");
        assertThatThrownBy(() -> ServerOptions.builder().corsOrigins(List.of("example")).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("http://localhost:3000");
    }
}
