package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tern.io.InputException;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.Tier;
import dev.tern.lut.KernelFamily;
import dev.tern.model.FfnActivation;
import dev.tern.model.HeadScreen;
import dev.tern.model.LowRankRanks;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.PassProfile;
import dev.tern.model.PassStage;
import dev.tern.ternary.Outtype;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Sessions fed together are to the bit what they are when each is fed alone. */
class BatchTest {
    private static final int VOCABULARY = 330;
    private static final int CONTEXT = 60;
    private static final ModelHyperparameters GRAPH = graph(new LowRankRanks(0, 0, 0, 0, 0, 0, 0));

    private @TempDir Path folder;

    private static ModelHyperparameters graph(LowRankRanks ranks) {
        return new ModelHyperparameters(
                "bitnet-b1.58", "", VOCABULARY, CONTEXT, 128, 256, 2, 4, 2, 32, 32, 10000, 1e-5f,
                FfnActivation.RELU_SQUARED, true, true, ranks, 0);
    }

    private Path write(ModelHyperparameters graph, Outtype outtype) {
        return TestGguf.random(graph, outtype, 1).write(folder.resolve(outtype + ".gguf"));
    }

    private static ModelOptions.Builder options() {
        return ModelOptions.builder().threads(2).batchSize(24);
    }

    /** Compares many passes over mixed parts of sessions with one session after the other, of a model of its own. */
    private static void assertSame(Path file, ModelOptions options, int rounds) {
        ModelOptions alone = ModelOptions.builder()
                .threads(1)
                .cacheType(options.cacheType())
                .screen(HeadScreen.OFF)
                .build();
        try (Model expected = Model.load(file, alone);
                Model model = Model.load(file, options)) {
            new Fuzz(expected, model).run(rounds);
        }
    }

    /** A sequence, in the batch's model and alone. */
    private record Pair(Session together, Session alone) {

        void assertSame(boolean logits, int top) {
            assertThat(together.position()).isEqualTo(alone.position());
            assertThat(together.ids()).isEqualTo(alone.ids());
            if (!logits) {
                assertThatThrownBy(together::logits).isInstanceOf(IllegalStateException.class);
                return;
            }
            float[] all = alone.logits().toArray(ValueLayout.JAVA_FLOAT);
            if (top > 0) {
                float[] largest = together.largestLogits().toArray(ValueLayout.JAVA_FLOAT);
                IntStream.range(0, VOCABULARY)
                        .boxed()
                        .sorted(Comparator.comparing((Integer id) -> -all[id]))
                        .limit(top)
                        .forEach(id -> assertThat(largest[id]).isEqualTo(all[id]));
            }
            assertThat(together.logits().toArray(ValueLayout.JAVA_INT))
                    .isEqualTo(alone.logits().toArray(ValueLayout.JAVA_INT));
        }
    }

    private static final class Fuzz {
        private final Random random = new Random(11);
        private final Batch batch;
        private final Batch between; // what is computed while that is paused
        private final int batchSize;
        private final List<Pair> pairs = new ArrayList<>();
        private int taken;
        private int several;
        private int paused;

        Fuzz(Model expected, Model model) {
            batch = model.batch();
            between = model.batch();
            batchSize = model.info().batchSize();
            for (int i = 0; i < 6; i++) {
                pairs.add(new Pair(model.session(), expected.session()));
            }
        }

        void run(int rounds) {
            for (int round = 0; round < rounds; round++) {
                List<Runnable> checks = new ArrayList<>();
                List<Pair> others = new ArrayList<>();
                for (Pair pair : pairs) {
                    if (random.nextInt(4) > 0) {
                        checks.add(add(batch, pair));
                    } else {
                        others.add(pair);
                    }
                }
                several += batch.size() > 2 ? 1 : 0;
                if (random.nextBoolean()) {
                    batch.run();
                } else {
                    pausing(others);
                }
                assertThat(batch.tokens()).isZero();
                checks.forEach(Runnable::run);
            }
            assertThat(paused).as("pauses").isGreaterThan(rounds / 2);
            assertThat(several).as("passes with more than two sequences").isGreaterThan(rounds / 4);
            assertThat(taken).as("tokens that had been drafted").isPositive();
        }

        /** The pass in parts, between which others are computed. */
        private void pausing(List<Pair> others) {
            AtomicInteger parts = new AtomicInteger();
            while (!batch.runUntil(() -> parts.getAndIncrement() % 3 != 1)) {
                paused++;
                List<Runnable> checks = new ArrayList<>();
                for (Pair pair : others) {
                    if (random.nextBoolean()) {
                        checks.add(add(between, pair));
                    }
                }
                between.run();
                checks.forEach(Runnable::run);
            }
        }

        /** Some tokens for a sequence, what is to be seen after the pass, and what the other session does. */
        private Runnable add(Batch batch, Pair pair) {
            int room = CONTEXT - pair.alone.position();
            if (room < 8 || random.nextInt(12) == 0) {
                shorten(pair);
                return () -> {};
            }
            int top = random.nextInt(3) == 0 ? 1 + random.nextInt(5) : 0;
            int left = batchSize - batch.tokens();
            if (left == 0) {
                return () -> {};
            }
            if (random.nextInt(3) == 0) {
                int[] draft = random.ints(7, 0, VOCABULARY).toArray();
                int token = random.nextInt(VOCABULARY);
                batch.addAhead(pair.together, top, token, draft, random.nextInt(7));
                return () -> {
                    pair.alone.feed(token);
                    assertThat(pair.together.ahead()).isLessThan(Math.min(7, left));
                    pair.assertSame(true, top);
                    takeSome(batch, pair, top, draft);
                };
            }
            int count = 1 + random.nextInt(Math.min(7, left));
            int from = random.nextInt(3);
            int[] tokens = random.ints(from + count + 2, 0, VOCABULARY).toArray();
            boolean logits = random.nextInt(3) > 0;
            batch.add(pair.together, top, tokens, from, count, logits);
            tokens[from] ^= 1; // the batch has a copy
            return () -> {
                tokens[from] ^= 1;
                pair.alone.feed(Arrays.copyOfRange(tokens, from, from + count));
                pair.assertSame(logits, top);
            };
        }

        /** Of a draft, some of what waits, with something else behind it; in a batch of its own, or fed. */
        private void takeSome(Batch batch, Pair pair, int top, int[] draft) {
            int waiting = pair.together.ahead();
            if (waiting == 0) {
                return;
            }
            assertThat(pair.together.isAhead(top, draft[0])).isTrue();
            int count = 1 + random.nextInt(waiting);
            boolean more = random.nextBoolean() && pair.alone.position() + count < CONTEXT;
            int[] tokens = Arrays.copyOf(draft, more ? count + 1 : count);
            if (more) {
                tokens[count] = random.nextInt(VOCABULARY);
            }
            boolean logits = random.nextInt(3) > 0;
            batch.add(pair.together, top, tokens, 0, tokens.length, logits);
            assertThat(batch.tokens()).isLessThanOrEqualTo(more ? 1 : 0);
            batch.run();
            pair.alone.feed(tokens);
            pair.assertSame(logits, top);
            taken += count;
        }

        private void shorten(Pair pair) {
            Pair other = pairs.get(random.nextInt(pairs.size()));
            if (other.together == pair.together || random.nextBoolean()) {
                int position = pair.alone.position() / 2;
                pair.together.rewind(position);
                pair.alone.rewind(position);
            } else { // which may be in the batch already; that is no matter to its past
                int tokens = random.nextInt(other.alone.position() + 1);
                pair.together.copyPrefix(other.together, tokens);
                pair.alone.rewind(0);
                pair.alone.feed(Arrays.copyOf(other.alone.ids(), tokens));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Tier.class)
    void onEveryTier(Tier tier) {
        Kernels kernels;
        try {
            kernels = KernelChoice.of(tier);
        } catch (KernelUnavailableException e) {
            assumeThat(false).as(e.getMessage()).isTrue();
            return;
        }
        assertSame(write(GRAPH, Outtype.I2_S), options().kernels(kernels).build(), 40);
    }

    @ParameterizedTest
    @CsvSource({"1, 24", "2, 7", "2, 12", "3, 24", "5, 40"})
    void withThreadsAndBatch(int threads, int batch) {
        assertSame(
                write(GRAPH, Outtype.Q4_0),
                options().threads(threads).batchSize(batch).build(),
                100);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "Q8_0"})
    void withACacheOf(FloatType type) {
        assertSame(write(GRAPH, Outtype.I2_S), options().cacheType(type).build(), 60);
    }

    @ParameterizedTest
    @EnumSource(names = {"TL1", "TL2"})
    void lookedUp(Outtype outtype) {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
        assertSame(write(GRAPH, outtype), options().family(KernelFamily.LUT).build(), 60);
    }

    @Test
    void withLowRankCorrections() {
        ModelHyperparameters graph = graph(new LowRankRanks(40, 6, 6, 33, 70, 25, 25));
        assertSame(write(graph, Outtype.I2_S), options().build(), 60);
    }

    @Test
    void withAScreenedHead() {
        Path file = write(GRAPH, Outtype.I2_S);
        ModelOptions on = options().screen(HeadScreen.ON).build();
        assertSame(file, on, 100);
        try (Model model = Model.load(file, on);
                Session first = model.session();
                Session second = model.session()) {
            model.batch()
                    .add(first, 1, new int[] {3, 4}, 0, 2, true)
                    .add(second, 2, new int[] {5}, 0, 1, true)
                    .run();
            assertThat(model.screenUse().tries()).isEqualTo(1);
            model.batch()
                    .add(first, 1, new int[] {3}, 0, 1, true)
                    .add(second, 0, new int[] {5}, 0, 1, true)
                    .run();
            assertThat(model.screenUse().tries()).as("one wants all").isEqualTo(1);
        }
    }

    /** Long caches beside short ones, which grow. */
    @ParameterizedTest
    @CsvSource({"1", "2", "3"})
    void longAndShortSequences(int threads) {
        ModelHyperparameters graph = new ModelHyperparameters(
                "bitnet-b1.58", "", VOCABULARY, 1500, 128, 256, 2, 4, 2, 32, 32, 10000, 1e-5f,
                FfnActivation.RELU_SQUARED, true, true);
        int[] ids = new Random(1).ints(1500, 0, VOCABULARY).toArray();
        try (Model model = Model.load(write(graph, Outtype.I2_S), ModelOptions.builder().threads(threads).build())) {
            int[] lengths = {1400, 0, 250, 3, 700, 511};
            int[] counts = {1, 400, 10, 1, 1, 1};
            Session[] alone = new Session[lengths.length];
            Session[] together = new Session[lengths.length];
            Batch batch = model.batch();
            for (int i = 0; i < lengths.length; i++) {
                alone[i] = model.session();
                alone[i].feed(Arrays.copyOf(ids, lengths[i]));
                together[i] = alone[i].fork();
                batch.add(together[i], 0, ids, lengths[i], counts[i], true);
            }
            assertThat(batch.tokens()).isEqualTo(414);
            batch.run();
            for (int i = 0; i < lengths.length; i++) {
                alone[i].feed(Arrays.copyOfRange(ids, lengths[i], lengths[i] + counts[i]));
                new Pair(together[i], alone[i]).assertSame(true, 0);
            }
        }
    }

    @Test
    void onePassReadsTheWeightsOnce() {
        try (Model model = Model.load(write(GRAPH, Outtype.I2_S), options().build())) {
            Batch batch = model.batch();
            PassProfile eight = model.profile(() -> {
                for (int i = 0; i < 8; i++) {
                    batch.add(model.session(), 0, new int[] {i}, 0, 1, true);
                }
                batch.run();
            });
            PassProfile one = model.profile(() -> model.session().feed(1));
            assertThat(eight.passes()).isEqualTo(1);
            assertThat(eight.tokens()).isEqualTo(8);
            for (int stage = 0; stage < one.stages().size(); stage++) {
                PassProfile.Entry of = one.stages().get(stage);
                long times = of.stage() == PassStage.ATTENTION ? 8 : 1;
                assertThat(eight.stages().get(stage).bytes()).isEqualTo(times * of.bytes());
                assertThat(eight.stages().get(stage).operations()).isEqualTo(8 * of.operations());
            }
        }
    }

    @Test
    void whatIsRefusedChangesNothing() {
        try (Model model = Model.load(write(GRAPH, Outtype.I2_S), options().build());
                Model other = Model.load(write(GRAPH, Outtype.I2_S), options().build());
                Session first = model.session();
                Session second = model.session();
                Session foreign = other.session()) {
            first.feed(1, 2, 3);
            byte[] logits = first.logits().toArray(ValueLayout.JAVA_BYTE);
            Batch batch = model.batch().add(second, 0, new int[20], 0, 20, false);
            int[] seven = {5, 6, VOCABULARY, 8, -1, 9, 10};
            assertThatThrownBy(() -> batch.add(first, 0, seven, 1, 2, true))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("entry 1 of the batch: token 1 is not in the vocabulary")
                    .hasMessageContaining("found 330");
            assertThatThrownBy(() -> batch.addAhead(first, 0, 1, seven, 3)).isInstanceOf(InputException.class);
            assertThatThrownBy(() -> batch.addAhead(first, 0, -1, seven, 1)).isInstanceOf(InputException.class);
            assertThatThrownBy(() -> batch.add(first, 0, new int[58], 0, 58, true))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("entry 1 of the batch: longer than the context")
                    .hasMessageContaining("found 61");
            assertThatThrownBy(() -> batch.add(first, 0, seven, 0, 5, true)).isInstanceOf(InputException.class);
            assertThatThrownBy(() -> batch.add(first, 0, new int[5], 0, 5, true))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("entry 1 of the batch: 5 tokens beside 20; a batch has at most 24");
            assertThatThrownBy(() -> batch.add(second, 0, seven, 0, 1, true))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("in the batch already");
            assertThatThrownBy(() -> batch.add(foreign, 0, seven, 0, 1, true))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("another model");
            assertThatThrownBy(() -> batch.add(first, -1, seven, 0, 1, true))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("0 for all; found -1");
            assertThatThrownBy(() -> batch.addAhead(first, -1, 1, seven, 1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> first.feedLargest(-1, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> first.feedAhead(Integer.MIN_VALUE, 1, seven, 1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> batch.add(first, 0, seven, 0, 0, true))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> batch.add(first, 0, seven, 6, 2, true))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(batch.size()).isEqualTo(1);
            assertThat(batch.tokens()).isEqualTo(20);
            assertThat(first.ids()).containsExactly(1, 2, 3);
            assertThat(first.logits().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(logits);
            assertThatThrownBy(() -> first.copyPrefix(foreign, 0)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> second.copyPrefix(first, 4)).isInstanceOf(IndexOutOfBoundsException.class);
            batch.add(first, 0, seven, 0, 2, true).run();
            assertThat(first.position()).isEqualTo(5);
            assertThat(second.position()).isEqualTo(20);
            batch.run(); // of nothing
        }
    }

    @Test
    void aSessionUsedOrClosedMeanwhileStopsThePass() {
        try (Model model = Model.load(write(GRAPH, Outtype.I2_S), options().build());
                Session first = model.session()) {
            Session second = model.session();
            Batch batch = model.batch().add(first, 0, new int[] {1}, 0, 1, true).add(second, 0, new int[] {1}, 0, 1, true);
            second.feed(7);
            assertThatThrownBy(batch::run)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("entry 1 of the batch");
            assertThat(batch.size()).isZero();
            assertThat(first.position()).isZero();
            batch.add(first, 0, new int[] {1}, 0, 1, true).add(second, 0, new int[] {1}, 0, 1, true);
            second.close();
            assertThatThrownBy(batch::run).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> batch.add(second, 0, new int[] {1}, 0, 1, true))
                    .isInstanceOf(IllegalStateException.class);
            batch.add(first, 0, new int[] {1}, 0, 1, true);
            batch.clear();
            batch.run();
            assertThat(first.position()).isZero();
            batch.add(first, 0, new int[] {1}, 0, 1, true);
            model.close();
            assertThatThrownBy(batch::run).isInstanceOf(IllegalStateException.class);
        }
    }
}
