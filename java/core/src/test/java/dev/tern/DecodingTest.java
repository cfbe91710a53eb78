package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.template.ChatMessage;
import dev.tern.ternary.Outtype;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** A decoding over logits that somebody else computes gives what a generation gives. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DecodingTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));

    private Model model;
    private int[] prompt;

    @BeforeAll
    void load(@TempDir Path folder) {
        Path file = folder.resolve("model.gguf");
        try (Checkpoint checkpoint = Checkpoint.open(DATA.resolve("tiny-bitnet/packed-u8"))) {
            TestGguf.of(checkpoint, Outtype.I2_S).write(file);
        }
        model = Model.load(file, ModelOptions.builder().threads(1).contextLength(256).build());
        prompt = model.chatPrompt(List.of(new ChatMessage("user", "Tell me the fable of The Fox and the Grapes.")));
    }

    @AfterAll
    void close() {
        model.close();
    }

    /** Runs the passes as a server would: tokens that were evaluated ahead are fed without one. */
    private void assertSameAsGeneration(GenerationOptions options) {
        Generation generation = model.generate(prompt, options);
        String text = generation.text();
        Decoding decoding = model.decoding(options);
        decoding.addPrompt(prompt);
        StringBuilder pieces = new StringBuilder();
        try (Session session = model.session()) {
            session.feedLargest(decoding.top(), prompt);
            while (decoding.stopReason() == null) {
                Token token = decoding.next(session.largestLogits(), session.position() == session.contextLength());
                pieces.append(token.text());
                if (decoding.stopReason() == null && !decoding.feedKnown(session)) {
                    int room = session.contextLength() - session.position() - 1;
                    int ahead = decoding.draft(1, drafted -> 1 + 0.01 * drafted, room);
                    assertThat(session.feedAhead(decoding.top(), decoding.last(), decoding.drafted(), ahead))
                            .isEqualTo(ahead);
                    decoding.evaluated(ahead);
                }
            }
        }
        assertThat(pieces + decoding.tail()).isEqualTo(text);
        assertThat(decoding.ids()).isEqualTo(generation.ids());
        assertThat(decoding.count()).isEqualTo(generation.ids().length);
        assertThat(decoding.stopReason()).isEqualTo(generation.stopReason());
        assertThat(decoding.endId()).isEqualTo(generation.endId());
        assertThat(decoding.acceptedTokens()).isBetween(0L, decoding.draftedTokens());
    }

    @Test
    void greedySampledStoppedAndFull() {
        GenerationOptions.Builder greedy = GenerationOptions.builder().temperature(0).maxTokens(-1);
        assertSameAsGeneration(greedy.build());
        assertSameAsGeneration(greedy.draft(new DraftOptions(DraftOptions.Mode.ON, 5, 1)).build());
        assertSameAsGeneration(greedy.stop("grapes").build());
        assertSameAsGeneration(GenerationOptions.builder().seed(7).ignoreEos(true).maxTokens(-1).build());
        assertSameAsGeneration(GenerationOptions.builder().seed(8).repeatPenalty(1.3).maxTokens(9).build());
    }

    @Test
    void namesTheStopStringAndHandsOutWhatWasHeldBack() {
        GenerationOptions options = GenerationOptions.builder().temperature(0).stop("never", "Fox").build();
        Decoding decoding = model.decoding(options);
        try (Session session = model.session()) {
            decoding.addPrompt(prompt);
            session.feed(prompt);
            while (decoding.stopReason() == null) {
                decoding.next(session.logits(), false);
                session.feed(decoding.last());
            }
            assertThat(decoding.stopReason()).isEqualTo(StopReason.STOP_STRING);
            assertThat(decoding.stopString()).isEqualTo("Fox");
            assertThatThrownBy(() -> decoding.next(session.logits(), false)).isInstanceOf(IllegalStateException.class);
        }
        String word = model.generate(prompt, greedy(1)).text();
        Decoding held = model.decoding(GenerationOptions.builder().temperature(0).stop(word + "!").build());
        try (Session session = model.session()) {
            held.addPrompt(prompt);
            session.feed(prompt);
            assertThat(held.next(session.logits(), false).text()).as("it may begin a stop string").isEmpty();
            held.end(StopReason.CANCELLED);
            assertThat(held.tail()).isEqualTo(word);
            assertThat(held.stopReason()).isEqualTo(StopReason.CANCELLED);
            held.end(StopReason.MAX_TOKENS);
            assertThat(held.stopReason()).as("the first reason stays").isEqualTo(StopReason.CANCELLED);
        }
    }

    @Test
    void nothingToGenerate() {
        Decoding decoding = model.decoding(greedy(0));
        assertThat(decoding.stopReason()).isEqualTo(StopReason.MAX_TOKENS);
        assertThat(decoding.tail()).isEmpty();
        assertThatThrownBy(decoding::last).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void guessesNothingBeyondTheLastToken() {
        int[] twice = new int[2 * prompt.length];
        System.arraycopy(prompt, 0, twice, 0, prompt.length);
        System.arraycopy(prompt, 0, twice, prompt.length, prompt.length);
        Decoding decoding = model.decoding(GenerationOptions.builder()
                .temperature(0)
                .maxTokens(4)
                .ignoreEos(true)
                .draft(new DraftOptions(DraftOptions.Mode.ON, 15, 1))
                .build());
        try (Session session = model.session()) {
            int[] fed = Arrays.copyOf(twice, 200);
            decoding.addPrompt(fed);
            session.feed(fed);
            decoding.next(session.logits(), false);
            assertThat(decoding.draft(0, drafted -> 1, 100)).as("one was generated of four").isLessThanOrEqualTo(2);
            assertThat(decoding.draft(0, drafted -> 1, 0)).as("no room").isZero();
        }
    }

    /** Of a pass that was given up nothing counts; of one that had room for fewer, those. */
    @Test
    void countsWhatWasEvaluatedAhead() {
        Decoding decoding = model.decoding(GenerationOptions.builder()
                .temperature(0)
                .draft(new DraftOptions(DraftOptions.Mode.ON, 15, 1))
                .build());
        try (Session session = model.session()) {
            int[] twice = Arrays.copyOf(prompt, 2 * prompt.length);
            System.arraycopy(prompt, 0, twice, prompt.length, prompt.length);
            decoding.addPrompt(twice);
            session.feed(twice);
            Batch batch = model.batch();
            while (decoding.draft(0, drafted -> 1, 100) < 3) {
                decoding.next(session.logits(), false);
                session.feed(decoding.last());
            }
            decoding.next(session.logits(), false);
            int ahead = decoding.draft(0, drafted -> 1, 100);
            batch.addAhead(session, decoding.top(), decoding.last(), decoding.drafted(), ahead);
            assertThat(batch.runUntil(() -> true)).isFalse();
            batch.clear();
            assertThat(decoding.draftedTokens()).isZero();
            ahead = decoding.draft(0, drafted -> 1, 100);
            batch.addAhead(session, decoding.top(), decoding.last(), decoding.drafted(), 1).run();
            decoding.evaluated(session.ahead());
            assertThat(decoding.draftedTokens()).isEqualTo(1).isLessThanOrEqualTo(ahead);
        }
    }

    private static GenerationOptions greedy(int tokens) {
        return GenerationOptions.builder().temperature(0).maxTokens(tokens).build();
    }
}
