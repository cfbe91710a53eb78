package dev.tern.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.io.JsonFile;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.KernelChoice;
import dev.tern.safetensors.SafetensorsFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The inside of the forward pass against Hugging Face's, for the nine tokens of prompt 0, float32 cache: the output of every
 * sub-module of block 0, and the residual stream after every block. This and the strict logits find what text and
 * perplexity do not: a wrong epsilon, a wrong rounding.
 */
class ForwardGoldenTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));
    private static final Path GOLDEN = DATA.resolve("golden");

    private static final Map<String, float[]> traced = new HashMap<>();
    private static float[] logits = {};
    private static int[] ids = {};

    @BeforeAll
    static void runPromptZero() {
        ids = JsonFile.read(GOLDEN.resolve("golden.json")).path("prompts").path(0).path("ids").valueStream()
                .mapToInt(node -> node.asInt())
                .toArray();
        try (Arena arena = Arena.ofShared();
                Checkpoint checkpoint = Checkpoint.open(DATA.resolve("tiny-bitnet/online-bf16"))) {
            ModelHyperparameters model = checkpoint.hyperparameters();
            try (Engine engine = new Engine(
                            model,
                            CheckpointWeights.read(checkpoint, arena),
                            KernelChoice.best().kernels(),
                            new ThreadTeam(2),
                            64,
                            32,
                            FloatType.F32,
                            HeadScreen.OFF,
                            () -> {});
                    KvCache cache = engine.newCache()) {
                MemorySegment out = arena.allocate(4L * ids.length * model.vocabSize(), 64);
                engine.evaluate(cache, 0, ids, 0, ids.length, 0, out, 0, (layer, name, values, tokens, width) ->
                        traced.put(layer + " " + name, values.asSlice(0, 4L * tokens * width)
                                .toArray(ValueLayout.JAVA_FLOAT)));
                logits = out.toArray(ValueLayout.JAVA_FLOAT);
            }
        }
    }

    @AfterAll
    static void forget() {
        traced.clear();
    }

    @Test
    void everySubModuleOfBlockZeroEqualsHuggingFaces() {
        try (SafetensorsFile file = SafetensorsFile.open(GOLDEN.resolve("prompt0_layer0_trace.safetensors"))) {
            Map<String, String> nodes = Map.ofEntries(
                    Map.entry("input_layernorm", "attn_norm"),
                    Map.entry("q_proj", "q"),
                    Map.entry("k_proj", "k"),
                    Map.entry("v_proj", "v"),
                    Map.entry("attn_out_before_sub_norm", "kqv_out"),
                    Map.entry("attn_sub_norm", "attn_sub_norm"),
                    Map.entry("o_proj", "attn_out"),
                    Map.entry("post_attention_layernorm", "ffn_norm"),
                    Map.entry("gate_proj", "ffn_gate"),
                    Map.entry("up_proj", "ffn_up"),
                    Map.entry("ffn_relu2_times_up", "ffn_act"),
                    Map.entry("ffn_sub_norm", "ffn_sub_norm"),
                    Map.entry("down_proj", "ffn_down"));
            assertThat(file.tensors()).hasSize(nodes.size());
            nodes.forEach((name, node) -> {
                float[] expected = file.data(file.require(name)).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
                // No activation of this prompt flips to a neighbouring int8 value, so agreement is close to the end. The
                // values after the squared gate reach thousands: their limit is relative to the largest.
                assertThat(largestDifference(traced.get("0 " + node), expected))
                        .as(name)
                        .isLessThan(1e-5f * Math.max(1, largest(expected)));
            });
        }
    }

    @Test
    void residualStreamAfterEveryBlockEqualsHuggingFaces() {
        float[] states = Npy.floats(GOLDEN.resolve("prompt0_hidden_states.npy"));
        int n = ids.length * 512;
        for (int i = 0; i <= 4; i++) {
            float[] expected = Arrays.copyOfRange(states, i * n, (i + 1) * n);
            String node = i == 0 ? "-1 inp_embd" : i == 4 ? "-1 result_norm" : (i - 1) + " l_out";
            assertThat(largestDifference(traced.get(node), expected)).as(node).isLessThan(2e-5f);
        }
    }

    @Test
    void logitsOfAllPositionsEqualHuggingFaces() {
        float[] expected = Npy.floats(GOLDEN.resolve("prompt0_all_logits.npy"));
        assertThat(largestDifference(logits, expected)).isLessThan(1e-4f);
    }

    private static float largest(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private static float largestDifference(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected).doesNotContain(Float.NaN);
        float largest = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
        }
        return largest;
    }
}
