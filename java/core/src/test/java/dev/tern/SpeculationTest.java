package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.DraftOptions.Mode;
import dev.tern.checkpoint.Checkpoint;
import dev.tern.io.JsonFile;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.sampling.Probabilities;
import dev.tern.sampling.SamplingOptions;
import dev.tern.sampling.SamplingOptionsBuilder;
import dev.tern.template.ChatMessage;
import dev.tern.ternary.Outtype;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Drafts change no token, no text, no reason to stop and no session: only the number of passes. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SpeculationTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));
    private static final int BEGUN = 20; // tokens of the fable that the prompt begins again with
    private static final DraftOptions ALWAYS = new DraftOptions(Mode.ON, 6, 2);

    private final JsonNode fable = JsonFile.read(DATA.resolve("golden/fables.json")).path("fables").path(0);
    private final String text = fable.path("greedy_text").asString();
    private final AtomicInteger passes = new AtomicInteger();
    private Path file = Path.of("");
    private Model model;

    @BeforeAll
    void load(@TempDir Path folder) {
        file = folder.resolve("model.gguf");
        try (Checkpoint checkpoint = Checkpoint.open(DATA.resolve("tiny-bitnet/packed-u8"))) {
            TestGguf.of(checkpoint, Outtype.I2_S).write(file);
        }
        model = Model.load(file, counted().build());
    }

    @AfterAll
    void close() {
        model.close();
    }

    /** One thread multiplies by the head once a pass. */
    private ModelOptions.Builder counted() {
        Kernels kernels = KernelChoice.best().kernels();
        Kernels counting = (Kernels) Proxy.newProxyInstance(
                Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("floatMatmul")) {
                        passes.incrementAndGet();
                    }
                    try {
                        return method.invoke(kernels, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        return ModelOptions.builder().threads(1).kernels(counting);
    }

    /** A fable asked for, told, ended, and begun again: the model goes on with it. */
    private int[] retelling() {
        int[] question = model.chatPrompt(List.of(
                new ChatMessage("user", "Tell me the fable of The Fox and the Grapes.")));
        int[] told = fable.path("greedy_ids").valueStream().mapToInt(JsonNode::asInt).toArray();
        int[] end = {fable.path("end_id").asInt()};
        return Stream.of(question, told, end, Arrays.copyOf(told, BEGUN)).flatMapToInt(IntStream::of).toArray();
    }

    private record Outcome(List<Token> tokens, int[] ids, String text, StopReason reason, int position, int[] logits) {
        void assertEqualTo(Outcome other) {
            assertThat(ids).isEqualTo(other.ids);
            assertThat(tokens).isEqualTo(other.tokens);
            assertThat(text).isEqualTo(other.text);
            assertThat(reason).isEqualTo(other.reason);
            assertThat(position).isEqualTo(other.position);
            assertThat(logits).isEqualTo(other.logits);
        }
    }

    private final List<GenerationStats> stats = new ArrayList<>(); // of the generations with drafts

    private Outcome generate(Model with, int[] prompt, GenerationOptions.Builder options, DraftOptions draft) {
        try (Session session = with.session()) {
            int before = passes.get();
            Generation generation = with.generate(session, prompt, options.draft(draft).build());
            List<Token> tokens = new ArrayList<>();
            generation.forEach(tokens::add);
            GenerationStats cost = generation.stats();
            if (draft.enabled()) {
                stats.add(cost);
                assertThat(cost.acceptedTokens()).isBetween(0L, cost.draftedTokens());
            } else {
                assertThat(cost.draftedTokens()).isZero();
                assertThat(cost.acceptedTokens()).isZero();
            }
            // A token that ends the generation is sampled and not generated: the pass in front of it was one more.
            int sampled = cost.generatedTokens() + (generation.endId().isPresent() ? 1 : 0);
            assertThat(passes.get() - before).isEqualTo(sampled - (int) cost.acceptedTokens());
            return new Outcome(
                    tokens,
                    generation.ids(),
                    generation.text(),
                    generation.stopReason(),
                    session.position(),
                    session.logits().toArray(ValueLayout.JAVA_INT));
        }
    }

    private void assertLossless(Model with, int[] prompt, GenerationOptions.Builder options) {
        Outcome expected = generate(with, prompt, options, DraftOptions.off());
        generate(with, prompt, options, ALWAYS).assertEqualTo(expected);
        generate(with, prompt, options, new DraftOptions(Mode.ON, 15, 1)).assertEqualTo(expected);
        generate(with, prompt, options, DraftOptions.defaults()).assertEqualTo(expected);
    }

    private static GenerationOptions.Builder greedy() {
        return GenerationOptions.builder().temperature(0).maxTokens(-1);
    }

    private static GenerationOptions.Builder sampled(long seed) {
        return GenerationOptions.builder().maxTokens(120).seed(seed).ignoreEos(true);
    }

    @Test
    void aTextToldAgainNeedsAFractionOfThePasses() {
        int before = passes.get();
        Outcome plain = generate(model, retelling(), greedy(), DraftOptions.off());
        int needed = passes.get() - before;
        assertThat(text).as("the model goes on with the fable").endsWith(plain.text);
        assertThat(plain.ids.length).isGreaterThan(80);
        before = passes.get();
        generate(model, retelling(), greedy(), ALWAYS).assertEqualTo(plain);
        assertThat(passes.get() - before).as("passes, of %d without drafts", needed).isLessThan(needed / 3);
        GenerationStats cost = stats.getLast();
        assertThat(cost.acceptedTokens()).isGreaterThan(cost.draftedTokens() / 2);
        assertLossless(model, retelling(), greedy());
    }

    @Test
    void sampledTextIsTheSameWithEveryChainAndSeed() {
        int[] prompt = retelling();
        for (int seed = 0; seed < 2; seed++) {
            assertLossless(model, prompt, sampled(seed)); // temperature 0.8, top-k 40, top-p 0.95, min-p 0.05
            assertLossless(model, prompt, sampled(seed).temperature(1.5).topK(0).topP(1).minP(0));
            assertLossless(model, prompt, sampled(seed).temperature(1.2).topK(0).topP(0.9).minP(0));
            assertLossless(model, prompt, sampled(seed).temperature(0.3).topK(5).topP(1).minP(0.2));
            assertLossless(model, prompt, sampled(seed).temperature(0.5).repeatPenalty(1.15).repeatLastN(20));
            assertLossless(model, prompt, sampled(seed).temperature(1).repeatPenalty(1.5).repeatLastN(-1));
            assertLossless(model, prompt, sampled(seed).temperature(0).repeatPenalty(0.7));
            assertLossless(model, prompt, sampled(seed).endTokens(EndTokens.BAN));
            for (SamplingOptionsBuilder stages : List.of(
                    SamplingOptions.builder().mirostat(1).mirostatTau(2).probabilities(new Probabilities(2, true)),
                    SamplingOptions.builder().mirostat(2).mirostatTau(1).probabilities(new Probabilities(2, false)),
                    SamplingOptions.builder().dryMultiplier(0.2).presencePenalty(0.1).temperature(0.3),
                    SamplingOptions.builder().xtcProbability(0.2).typicalP(0.95).temperature(0.5).dynatempRange(0.3))) {
                assertLossless(model, prompt, sampled(seed).sampling(stages.build()));
            }
        }
        assertThat(stats.stream().mapToLong(GenerationStats::acceptedTokens).sum()).isGreaterThan(1000);
        assertThat(stats.stream().mapToLong(cost -> cost.draftedTokens() - cost.acceptedTokens()).sum())
                .as("drafted and rejected")
                .isGreaterThan(1000);
    }

    @Test
    void stopStringsAndLimitsInsideDrafts() {
        int[] prompt = retelling();
        for (int at = text.length() / 2; at + 9 < text.length(); at += 11) {
            assertLossless(model, prompt, greedy().stop(text.substring(at, at + 9), "never said"));
        }
        for (int most = 0; most <= 24; most++) {
            int limit = most;
            if (most == 0) { // nothing is evaluated, so there are no logits to compare
                assertThat(model.generate(prompt, greedy().maxTokens(0).draft(ALWAYS).build()).ids()).isEmpty();
            } else {
                assertLossless(model, prompt, greedy().maxTokens(limit));
            }
        }
        assertThat(stats.stream().mapToLong(GenerationStats::acceptedTokens).sum()).isGreaterThan(100);
    }

    @Test
    void nothingIsDraftedThatCouldBeOfNoUse() {
        int[] prompt = retelling();
        for (int most = 1; most <= 12; most++) {
            generate(model, prompt, greedy().maxTokens(most), new DraftOptions(Mode.ON, 6, 1));
            assertThat(stats.getLast().draftedTokens()).isLessThan(most + 6 * (most - 1));
        }
        generate(model, prompt, greedy().maxTokens(1), ALWAYS);
        assertThat(stats.getLast().draftedTokens()).isZero();
    }

    @Test
    void endTokensInTheTextBeforeAreNotDrafted() {
        Outcome plain = generate(model, retelling(), greedy(), DraftOptions.off());
        assertThat(plain.reason).isEqualTo(StopReason.END_TOKEN);
        generate(model, retelling(), greedy(), new DraftOptions(Mode.ON, 40, 2)).assertEqualTo(plain);
        // Of the last draft all tokens up to the end were right.
        assertThat(stats.getLast().acceptedTokens()).isGreaterThan(plain.ids.length / 2);
        assertLossless(model, retelling(), greedy().ignoreEos(true).maxTokens(plain.ids.length + 30));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 5, 6, 7, 30, 31})
    void theContextEndsInsideADraft(int room) {
        int[] prompt = retelling();
        try (Model small = Model.load(file, counted().contextLength(prompt.length + room).build())) {
            Outcome plain = generate(small, prompt, greedy(), DraftOptions.off());
            assertThat(plain.reason).isEqualTo(StopReason.CONTEXT_FULL);
            assertThat(plain.ids).hasSize(room + 1);
            assertLossless(small, prompt, greedy());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void smallBatchesShortenDrafts(int batch) {
        try (Model narrow = Model.load(file, counted().batchSize(batch).build())) {
            Outcome plain = generate(model, retelling(), greedy(), DraftOptions.off());
            try (Session session = narrow.session()) {
                Generation generation = narrow.generate(session, retelling(), greedy().draft(ALWAYS).build());
                assertThat(generation.text()).isEqualTo(plain.text);
                assertThat(generation.stats().acceptedTokens() > 0).isEqualTo(batch > 1);
            }
        }
    }

    /**
     * Random weights fall into loops of their own; and texts of few different tokens match everywhere, mostly
     * wrongly.
     */
    @Test
    void modelsOfRandomWeights(@TempDir Path folder) {
        Random random = new Random(11);
        for (int seed = 0; seed < 4; seed++) {
            ModelHyperparameters graph = new ModelHyperparameters(
                    "bitnet-b1.58", "", 12, 200, 256, 256, 2, 4, 2, 64, 64, 10000, 1e-5f,
                    FfnActivation.RELU_SQUARED, true, true);
            Path random12 = TestGguf.random(graph, Outtype.TQ1_0, seed).write(folder.resolve(seed + ".gguf"));
            try (Model wild = Model.load(random12, counted().build())) {
                int[] prompt = random.ints(30, 0, 12).toArray();
                assertLossless(wild, prompt, greedy());
                assertLossless(wild, prompt, sampled(seed));
                assertLossless(wild, prompt, sampled(seed).temperature(0.2).repeatPenalty(1.2));
            }
        }
        assertThat(stats.stream().mapToLong(GenerationStats::acceptedTokens).sum()).isGreaterThan(100);
    }

    @Test
    void cancelledAmongTokensThatWereEvaluatedAhead() {
        int[] prompt = retelling();
        try (Session session = model.session();
                Session plain = model.session()) {
            Generation generation = model.generate(session, prompt, greedy().draft(ALWAYS).build());
            Iterator<Token> tokens = generation.iterator();
            while (generation.stats().acceptedTokens() < 8) {
                tokens.next();
            }
            generation.close();
            int[] ids = generation.ids();
            assertThat(session.position()).as("all but the last").isEqualTo(prompt.length + ids.length - 1);
            plain.feed(session.ids());
            assertThat(session.logits().toArray(ValueLayout.JAVA_INT))
                    .isEqualTo(plain.logits().toArray(ValueLayout.JAVA_INT));
            session.feed(ids[ids.length - 1], 5);
            plain.feed(ids[ids.length - 1], 5);
            assertThat(session.logits().toArray(ValueLayout.JAVA_INT))
                    .isEqualTo(plain.logits().toArray(ValueLayout.JAVA_INT));
        }
    }

    @Test
    void numbersOutsideTheirRangeAreRefused() {
        assertThatThrownBy(() -> new DraftOptions(Mode.ON, -1, 2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new DraftOptions(Mode.ON, 64, 2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new DraftOptions(Mode.ON, 8, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new DraftOptions(Mode.ON, 8, 17)).isInstanceOf(IllegalArgumentException.class);
        assertThat(new DraftOptions(Mode.ON, 0, 2).enabled()).isFalse();
        assertThat(new DraftOptions(Mode.OFF, 8, 2).enabled()).isFalse();
        assertThat(DraftOptions.defaults().enabled()).isTrue();
    }
}
