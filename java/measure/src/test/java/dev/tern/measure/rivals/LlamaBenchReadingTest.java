package dev.tern.measure.rivals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What llama-bench of two engines printed for 64 tokens of prompt and 16 generated, two threads. */
class LlamaBenchReadingTest {
    private static final LlamaBenchReading READING = new LlamaBenchReading();

    @Test
    void readsWhatBitnetCppPrints() throws Exception {
        String json = resource("llama-bench-bitnet.json");
        Rates rates = read(json, 64, 16, 2);
        assertThat(rates.prefill()).hasValue(average(json, 0));
        assertThat(rates.decode()).hasValue(average(json, 1));
        assertThat(rates.version()).isEqualTo("40ed0f29 (3960)");
        assertThat(rates.remarks()).isEmpty();
    }

    @Test
    void readsWhatIkLlamaCppPrintsThoughItCallsItsBuildUnknown() throws Exception {
        String json = resource("llama-bench-ik.json");
        Rates rates = read(json, 64, 16, 2);
        assertThat(rates.prefill()).hasValue(average(json, 0));
        assertThat(rates.decode()).hasValue(average(json, 1));
        assertThat(rates.version()).isEmpty();
    }

    @Test
    void readsPastALogAroundTheArray() throws Exception {
        String json = resource("llama-bench-ik.json");
        String log = "[INFO] loading\nload: [0, 1]\n[1, 2]x\n[{\"a\": 1}]\n[{ broken\n";
        Rates rates = read(log + json + "main: done [1]\n", 64, 16, 2);
        assertThat(rates.prefill()).hasValue(average(json, 0));
    }

    @Test
    void leavesOutWhatWasNotAskedFor() throws Exception {
        String json = resource("llama-bench-ik.json");
        assertThat(read(json, 0, 16, 2).prefill()).isEmpty();
        assertThat(read(json, 64, 0, 2).decode()).isEmpty();
        assertThat(read(json, 128, 16, 2).prefill()).isEmpty(); // the bench then misses pp128
    }

    @Test
    void refusesOtherTerms() throws IOException {
        String json = resource("llama-bench-bitnet.json");
        assertThatThrownBy(() -> read(json, 64, 16, 1))
                .isInstanceOf(RivalFailure.class)
                .hasMessage("it computed with 2 threads instead of 1; pass it -t {threads}");
        String gpu = json.replace("\"gpu_info\": \"\"", "\"gpu_info\": \"Some GPU\"")
                .replaceAll("\"n_gpu_layers\": [0-9]+", "\"n_gpu_layers\": 99");
        assertThatThrownBy(() -> read(gpu, 64, 16, 2)).hasMessage("it computed on Some GPU; pass it -ngl 0");
        String deep = json.replaceAll("\"n_prompt\": 64", "\"n_depth\": 512, \"n_prompt\": 64");
        assertThat(catchRate(deep)).isFalse();
    }

    private static boolean catchRate(String json) {
        try {
            return read(json, 64, 0, 2).prefill().isPresent();
        } catch (RivalFailure e) {
            throw new AssertionError(e);
        }
    }

    private static Rates read(String out, int prompt, int generated, int threads) throws RivalFailure {
        return READING.read(new ProcessOutput(0, out, ""), prompt, generated, threads);
    }

    private static double average(String json, int test) {
        JsonNode tests = JsonMapper.shared().readTree(json);
        assertThat(List.of(tests.get(0).get("n_prompt").asInt(), tests.get(1).get("n_gen").asInt()))
                .containsExactly(64, 16);
        return tests.get(test).get("avg_ts").asDouble();
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = Objects.requireNonNull(LlamaBenchReadingTest.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
