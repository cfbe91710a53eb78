package dev.tern.cli;

import static dev.tern.cli.InProcess.TESTDATA;
import static dev.tern.cli.InProcess.tern;
import static dev.tern.cli.TinyModel.JSON;
import static dev.tern.cli.TinyModel.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Numbers of the trained model: logits and perplexity. */
class LogitsCommandTest {
    @TempDir
    static Path folder;

    private static Path model;

    @BeforeAll
    static void convert() {
        model = TinyModel.in(folder);
    }

    @Test
    void logitsAreThoseOfTransformers() throws Exception {
        JsonNode prompt = JSON.readTree(TESTDATA.resolve("golden/golden.json")).path("prompts").path(0);
        List<String> ids = new ArrayList<>();
        prompt.path("ids").forEach(id -> ids.add(id.asString()));
        Path file = folder.resolve("logits.npy");

        InProcess.Result result = tern(
                "logits", "-m", model, "--tokens", String.join(",", ids), "--cache-type", "f32", "-o", file);

        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).isEmpty();
        Npy found = Npy.read(file);
        Npy expected = Npy.read(TESTDATA.resolve("golden/last_logits.packed-u8.npy"));
        assertThat(found.rows).isEqualTo(ids.size());
        assertThat(found.columns).isEqualTo(4096);
        for (int token = 0; token < found.columns; token++) {
            // testdata/README.md section 4: 0.17 between transformers and an exact integer engine
            assertThat(found.at(ids.size() - 1, token)).isCloseTo(expected.at(0, token), within(0.25f));
        }
    }

    @Test
    void perplexityInWords() throws Exception {
        String text = Files.readString(TESTDATA.resolve("golden/heldout_text.txt")).substring(0, 4000);
        Path file = Files.writeString(folder.resolve("text.txt"), text);
        JsonNode result = json(tern("perplexity", "-m", model, "-f", file, "-c", "256", "--json"));
        assertThat(result.path("ppl").asDouble()).isBetween(20.0, 120.0);
        assertThat(Math.exp(result.path("nll").asDouble())).isCloseTo(result.path("ppl").asDouble(), within(1e-6));
        assertThat(result.path("n_ctx").asInt()).isEqualTo(256);
        assertThat(result.path("scored").asInt()).isPositive().isLessThan(result.path("tokens").asInt());
        assertThat(tern("perplexity", "-m", model, "-f", file, "-c", "256").out())
                .startsWith(String.format(java.util.Locale.ROOT, "perplexity %.4f", result.path("ppl").asDouble()));
        InProcess.Result tooLarge = tern("perplexity", "-m", model, "-f", file, "-c", "4096");
        assertThat(tooLarge.status()).isEqualTo(1);
    }

    /** A float32 matrix read by an independent hand. */
    private record Npy(int rows, int columns, ByteBuffer data) {
        static Npy read(Path file) throws IOException {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            assertThat(bytes.getLong(0) & 0xFFFFFFFFFFFFFFL).isEqualTo(0x01_59_50_4D_55_4E_93L); // \x93NUMPY, version 1
            int length = bytes.getShort(8);
            assertThat((10 + length) % 64).isZero();
            String header = new String(bytes.array(), 10, length, StandardCharsets.US_ASCII);
            assertThat(header).contains("'descr': '<f4'").contains("'fortran_order': False").endsWith("\n");
            String[] shape = header.replaceAll("(?s).*\\((.*)\\).*", "$1").split(",\\s*");
            ByteBuffer data = bytes.slice(10 + length, bytes.capacity() - 10 - length).order(ByteOrder.LITTLE_ENDIAN);
            Npy npy = new Npy(Integer.parseInt(shape[0]), Integer.parseInt(shape[1]), data);
            assertThat(data.capacity()).isEqualTo(4 * npy.rows * npy.columns);
            return npy;
        }

        float at(int row, int column) {
            return data.getFloat(4 * (row * columns + column));
        }
    }
}
