package dev.tern.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.KernelChoice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ways through a pass (one token, several, logits of some, a trace) give one result, for any number of members. */
class ForwardTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));
    private static final int[] IDS = {1, 400, 7, 33, 900, 12, 5, 250, 61, 8, 77};

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 6})
    void logitsAreTheSameWhicheverTokensTheyAreWantedOf(int members) {
        try (Arena arena = Arena.ofShared();
                Checkpoint checkpoint = Checkpoint.open(DATA.resolve("tiny-bitnet/online-bf16"))) {
            ModelHyperparameters model = checkpoint.hyperparameters();
            int vocab = model.vocabSize();
            try (Engine engine = new Engine(
                    model,
                    CheckpointWeights.read(checkpoint, arena),
                    KernelChoice.best().kernels(),
                    new ThreadTeam(members),
                    64,
                    32,
                    FloatType.F32,
                    HeadScreen.OFF,
                    () -> {})) {
                int n = IDS.length;
                MemorySegment out = arena.allocate(4L * n * vocab, 64);
                float[] expected = new float[n * vocab]; // one token at a time
                try (KvCache cache = engine.newCache()) {
                    for (int t = 0; t < n; t++) {
                        engine.evaluate(cache, t, IDS, t, 1, 0, out);
                        MemorySegment.copy(out, ValueLayout.JAVA_FLOAT, 0, expected, t * vocab, vocab);
                    }
                }
                for (int first = 0; first < n; first++) {
                    for (boolean traced : new boolean[] {false, true}) {
                        try (KvCache cache = engine.newCache()) {
                            out.fill((byte) 0);
                            ForwardTrace trace = traced ? (layer, name, values, count, width) -> {} : null;
                            engine.evaluate(cache, 0, IDS, 0, n - 1, first, out, 0, trace);
                            assertThat(logits(out, n - 1 - first, vocab))
                                    .as("logits from token %d on", first)
                                    .containsExactly(
                                            Arrays.copyOfRange(expected, first * vocab, (n - 1) * vocab));
                            // What the cache holds, shows in the next token.
                            engine.evaluate(cache, n - 1, IDS, n - 1, 1, 0, out, 0, trace);
                            assertThat(logits(out, 1, vocab))
                                    .containsExactly(Arrays.copyOfRange(expected, (n - 1) * vocab, n * vocab));
                        }
                    }
                }
            }
        }
    }

    private static float[] logits(MemorySegment out, int tokens, int vocab) {
        return out.asSlice(0, 4L * tokens * vocab).toArray(ValueLayout.JAVA_FLOAT);
    }
}
