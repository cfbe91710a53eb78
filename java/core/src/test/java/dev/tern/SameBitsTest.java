package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.io.JsonFile;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.Tier;
import dev.tern.lut.KernelFamily;
import dev.tern.ternary.Outtype;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The design's second and third law: whatever the weights are stored as, whoever computes, with however many threads, and
 * however a prompt is cut, the logits have the same bits. All logits of a prompt of 62 tokens of the trained model are
 * compared. The packed checkpoint's scales are bf16 numbers, which all outtypes hold exactly, so s is the same in all.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SameBitsTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));

    private final int[] ids = JsonFile.read(DATA.resolve("golden/golden.json"))
            .path("prompts")
            .path(3)
            .path("ids")
            .valueStream()
            .mapToInt(node -> node.asInt())
            .toArray();

    private @TempDir Path folder;
    private Path file = Path.of("");
    private int[][] expected = {};

    @BeforeAll
    void computeOnce(@TempDir Path folder) {
        file = write(Outtype.I2_S, folder);
        try (Model model = Model.load(file, options().build())) {
            expected = bits(model);
        }
        assertThat(ids).hasSize(62);
        assertThat(expected).hasDimensions(62, 4096);
    }

    private static Path write(Outtype outtype, Path folder) {
        try (Checkpoint checkpoint = Checkpoint.open(DATA.resolve("tiny-bitnet/packed-u8"))) {
            return TestGguf.of(checkpoint, outtype).write(folder.resolve(outtype.label() + ".gguf"));
        }
    }

    private static ModelOptions.Builder options() {
        return ModelOptions.builder().threads(1);
    }

    private static int[] bits(Session session) {
        return session.logits().toArray(ValueLayout.JAVA_INT);
    }

    private int[][] bits(Model model) {
        return bits(model, ids.length);
    }

    /** Of the first tokens. */
    private int[][] bits(Model model, int count) {
        int[][] rows = new int[count][];
        try (Session session = model.session()) {
            int[] first = Arrays.copyOf(ids, count);
            session.feed(first, (position, logits) -> rows[position] = logits.toArray(ValueLayout.JAVA_INT));
        }
        return rows;
    }

    @ParameterizedTest
    @EnumSource(Outtype.class)
    void storedAs(Outtype outtype) {
        try (Model model = Model.load(write(outtype, folder), options().build())) {
            assertThat(model.info().weightType()).isEqualTo(outtype.name());
            assertThat(bits(model)).isDeepEqualTo(expected);
        }
    }

    /** Every outtype in every layout, and as it lies in the mapped file. */
    @ParameterizedTest
    @EnumSource(Outtype.class)
    void laidOutAs(Outtype outtype) {
        Path stored = write(outtype, folder);
        int[][] first = Arrays.copyOf(expected, 5);
        for (TernaryLayout layout : TernaryLayout.values()) {
            ModelOptions options = ModelOptions.builder()
                    .threads(2)
                    .family(KernelFamily.MAD)
                    .layout(layout)
                    .build();
            try (Model model = Model.load(stored, options)) {
                assertThat(model.info().layout()).contains(layout);
                assertThat(bits(model, 5)).as("%s", layout).isDeepEqualTo(first);
            }
        }
        try (Model model = Model.load(stored, options().mapped(true).build())) {
            assertThat(bits(model, 5)).as("mapped").isDeepEqualTo(first);
        }
    }

    @ParameterizedTest
    @EnumSource(Tier.class)
    void computedInEveryLayoutBy(Tier tier) {
        Kernels kernels;
        try {
            kernels = KernelChoice.of(tier);
        } catch (KernelUnavailableException e) {
            assumeThat(false).as(e.getMessage()).isTrue();
            return;
        }
        for (TernaryLayout layout : TernaryLayout.values()) {
            try (Model model = Model.load(file, options().kernels(kernels).layout(layout).build())) {
                assertThat(model.info().layout()).contains(layout);
                assertThat(bits(model, 3)).as("%s", layout).isDeepEqualTo(Arrays.copyOf(expected, 3));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Tier.class)
    void computedBy(Tier tier) {
        Kernels kernels;
        try {
            kernels = KernelChoice.of(tier);
        } catch (KernelUnavailableException e) {
            assumeThat(false).as(e.getMessage()).isTrue();
            return;
        }
        try (Model model = Model.load(file, options().kernels(kernels).build())) {
            assertThat(model.info().tier()).isEqualTo(tier);
            assertThat(bits(model)).isDeepEqualTo(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 7", "1, 64", "2, 1", "2, 7", "2, 64", "3, 1", "3, 7", "3, 64"})
    void withThreadsAndBatch(int threads, int batch) {
        ModelOptions options =
                ModelOptions.builder().threads(threads).batchSize(batch).build();
        try (Model model = Model.load(file, options)) {
            assertThat(model.info().threads()).isEqualTo(threads);
            assertThat(bits(model)).isDeepEqualTo(expected); // for all logits a session cuts its batches short
            try (Session session = model.session()) {
                session.feed(Arrays.copyOf(ids, 60));
                assertThat(bits(session)).isEqualTo(expected[59]);
                session.feed(ids[60]); // attends to what the batches left in the cache
                assertThat(bits(session)).isEqualTo(expected[60]);
            }
        }
    }

    @Test
    void promptSplitAnywhere() {
        try (Model model = Model.load(file, options().build())) {
            for (int split = 1; split < ids.length; split++) {
                try (Session session = model.session()) {
                    session.feed(Arrays.copyOf(ids, split));
                    assertThat(bits(session)).as("the first %d", split).isEqualTo(expected[split - 1]);
                    session.feed(Arrays.copyOfRange(ids, split, ids.length));
                    assertThat(bits(session)).as("split at %d", split).isEqualTo(expected[ids.length - 1]);
                }
            }
        }
    }

    @Test
    void forkedRewoundSavedAndRestored() {
        Path saved = folder.resolve("saved");
        try (Model model = Model.load(file, options().build());
                Session session = model.session()) {
            session.feed(Arrays.copyOf(ids, 40));
            session.save(saved);
            try (Session fork = session.fork();
                    Session restored = model.restore(saved)) {
                session.feed(1, 2, 3); // must not reach the fork
                for (Session other : new Session[] {fork, restored}) {
                    assertThat(other.position()).isEqualTo(40);
                    assertThat(other.ids()).isEqualTo(Arrays.copyOf(ids, 40));
                    assertThat(bits(other)).isEqualTo(expected[39]);
                    other.feed(Arrays.copyOfRange(ids, 40, 62));
                    assertThat(bits(other)).isEqualTo(expected[61]);
                }
            }
            session.rewind(20);
            session.feed(Arrays.copyOfRange(ids, 20, 62));
            assertThat(bits(session)).isEqualTo(expected[61]);
        }
    }

    @Test
    void sessionLongerThanTheFirstCacheAndBesideAnother() {
        // 300 positions make the cache grow once; the other session's tokens go in between, one by one.
        int[] repeated = new int[300];
        for (int i = 0; i < repeated.length; i++) {
            repeated[i] = ids[i % ids.length];
        }
        try (Model model = Model.load(file, options().cacheType(FloatType.F32).build());
                Session whole = model.session();
                Session piecewise = model.session();
                Session other = model.session()) {
            whole.feed(repeated);
            for (int i = 0; i < repeated.length; i += 50) {
                piecewise.feed(Arrays.copyOfRange(repeated, i, i + 50));
                other.feed(ids[i % ids.length]);
            }
            assertThat(bits(piecewise)).isEqualTo(bits(whole));
        }
    }

    @Test
    void seedGivesTheSameTextWithAnyThreads() {
        GenerationOptions sampled =
                GenerationOptions.builder().maxTokens(40).ignoreEos(true).seed(7).build();
        String text;
        try (Model model = Model.load(file, options().build())) {
            Generation generation = model.generate("Once upon a time", sampled);
            text = generation.text();
            assertThat(generation.ids()).hasSize(40);
            assertThat(model.generate("Once upon a time", sampled).text()).isEqualTo(text);
        }
        try (Model model = Model.load(file, ModelOptions.builder().threads(2).build())) {
            assertThat(model.generate("Once upon a time", sampled).text()).isEqualTo(text);
        }
    }
}
