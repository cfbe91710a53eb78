package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** A session that has evaluated tokens ahead is to the bit the one that has not. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SessionAheadTest {
    private static final int VOCABULARY = 50;
    private static final int CONTEXT = 40;

    private final Random random = new Random(5);
    private Path saved = Path.of("");
    private Model model;
    private Session plain;
    private Session ahead;

    @BeforeAll
    void load(@TempDir Path folder) {
        ModelHyperparameters graph = new ModelHyperparameters(
                "bitnet-b1.58", "", VOCABULARY, CONTEXT, 128, 256, 2, 4, 2, 32, 32, 10000, 1e-5f,
                FfnActivation.RELU_SQUARED, true, true);
        saved = folder.resolve("saved");
        model = Model.load(
                TestGguf.random(graph, Outtype.I2_S, 1).write(folder.resolve("model.gguf")),
                ModelOptions.builder().threads(1).batchSize(8).build());
        plain = model.session();
        ahead = model.session();
    }

    @AfterAll
    void close() {
        model.close();
    }

    private int[] tokens(int count) {
        return random.ints(count, 0, VOCABULARY).toArray();
    }

    private static int[] bits(Session session) {
        return session.logits().toArray(ValueLayout.JAVA_INT);
    }

    private void rewind() {
        plain.rewind(0);
        ahead.rewind(0);
    }

    private void assertEqual() {
        assertThat(ahead.position()).isEqualTo(plain.position());
        assertThat(ahead.ids()).isEqualTo(plain.ids());
        assertThat(bits(ahead)).isEqualTo(bits(plain));
    }

    @Test
    void anyMixtureOfRightAndWrongDraftsAndFeeds() {
        int taken = 0;
        for (int round = 0; round < 60; round++) {
            rewind();
            int[] text = tokens(CONTEXT);
            for (int at = 0; at < CONTEXT; ) {
                int[] next = Arrays.copyOfRange(text, at, Math.min(CONTEXT, at + 1 + random.nextInt(5)));
                if (random.nextBoolean()) {
                    plain.feed(next);
                    ahead.feed(next); // from what waits, from a pass, or from both
                    at += next.length;
                } else {
                    plain.feed(text[at]);
                    int[] draft = Arrays.copyOfRange(text, at + 1, at + 7); // zeros past the context's end
                    draft[random.nextInt(6)] = random.nextInt(VOCABULARY);
                    boolean waits = ahead.isAhead(0, text[at]);
                    int count = ahead.feedAhead(text[at], draft, 1 + random.nextInt(6));
                    assertThat(count).isLessThanOrEqualTo(CONTEXT - at - 1);
                    taken += waits ? 1 : 0;
                    at++;
                }
                assertEqual();
            }
        }
        assertThat(taken).as("tokens that cost no pass").isGreaterThan(50);
    }

    @Test
    void howManyAreTakenAhead() {
        rewind();
        int[] draft = tokens(20);
        assertThat(ahead.feedAhead(1, draft, 0)).isZero();
        assertThat(ahead.feedAhead(1, draft, 3)).isEqualTo(3);
        assertThat(ahead.isAhead(0, draft[0])).isTrue();
        assertThat(ahead.feedAhead(draft[0], draft, 5)).as("has been evaluated").isZero();
        assertThat(ahead.isAhead(0, draft[1])).isTrue();
        ahead.feed(draft[1], draft[2]);
        assertThat(ahead.isAhead(0, draft[3])).as("none are left").isFalse();
        assertThat(ahead.feedAhead(2, draft, 99)).as("a batch is 8 tokens").isEqualTo(7);
        assertThat(ahead.feedAhead(VOCABULARY - 1, new int[0], 4)).isZero();
        ahead.feed(tokens(CONTEXT - ahead.position() - 3));
        assertThat(ahead.feedAhead(3, draft, 7)).as("the context has room for two more").isEqualTo(2);
        ahead.feed(draft[0]);
        assertThat(ahead.feedAhead((draft[1] + 1) % VOCABULARY, draft, 7)).isZero();
        assertThat(ahead.position()).isEqualTo(CONTEXT);
    }

    @Test
    void rewoundForkedSavedAndWithLogitsOfEveryPosition() {
        rewind();
        int[] text = tokens(12);
        ahead.feedAhead(text[0], Arrays.copyOfRange(text, 1, 7), 6);
        ahead.feed(text[1], text[2]);
        plain.feed(Arrays.copyOf(text, 3));
        assertEqual();
        ahead.save(saved);
        try (Session fork = ahead.fork();
                Session restored = model.restore(saved)) {
            for (Session other : new Session[] {fork, restored}) {
                assertThat(other.isAhead(0, text[3])).isFalse();
                assertThat(bits(other)).isEqualTo(bits(plain));
                other.feed(text[3]);
            }
            plain.feed(text[3]);
            assertThat(bits(fork)).isEqualTo(bits(plain));
            assertThat(bits(restored)).isEqualTo(bits(plain));
        }
        ahead.rewind(3);
        assertThat(ahead.isAhead(0, text[3])).as("nothing was rewound").isTrue();
        ahead.rewind(2);
        assertThat(ahead.isAhead(0, text[3])).isFalse();
        assertThatThrownBy(ahead::logits).isInstanceOf(IllegalStateException.class);
        plain.rewind(2);
        plain.feed(text[9]);
        ahead.feed(text[9]);
        assertEqual();

        ahead.feedAhead(text[4], Arrays.copyOfRange(text, 5, 8), 3);
        plain.feed(text[4]);
        int[][] rows = new int[2][];
        ahead.feed(
                new int[] {text[5], text[6]},
                (position, row) -> rows[position - 4] = row.toArray(ValueLayout.JAVA_INT));
        for (int i = 0; i < 2; i++) {
            plain.feed(text[5 + i]);
            assertThat(rows[i]).isEqualTo(bits(plain));
        }
        assertEqual();
    }

    @Test
    void tokensThatAreNoneLeaveTheSessionAsItWas() {
        rewind();
        ahead.feedAhead(1, new int[] {2, 3}, 2);
        plain.feed(1);
        assertThatThrownBy(() -> ahead.feedAhead(5, new int[] {6, VOCABULARY}, 2)).isInstanceOf(InputException.class);
        assertThatThrownBy(() -> ahead.feedAhead(VOCABULARY, new int[] {6}, 1)).isInstanceOf(InputException.class);
        assertThatThrownBy(() -> ahead.feed(2, -1)).isInstanceOf(InputException.class);
        assertThat(ahead.feedAhead(1, new int[] {6, VOCABULARY}, 1)).as("the second is not looked at").isEqualTo(1);
        plain.feed(1);
        assertEqual();
        Session closed = model.session();
        closed.feedAhead(1, new int[] {2}, 1);
        closed.close();
        assertThatThrownBy(() -> closed.feed(2)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> closed.feedAhead(2, new int[] {3}, 1)).isInstanceOf(IllegalStateException.class);
    }
}
