package dev.tern.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Projection;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PassProfileTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));

    private final Arena arena = Arena.ofShared();
    private Engine engine;
    private KvCache cache;
    private MemorySegment logits;

    @BeforeEach
    void load() {
        try (Checkpoint checkpoint = Checkpoint.open(DATA.resolve("tiny-bitnet/online-bf16"))) {
            ModelHyperparameters model = checkpoint.hyperparameters();
            engine = new Engine(
                    model,
                    CheckpointWeights.read(checkpoint, arena),
                    KernelChoice.best().kernels(),
                    new ThreadTeam(2),
                    64,
                    32,
                    FloatType.F16,
                    HeadScreen.OFF,
                    arena::close);
            cache = engine.newCache();
            logits = Arena.ofAuto().allocate(4L * 32 * model.vocabSize(), 64);
        }
    }

    @AfterEach
    void close() {
        cache.close();
        engine.close();
    }

    @Test
    void timesAddUpToNoMoreThanPassed() {
        long start = System.nanoTime();
        PassProfile profile = engine.profile(() -> {
            engine.evaluate(cache, 0, new int[16], 0, 16, 15, logits);
            engine.evaluate(cache, 16, new int[1], 0, 1, 0, logits);
        });
        long passed = System.nanoTime() - start;
        assertThat(profile.passes()).isEqualTo(2);
        assertThat(profile.tokens()).isEqualTo(17);
        assertThat(profile.threads()).isEqualTo(2);
        assertThat(profile.stages()).extracting(PassProfile.Entry::stage).containsExactly(PassStage.values());
        assertThat(profile.stages()).allSatisfy(entry -> assertThat(entry.nanos()).isPositive());
        assertThat(profile.nanos()).isLessThanOrEqualTo(passed);
    }

    @Test
    void bytesAndOperationsAreThoseOfTheMatrices() {
        ModelWeights weights = engine.weights();
        PassProfile token = engine.profile(() -> engine.evaluate(cache, 0, new int[1], 0, 1, 0, logits));
        long bytes = 0;
        long elements = 0;
        for (Projection w : weights.projections()) {
            bytes += w.byteSize();
            elements += (long) w.rows() * w.cols();
        }
        long head = (long) weights.head().rows() * weights.head().cols();
        assertThat(bytes(token)).isEqualTo(bytes + weights.head().type().bytes(head));
        assertThat(operations(token)).isEqualTo(2 * (elements + head));
        ModelHyperparameters model = engine.model();
        TokenWork work = engine.tokenWork();
        assertThat(work.ternaryOperations()).isEqualTo(2 * elements);
        long ofLayer = 3L * model.hiddenSize() + model.intermediateSize();
        long norms = 4 * (model.layers() * ofLayer + model.hiddenSize());
        long row = weights.embedding().type().bytes(weights.embedding().cols());
        assertThat(work.weightBytes()).isEqualTo(bytes(token) + norms + row);
        PassProfile.Entry attention = entry(token, PassStage.ATTENTION);
        assertThat(work.cacheBytes()).isEqualTo(attention.bytes());
        assertThat(work.bytesPerToken(7, 3)).isEqualTo(work.weightBytes() + work.cacheBytes() * (8 + 9 + 10) / 3.0);
        assertThat(attention.bytes()).isEqualTo(2L * 2 * model.kvHeads() * model.headDim() * model.layers());
        assertThat(attention.operations()).isEqualTo(4L * model.heads() * model.headDim() * model.layers());
        assertThat(attention.gigabytesPerSecond()).isCloseTo(attention.bytes() / attention.nanos(), within(1e-9));

        // Without logits: the last block's keys and values are all that is wanted of it.
        PassProfile prompt = engine.profile(() -> engine.evaluate(cache, 0, new int[5], 0, 5, 5, logits));
        LayerWeights last = weights.layers().getLast();
        long unused = 0;
        for (Projection w : new Projection[] {last.attnOutput(), last.gate(), last.up(), last.down()}) {
            unused += (long) w.rows() * w.cols();
        }
        assertThat(operations(prompt)).isEqualTo(2 * 5 * (elements - unused));
        assertThat(work.promptOperations()).isEqualTo(2 * (elements - unused));
        assertThat(entry(prompt, PassStage.HEAD).bytes()).isZero();
        assertThat(entry(prompt, PassStage.ATTENTION).operations())
                .isEqualTo(4L * model.heads() * model.headDim() * (model.layers() - 1) * (1 + 2 + 3 + 4 + 5));
    }

    @Test
    void passesAreMeasuredForOneAtATime() {
        PassProfile profile = engine.profile(() -> {
            assertThatThrownBy(() -> engine.profile(() -> {})).isInstanceOf(IllegalStateException.class);
            engine.evaluate(cache, 0, new int[1], 0, 1, 1, logits);
        });
        assertThat(profile.passes()).isEqualTo(1);
        assertThatThrownBy(() -> engine.profile(() -> {
                    throw new UnsupportedOperationException("in the work");
                }))
                .isInstanceOf(UnsupportedOperationException.class);
        assertThat(engine.profile(() -> {}).tokens()).isZero();
    }

    /** Of the matrices: all but the attention. */
    private static long bytes(PassProfile profile) {
        return profile.stages().stream().mapToLong(PassProfile.Entry::bytes).sum()
                - entry(profile, PassStage.ATTENTION).bytes();
    }

    private static long operations(PassProfile profile) {
        return profile.stages().stream().mapToLong(PassProfile.Entry::operations).sum()
                - entry(profile, PassStage.ATTENTION).operations();
    }

    private static PassProfile.Entry entry(PassProfile profile, PassStage stage) {
        return profile.stages().get(stage.ordinal());
    }
}
