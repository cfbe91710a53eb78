package dev.tern.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpFrontTest {
    private final EchoHandler handler = new EchoHandler();
    private HttpFront front = open(HttpLimits.defaults());

    private HttpFront open(HttpLimits limits) {
        try {
            return HttpFront.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), limits, handler);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void reopen(HttpLimits limits) {
        front.close();
        front = open(limits);
    }

    @AfterEach
    void close() throws InterruptedException {
        handler.answer.countDown();
        front.close();
        assertThat(front.awaitQuiet(Duration.ofSeconds(10))).isTrue();
    }

    private RawClient client() throws IOException {
        return new RawClient(front.address());
    }

    /** The answer to a request after which the server closes. */
    private String exchange(String request) throws IOException {
        try (RawClient client = client()) {
            client.send(request);
            return client.readAll();
        }
    }

    private static String body(String answer) {
        return answer.substring(answer.indexOf("\r\n\r\n") + 4);
    }

    @Test
    void answersSeveralRequestsOnOneConnection() throws IOException {
        try (RawClient client = client()) {
            for (int i = 0; i < 3; i++) {
                client.send("POST /a%20b?x=1&y=%C3%A4+z HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab" + i);
                String answer = client.readAnswer();
                assertThat(answer).startsWith("HTTP/1.1 200 OK\r\n").doesNotContain("Connection: close");
                assertThat(body(answer)).isEqualTo("POST /a b {x=1, y=ä z} ab" + i);
            }
        }
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws IOException {
        String answers = exchange("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
                + "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        assertThat(answers).containsSubsequence("GET /1", "GET /2", "GET /3").contains("Connection: close");
    }

    @Test
    void readsChunksAndSendsThem() throws IOException {
        String answer = exchange("POST /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3\r\nabc\r\n2;name=value\r\nde\r\n0\r\nTrailer: t\r\n\r\n");
        assertThat(body(answer)).isEqualTo("POST /c {} abcde");
        assertThat(body(exchange("GET /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")))
                .isEqualTo("4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n");
        assertThat(exchange("GET /stream HTTP/1.0\r\n\r\n"))
                .doesNotContain("chunked")
                .endsWith("\r\n\r\none two three");
    }

    @Test
    void headHasNoBody() throws IOException {
        String answer = exchange("HEAD /h HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        assertThat(answer).contains("Content-Length: 11\r\n").endsWith("\r\n\r\n");
        assertThat(exchange("HEAD /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")).endsWith("\r\n\r\n");
    }

    @Test
    void anAnswerThatBreaksOffIsNotEnded() throws IOException {
        assertThat(exchange("GET /cut HTTP/1.1\r\nHost: h\r\n\r\n")).endsWith("1\r\nx\r\n");
    }

    @Test
    void asksForABodyThatIsAnnounced() throws IOException {
        try (RawClient client = client()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
            assertThat(client.readUntil("\r\n\r\n")).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
            client.send("ok");
            assertThat(client.readAnswer()).endsWith("POST / {} ok");
            client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n");
            assertThat(client.readAll()).startsWith("HTTP/1.1 413 ");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "400|GET / HTTP/1.1\\n\\n",
                "400|GET / HTTP/1.1\\r\\nHost: h\\n\\r\\n",
                "400|GET / HTTP/1.1\\r\\n\\r\\n",
                "400|GET / HTTP/1.1\\r\\nHost: a\\r\\nHost: b\\r\\n\\r\\n",
                "400|GET  / HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n",
                "400|GET / HTTP/1.1 \\r\\nHost: h\\r\\n\\r\\n",
                "400|G@T / HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n",
                "400|nonsense\\r\\n\\r\\n",
                "400|GET path HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n",
                "400|GET /%zz HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n",
                "400|GET /%2 HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n",
                "400|GET /%ff HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n",
                "400|GET /%00 HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n",
                "400|GET /?a=%0d%0a HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n",
                "400|GET / HTTP/1.1\\r\\nHost: h\\r\\n folded\\r\\n\\r\\n",
                "400|GET / HTTP/1.1\\r\\nHost : h\\r\\n\\r\\n",
                "400|GET / HTTP/1.1\\r\\nHost: h\\r\\nA: \\1\\r\\n\\r\\n",
                "400|POST / HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 1\\r\\nContent-Length: 1\\r\\n\\r\\na",
                "400|POST / HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: +1\\r\\n\\r\\na",
                "400|POST / HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: -1\\r\\n\\r\\na",
                "400|POST / HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 1, 1\\r\\n\\r\\na",
                "400|POST / HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n",
                "400|POST / HTTP/1.0\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n",
                "501|POST / HTTP/1.1\\r\\nHost: h\\r\\nTransfer-Encoding: gzip, chunked\\r\\n\\r\\n",
                "400|POST / HTTP/1.1\\r\\nHost: h\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n-1\\r\\n\\r\\n",
                "400|POST / HTTP/1.1\\r\\nHost: h\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n1\\r\\nabc\\r\\n",
                "413|POST / HTTP/1.1\\r\\nHost: h\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nffffffffff\\r\\n",
                "413|POST / HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 123456789012345678901234567890\\r\\n\\r\\n",
                "505|GET / HTTP/2.0\\r\\nHost: h\\r\\n\\r\\n",
                "403|GET /refused HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 5\\r\\n\\r\\n",
            })
    void refusesWhatCouldBeReadInTwoWays(int status, String request) throws IOException {
        String answer = exchange(request.translateEscapes());
        assertThat(RawClient.status(answer)).as(answer).isEqualTo(status);
        assertThat(answer).contains("Connection: close");
    }

    @Test
    void theAbsoluteFormOfATargetIsRead() throws IOException {
        assertThat(body(exchange("GET http://h/p?q=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")))
                .isEqualTo("GET /p {q=1} ");
    }

    @Test
    void headsAreLimited() throws IOException {
        assertThat(exchange("GET /" + "a".repeat(40_000))).startsWith("HTTP/1.1 414 ");
        assertThat(exchange("GET / HTTP/1.1\r\nHost: h\r\nA: " + "b".repeat(40_000))).startsWith("HTTP/1.1 431 ");
        assertThat(exchange("GET / HTTP/1.1\r\nHost: h\r\n" + "A: b\r\n".repeat(200))).startsWith("HTTP/1.1 431 ");
    }

    @Test
    void bodiesAreLimitedAsTheyCome() throws IOException {
        reopen(HttpLimits.defaults().withBodyBytes(1000));
        String chunk = "64\r\n" + "x".repeat(100) + "\r\n";
        assertThat(exchange("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk.repeat(11)))
                .startsWith("HTTP/1.1 413 ");
        assertThat(exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n")).startsWith("HTTP/1.1 413 ");
        assertThat(exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n"
                        + "x".repeat(1000)))
                .startsWith("HTTP/1.1 200 ");
    }

    @Test
    void theAnswerReachesAClientThatIsStillSending() throws IOException {
        try (RawClient client = client()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 104857600\r\n\r\n");
            byte[] piece = new byte[1 << 16];
            for (int i = 0; i < 64; i++) { // the rest never comes: an honest client stops when it sees the answer
                client.send(piece);
            }
            assertThat(client.readUntil("\r\n\r\n")).startsWith("HTTP/1.1 413 ");
        }
    }

    @Test
    void allBodiesTogetherAreLimited() throws Exception {
        reopen(new HttpLimits(
                100, 100, 1 << 14, 100, 1 << 20, 1 << 20, Duration.ofSeconds(20), Duration.ofSeconds(20),
                Duration.ofSeconds(20)));
        try (RawClient first = client()) {
            first.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + "x".repeat(900_000));
            awaitLeft(48_576); // until it has been read so far
            assertThat(exchange("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n"
                            + "x".repeat(200_000)))
                    .startsWith("HTTP/1.1 503 ");
            first.send("x".repeat(100_000));
            assertThat(first.readAnswer()).startsWith("HTTP/1.1 200 ");
        }
        awaitLeft(1 << 20); // what was taken is given back
    }

    private void awaitLeft(long bytes) throws InterruptedException {
        long start = System.nanoTime();
        while (front.bodies().left() != bytes) {
            assertThat(System.nanoTime() - start).as("%d left", front.bodies().left()).isLessThan(20_000_000_000L);
            Thread.sleep(5);
        }
    }

    @Test
    void aRequestThatDoesNotComeToItsEndIsCutOff() throws IOException {
        reopen(HttpLimits.defaults()
                .withTimes(Duration.ofMillis(300), Duration.ofSeconds(20), Duration.ofSeconds(20)));
        assertThat(exchange("GET / HT")).startsWith("HTTP/1.1 408 ");
        assertThat(exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf")).startsWith("HTTP/1.1 408 ");
    }

    @Test
    void aConnectionThatAsksNothingIsClosed() throws IOException {
        reopen(HttpLimits.defaults()
                .withTimes(Duration.ofSeconds(20), Duration.ofMillis(300), Duration.ofSeconds(20)));
        assertThat(exchange("")).isEmpty();
        assertThat(exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n")).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void aClientThatDoesNotReadIsCutOff() throws Exception {
        reopen(HttpLimits.defaults()
                .withTimes(Duration.ofSeconds(20), Duration.ofSeconds(20), Duration.ofMillis(300)));
        try (RawClient client = client()) {
            client.send("GET /flood HTTP/1.1\r\nHost: h\r\n\r\n");
            assertThat(handler.floodEnded.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(front.awaitQuiet(Duration.ofSeconds(20))).isTrue();
        }
    }

    @Test
    void aClientThatLeavesIsNoticedBeforeItsAnswer() throws Exception {
        try (RawClient client = client()) {
            client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
            assertThat(handler.waiting.await(20, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(handler.left.await(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void requestsAtOnceAreLimited() throws Exception {
        reopen(HttpLimits.defaults().withRequests(1));
        try (RawClient first = client()) {
            first.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
            assertThat(handler.waiting.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n")).startsWith("HTTP/1.1 503 ");
            handler.answer.countDown();
            assertThat(first.readAnswer()).endsWith("waited");
        }
    }

    @Test
    void whoSendsSlowlyKeepsNobodyOut() throws Exception {
        reopen(HttpLimits.defaults().withRequests(2));
        List<RawClient> slow = new ArrayList<>();
        try (RawClient first = client();
                RawClient second = client()) {
            for (int i = 0; i < 4; i++) {
                slow.add(client().send(
                        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
                slow.getLast().readUntil("100 Continue\r\n\r\n"); // its body is being read from now on
            }
            first.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
            assertThat(handler.waiting.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(second.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").readAnswer()).endsWith("GET /x {} ");
            second.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
            while (!exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").startsWith("HTTP/1.1 503 ")) {
                Thread.sleep(5); // until that one is at work
            }
            assertThat(exchange("GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
                    .startsWith("HTTP/1.1 200 ");
            handler.answer.countDown();
            assertThat(first.readAnswer()).endsWith("waited");
            assertThat(second.readAnswer()).endsWith("waited");
            while (exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").startsWith("HTTP/1.1 503 ")) {
                Thread.sleep(5); // until those two, which stay connected, are done with
            }
            assertThat(slow.getFirst().send("ok").readAnswer()).endsWith("POST / {} ok");
        } finally {
            for (RawClient client : slow) {
                client.close();
            }
        }
    }

    @Test
    void aConnectionThatWaitsForItsNextRequestHoldsNothing() throws Exception {
        reopen(HttpLimits.defaults().withRequests(1));
        try (RawClient idle = client()) {
            idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").readAnswer();
            long start = System.nanoTime();
            while (!exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").startsWith("HTTP/1.1 200 ")) {
                assertThat(System.nanoTime() - start).isLessThan(10_000_000_000L);
            }
        }
    }

    @Test
    void theConnectionThatHasWaitedLongestMakesRoom() throws IOException {
        reopen(HttpLimits.defaults().withConnections(10));
        List<RawClient> clients = new ArrayList<>();
        try {
            for (int i = 0; i < 11; i++) {
                clients.add(client());
                clients.getLast().send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").readAnswer();
            }
            assertThat(clients.getFirst().readAll()).isEmpty();
            clients.getLast().send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            assertThat(clients.getLast().readAll()).startsWith("HTTP/1.1 200 ");
        } finally {
            for (RawClient client : clients) {
                client.close();
            }
        }
    }

    @Test
    void thousandsOfConnectionsThatSayNothingHurtNobody() throws IOException {
        reopen(HttpLimits.defaults().withConnections(1000));
        List<RawClient> clients = new ArrayList<>();
        try {
            for (int i = 0; i < 2000; i++) {
                clients.add(client());
            }
            assertThat(exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")).startsWith("HTTP/1.1 200 ");
            assertThat(front.connections()).isLessThanOrEqualTo(1001);
        } finally {
            for (RawClient client : clients) {
                client.close();
            }
        }
    }

    @Test
    void drainingGivesTheAnswersAtHand() throws Exception {
        try (RawClient busy = client();
                RawClient idle = client()) {
            idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").readAnswer();
            busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
            assertThat(handler.waiting.await(20, TimeUnit.SECONDS)).isTrue();
            front.drain();
            assertThat(idle.readAll()).isEmpty();
            assertThat(front.awaitQuiet(Duration.ofMillis(50))).isFalse();
            handler.answer.countDown();
            assertThat(busy.readAnswer()).contains("Connection: close").endsWith("waited");
        }
        assertThat(front.awaitQuiet(Duration.ofSeconds(20))).isTrue();
    }
}
