package dev.tern.server.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tern.Pooling;
import dev.tern.server.ServerOptions;
import dev.tern.server.TestServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class EmbeddingsEndpointTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.ready();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static float[] expected(String text) {
        int[] ids = server.model.tokenizer().encode(text, true, true);
        return Vectors.normalized(server.model.embed(ids, Pooling.MEAN), 2);
    }

    private static float[] floats(JsonNode array) {
        float[] floats = new float[array.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) array.get(i).asDouble();
        }
        return floats;
    }

    @Test
    void textsHaveTheirMeanState() throws IOException {
        JsonNode answer = server.json(server.post("/v1/embeddings", "{'input': ['A fox', 'The lion'], 'model': 'm'}"));
        assertThat(answer.path("object").asString()).isEqualTo("list");
        assertThat(answer.path("data").size()).isEqualTo(2);
        assertThat(answer.path("data").path(1).path("index").asInt()).isEqualTo(1);
        assertThat(answer.path("data").path(1).path("object").asString()).isEqualTo("embedding");
        assertThat(floats(answer.path("data").path(0).path("embedding"))).isEqualTo(expected("A fox"));
        assertThat(floats(answer.path("data").path(1).path("embedding"))).isEqualTo(expected("The lion"));
        int tokens = server.model.tokenizer().encode("A fox", true, true).length
                + server.model.tokenizer().encode("The lion", true, true).length;
        assertThat(answer.path("usage").path("prompt_tokens").asInt()).isEqualTo(tokens);
    }

    @Test
    void base64HasTheSameBits() throws IOException {
        String text = server.json(server.post("/v1/embeddings", "{'input': 'A fox', 'encoding_format': 'base64'}"))
                .path("data")
                .path(0)
                .path("embedding")
                .asString();
        float[] floats = new float[512];
        ByteBuffer.wrap(Base64.getDecoder().decode(text))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer()
                .get(floats);
        assertThat(floats).isEqualTo(expected("A fox"));
    }

    @Test
    void llamaServersOwnGivesRows() throws IOException {
        for (String path : new String[] {"/embedding", "/embeddings"}) {
            JsonNode answer = server.json(server.post(path, "{'content': 'A fox', 'embd_normalize': -1}"));
            assertThat(answer.path(0).path("embedding").size()).isEqualTo(1);
            int[] ids = server.model.tokenizer().encode("A fox", true, true);
            assertThat(floats(answer.path(0).path("embedding").path(0)))
                    .isEqualTo(server.model.embed(ids, Pooling.MEAN));
        }
        try (TestServer each =
                new TestServer(ServerOptions.builder().pooling(Optional.empty())).serve()) {
            JsonNode rows = each.json(each.post("/embeddings", "{'input': 'A fox'}")).path(0).path("embedding");
            assertThat(rows.size()).isEqualTo(server.model.tokenizer().encode("A fox", true, true).length);
            each.error(each.post("/v1/embeddings", "{'input': 'A fox'}"), 501, "not_supported_error");
        }
    }

    @Test
    void tooManyTokensTogetherAreRefused() throws IOException {
        String text = "fox ".repeat(200);
        int tokens = server.model.tokenizer().encode(text, true, true).length;
        String inputs = ("'" + text + "',").repeat(300_000 / tokens) + "'" + text + "'";
        JsonNode error = server.error(
                server.post("/v1/embeddings", "{'input': [" + inputs + "]}"), 400, "invalid_request_error");
        assertThat(error.path("message").asString()).contains("300000");
        String many = "'a',".repeat(2048) + "'a'";
        server.error(server.post("/v1/embeddings", "{'input': [" + many + "]}"), 400, "invalid_request_error");
    }

    @Test
    void vectorsAreDividedByTheNormThatIsWanted() {
        float[] vector = {3, -4};
        assertThat(Vectors.normalized(vector, 2)).containsExactly(0.6f, -0.8f);
        assertThat(Vectors.normalized(vector, 1)).containsExactly(3 / 7f, -4 / 7f);
        assertThat(Vectors.normalized(vector, -1)).containsExactly(3, -4);
        assertThat(Vectors.normalized(vector, 0)).containsExactly(24570, -32760);
        assertThat(Vectors.normalized(vector, 3)[0]).isCloseTo(3 / (float) Math.cbrt(91), within(1e-6f));
        assertThat(Vectors.normalized(new float[2], 2)).containsExactly(0, 0);
        assertThat(Vectors.normalized(new float[2], 7)).containsExactly(0, 0);
        assertThat(Vectors.normalized(new float[] {3e30f, 4e-30f}, 900)[0]).as("powers overflow").isEqualTo(1);
        assertThat(Vectors.normalized(new float[] {3e-30f, 0}, 900)[0]).as("powers vanish").isEqualTo(1);
    }

    @Test
    void theFieldAtFaultIsNamed() throws IOException {
        for (String body : new String[] {"{}", "{'input': []}", "{'input': 5}"}) {
            JsonNode error = server.error(server.post("/v1/embeddings", body), 400, "invalid_request_error");
            assertThat(error.path("param").asString()).isEqualTo("input");
        }
        JsonNode error =
                server.error(server.post("/v1/embeddings", "{'input': 'a', 'dimensions': 3}"), 400, "invalid_request_error");
        assertThat(error.path("param").asString()).isEqualTo("dimensions");
        server.error(
                server.post("/v1/embeddings", "{'input': '" + "fox ".repeat(600) + "'}"), 400, "exceed_context_size_error");
    }
}
