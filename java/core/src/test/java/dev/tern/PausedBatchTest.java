package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A pass that stops on its way. That what comes of it is right is {@link BatchTest}'s. */
class PausedBatchTest {
    private static final int VOCABULARY = 330;
    private static final int LAYERS = 3;
    private static final ModelHyperparameters GRAPH = new ModelHyperparameters(
            "bitnet-b1.58", "", VOCABULARY, 60, 128, 256, LAYERS, 4, 2, 32, 32, 10000, 1e-5f,
            FfnActivation.RELU_SQUARED, true, true);

    private final int[] tokens = new Random(5).ints(40, 0, VOCABULARY).toArray();
    private Model model;
    private Session prompt;
    private Session text;

    @BeforeEach
    void load(@TempDir Path folder) {
        load(folder, 2);
    }

    private void load(Path folder, int threads) {
        Path file = TestGguf.random(GRAPH, Outtype.I2_S, 1).write(folder.resolve(threads + ".gguf"));
        model = Model.load(file, ModelOptions.builder().threads(threads).batchSize(24).build());
        prompt = model.session();
        text = model.session();
        prompt.feed(Arrays.copyOf(tokens, 10));
        text.feed(Arrays.copyOf(tokens, 20));
    }

    @AfterEach
    void close() {
        model.close();
    }

    private Batch batch() {
        return model.batch().add(prompt, 0, tokens, 10, 12, false).add(text, 0, tokens, 20, 1, true);
    }

    private void assertSame(Session session, int count) {
        try (Session expected = model.session()) {
            expected.feed(Arrays.copyOf(tokens, count));
            assertThat(session.ids()).isEqualTo(Arrays.copyOf(tokens, count));
            assertThat(session.logits().toArray(ValueLayout.JAVA_INT))
                    .isEqualTo(expected.logits().toArray(ValueLayout.JAVA_INT));
        }
    }

    /** In front of the first block's attention, and then twice a block, but where no token goes on. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void stopsTwiceABlock(int threads, @TempDir Path folder) {
        model.close();
        load(folder, threads);
        Batch batch = batch();
        int pauses = 0;
        while (!batch.runUntil(() -> true)) {
            pauses++;
            assertThat(batch.size()).isEqualTo(2);
            assertThat(batch.tokens()).isEqualTo(13);
            assertThat(prompt.position()).as("as long as it is not over").isEqualTo(10);
        }
        assertThat(pauses).isEqualTo(2 * LAYERS);
        assertThat(batch.size()).isZero();
        assertSame(text, 21);
        prompt.feed(tokens[22]);
        assertSame(prompt, 23);
        batch.add(prompt, 0, tokens, 23, 4, false);
        pauses = 0;
        while (!batch.runUntil(() -> true)) {
            pauses++;
        }
        assertThat(pauses).as("the last block has no more to do").isEqualTo(2 * LAYERS - 1);
    }

    @Test
    void runGoesOnToTheEnd() {
        Batch batch = batch();
        AtomicInteger asked = new AtomicInteger();
        assertThat(batch.runUntil(() -> asked.incrementAndGet() == 4)).isFalse();
        batch.run();
        assertThat(asked).hasValue(4);
        assertThat(batch.size()).isZero();
        assertSame(text, 21);
    }

    @Test
    void withNothingToEvaluateThereIsNoPass() {
        assertThat(model.batch().runUntil(() -> true)).isTrue();
        text.feedAhead(tokens[20], Arrays.copyOfRange(tokens, 21, 30), 5);
        Batch batch = model.batch().add(text, 0, tokens, 21, 3, true);
        assertThat(batch.runUntil(() -> {
                    throw new AssertionError();
                }))
                .isTrue();
        assertSame(text, 24);
    }

    @Test
    void aPassThatIsGivenUpLeavesTheSessionsWhereTheyWere() {
        text.feedAhead(tokens[20], Arrays.copyOfRange(tokens, 21, 30), 5);
        Batch batch = model.batch();
        for (int parts = 0; parts < 2 * LAYERS; parts++) {
            int[] asked = {parts};
            batch.add(prompt, 0, tokens, 10, 12, false).add(text, 0, new int[] {7}, 0, 1, true);
            assertThat(batch.runUntil(() -> asked[0]-- == 0)).isFalse();
            batch.clear();
            assertThatSessionsAreWhereTheyWere(batch);
        }
        batch.add(prompt, 0, tokens, 10, 12, false).add(text, 0, tokens, 21, 9, true);
        assertThat(batch.runUntil(() -> false)).isTrue();
        prompt.feed(tokens[22]);
        assertSame(prompt, 23);
        assertSame(text, 30);
    }

    private void assertThatSessionsAreWhereTheyWere(Batch batch) {
        assertThat(batch.size()).isZero();
        assertThat(batch.tokens()).isZero();
        assertThat(prompt.ids()).isEqualTo(Arrays.copyOf(tokens, 10));
        assertThat(text.ids()).isEqualTo(Arrays.copyOf(tokens, 21));
        assertThatThrownBy(text::logits).isInstanceOf(IllegalStateException.class);
        assertThat(text.ahead()).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatTheQuestionThrowsGivesItUp(boolean error) {
        text.feedAhead(tokens[20], Arrays.copyOfRange(tokens, 21, 30), 5);
        Batch batch = model.batch();
        batch.add(prompt, 0, tokens, 10, 12, false).addAhead(text, 0, 7, tokens, 3);
        assertThat(batch.runUntil(() -> true)).isFalse();
        assertThatThrownBy(() -> batch.runUntil(() -> {
                    if (error) {
                        throw new StackOverflowError("stopped");
                    }
                    throw new IllegalStateException("stopped");
                }))
                .hasMessage("stopped");
        assertThatSessionsAreWhereTheyWere(batch);
    }

    @Test
    void nothingIsAddedToAPassThatIsNotOver() {
        Batch batch = batch();
        assertThat(batch.runUntil(() -> true)).isFalse();
        try (Session other = model.session()) {
            assertThatThrownBy(() -> batch.add(other, 0, tokens, 0, 1, true))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("not over");
        }
        batch.run();
        assertSame(text, 21);
    }

    @Test
    void aSessionOfAPausedPassCanBeClosedAndNotUsed() {
        Batch batch = batch();
        assertThat(batch.runUntil(() -> true)).isFalse();
        for (Runnable use : List.<Runnable>of(
                () -> text.feed(3),
                () -> text.feedAhead(3, tokens, 2),
                () -> text.rewind(5),
                () -> text.copyPrefix(prompt, 5),
                () -> model.batch().add(text, 0, tokens, 0, 1, true))) {
            assertThatThrownBy(use::run).isInstanceOf(IllegalStateException.class).hasMessageContaining("not over");
        }
        batch.run();
        assertSame(text, 21);
        prompt.rewind(10);
        text.rewind(20);
        batch.add(prompt, 0, tokens, 10, 12, false).add(text, 0, tokens, 20, 1, true);
        assertThat(batch.runUntil(() -> true)).isFalse();
        text.close();
        assertThatThrownBy(() -> batch.runUntil(() -> true))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("entry 1 of the batch");
        assertThat(batch.size()).isZero();
        batch.add(prompt, 0, tokens, 10, 12, true).run();
        assertSame(prompt, 22);
    }

    @Test
    void aModelThatIsClosedMeanwhileStopsThePass() {
        Batch batch = batch();
        assertThat(batch.runUntil(() -> true)).isFalse();
        model.close();
        assertThatThrownBy(batch::run).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
        assertThat(batch.size()).isZero();
    }
}
