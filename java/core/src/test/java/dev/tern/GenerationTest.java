package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.gguf.GgufValue;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.sampling.Probabilities;
import dev.tern.sampling.SamplingOptions;
import dev.tern.sampling.TokenConstraint;
import dev.tern.sampling.TokenProbability;
import dev.tern.template.ChatMessage;
import dev.tern.ternary.Outtype;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Generations of the trained model, which recites fables: what they give is known in advance. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GenerationTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));
    private static final List<ChatMessage> QUESTION =
            List.of(new ChatMessage("user", "Tell me the fable of The Fox and the Grapes."));

    private final JsonNode fable = JsonFile.read(DATA.resolve("golden/fables.json")).path("fables").path(0);
    private final String answer = fable.path("greedy_text").asString();
    private Path file = Path.of("");
    private Model model;

    @BeforeAll
    void load(@TempDir Path folder) {
        file = folder.resolve("model.gguf");
        try (Checkpoint checkpoint = Checkpoint.open(DATA.resolve("tiny-bitnet/packed-u8"))) {
            TestGguf.of(checkpoint, Outtype.I2_S).write(file);
        }
        model = Model.load(file, ModelOptions.builder().threads(1).build());
    }

    @AfterAll
    void close() {
        model.close();
    }

    private static GenerationOptions.Builder greedy() {
        return GenerationOptions.builder().temperature(0).maxTokens(-1);
    }

    @Test
    void chatTemplateGivesHuggingFacesPromptAndTheModelAnswers() {
        assertThat(model.applyTemplate(QUESTION, true)).isEqualTo(fable.path("prompt").path("text").asString());
        int[] ids = fable.path("ids").valueStream().mapToInt(JsonNode::asInt).toArray();
        Generation generation = model.chat(QUESTION, greedy().build());
        assertThat(generation.promptIds()).isEqualTo(ids);
        assertThat(generation.text()).isEqualTo(answer);
        assertThat(generation.stopReason()).isEqualTo(StopReason.END_TOKEN);
        GenerationStats stats = generation.stats();
        assertThat(stats.promptTokens()).isEqualTo(ids.length);
        assertThat(stats.generatedTokens()).isEqualTo(generation.ids().length);
        assertThat(stats.prefillSeconds()).isPositive().isLessThanOrEqualTo(stats.firstTokenSeconds());
        assertThat(stats.decodeTokensPerSecond()).isPositive();
    }

    @Test
    void nothingIsComputedBeforeItIsAskedFor() {
        Generation generation = model.chat(QUESTION, greedy().build());
        assertThat(generation.stats().firstTokenSeconds()).isZero();
        assertThatThrownBy(generation::stopReason).isInstanceOf(IllegalStateException.class);
        Iterator<Token> tokens = generation.iterator();
        tokens.next();
        assertThat(generation.ids()).hasSize(1);
        assertThatThrownBy(generation::iterator).isInstanceOf(IllegalStateException.class);
        assertThat(generation.text()).as("text() goes on to the end").isEqualTo(answer);
        assertThat(tokens.hasNext()).isFalse();
        assertThatThrownBy(tokens::next).isInstanceOf(NoSuchElementException.class);
    }

    @Test
    void stopStringEndsTheTextBeforeItAndAcrossTokens() {
        int at = answer.indexOf("hanging from"); // begins and ends inside tokens' texts, spans several
        Generation generation = model.chat(QUESTION, greedy().stop("anging fr", "never").build());
        List<String> pieces = new ArrayList<>();
        generation.forEach(token -> pieces.add(token.text()));
        assertThat(String.join("", pieces)).isEqualTo(answer.substring(0, at + 1));
        assertThat(generation.stopReason()).isEqualTo(StopReason.STOP_STRING);
    }

    @Test
    void textHeldBackForAStopStringComesInTheEnd() {
        String end = answer.substring(answer.length() - 7);
        Generation generation = model.chat(QUESTION, greedy().stop(end + " and more").build());
        List<Token> tokens = new ArrayList<>();
        generation.forEach(tokens::add);
        assertThat(generation.text()).isEqualTo(answer);
        assertThat(tokens.getLast().id()).isEqualTo(Token.NO_ID);
        assertThat(tokens.getLast().text()).isEqualTo(end);
        assertThat(tokens.subList(0, tokens.size() - 1).stream().mapToInt(Token::id).toArray())
                .isEqualTo(generation.ids());
    }

    @Test
    void maxTokensAndIgnoreEos() {
        Generation none = model.chat(QUESTION, greedy().maxTokens(0).build());
        assertThat(none.text()).isEmpty();
        assertThat(none.stopReason()).isEqualTo(StopReason.MAX_TOKENS);
        Generation three = model.chat(QUESTION, greedy().maxTokens(3).build());
        assertThat(answer).startsWith(three.text());
        assertThat(three.ids()).hasSize(3);
        assertThat(three.stopReason()).isEqualTo(StopReason.MAX_TOKENS);
        int length = fable.path("greedy_ids").size();
        Generation beyond =
                model.chat(QUESTION, greedy().maxTokens(length + 5).ignoreEos(true).build());
        assertThat(beyond.text()).startsWith(answer);
        assertThat(beyond.ids()).hasSize(length + 5);
        assertThat(beyond.ids()[length]).isEqualTo(fable.path("end_id").asInt());
        assertThat(beyond.endId()).isEmpty();
    }

    @Test
    void bannedEndTokensAreNeverChosen() {
        int length = fable.path("greedy_ids").size();
        int end = fable.path("end_id").asInt();
        GenerationOptions options =
                greedy().maxTokens(length + 40).endTokens(EndTokens.BAN).build();
        Generation beyond = model.chat(QUESTION, options);
        assertThat(beyond.text()).startsWith(answer);
        assertThat(beyond.ids()).hasSize(length + 40).doesNotContain(end);
        assertThat(beyond.stopReason()).isEqualTo(StopReason.MAX_TOKENS);
        assertThat(model.sampler(options).decisiveLogits()).as("the best, and each end token").isBetween(2, 8);
    }

    @Test
    void eachGenerationHasAConstraintOfItsOwn() {
        int[] told = fable.path("greedy_ids").valueStream().mapToInt(JsonNode::asInt).toArray();
        // Not as the model would begin; then it may speak as it likes.
        class FirstBanned implements TokenConstraint {
            private final List<Integer> accepted = new ArrayList<>();

            @Override
            public void mask(float[] logits) {
                if (accepted.isEmpty()) {
                    logits[told[0]] = Float.NEGATIVE_INFINITY;
                }
            }

            @Override
            public void accept(int id) {
                accepted.add(id);
            }
        }
        List<FirstBanned> made = new ArrayList<>();
        GenerationOptions options = greedy().maxTokens(20)
                .constraint(() -> {
                    made.add(new FirstBanned());
                    return made.getLast();
                })
                .build();
        for (int i = 0; i < 2; i++) {
            Generation generation = model.chat(QUESTION, options);
            generation.text();
            assertThat(generation.ids()[0]).isNotEqualTo(told[0]);
            assertThat(made).hasSize(i + 1);
            assertThat(made.get(i).accepted)
                    .isEqualTo(Arrays.stream(generation.ids()).boxed().toList());
        }
    }

    @Test
    void tokensTellHowLikelyTheyWere() {
        SamplingOptions sampling = SamplingOptions.greedy().toBuilder()
                .probabilities(new Probabilities(3, false))
                .build();
        Generation generation =
                model.chat(QUESTION, greedy().sampling(sampling).maxTokens(10).build());
        try (Session session = model.session()) {
            session.feed(generation.promptIds());
            for (Token token : generation) {
                assertThat(token.probabilities()).hasSize(4);
                assertThat(token.probabilities().get(0)).isEqualTo(token.probabilities().get(1));
                assertThat(token.probabilities().get(0).id()).isEqualTo(token.id());
                float[] logits = session.logits().toArray(ValueLayout.JAVA_FLOAT);
                double sum = 0;
                for (float logit : logits) {
                    sum += Math.exp(logit);
                }
                for (TokenProbability each : token.probabilities()) {
                    assertThat((double) each.logProbability()).isCloseTo(logits[each.id()] - Math.log(sum), within(1e-4));
                }
                session.feed(token.id());
            }
        }
        assertThat(model.chat(QUESTION, greedy().maxTokens(1).build()).iterator().next().probabilities())
                .isEmpty();
    }

    @Test
    void generationEndsWhereTheContextDoes() {
        try (Model small = Model.load(
                file, ModelOptions.builder().threads(1).contextLength(40).build())) {
            Generation generation = small.chat(QUESTION, greedy().build());
            assertThat(answer).startsWith(generation.text());
            assertThat(generation.stopReason()).isEqualTo(StopReason.CONTEXT_FULL);
            // 40 positions hold the prompt and all tokens but the last, which needs none.
            assertThat(generation.ids()).hasSize(40 - generation.promptIds().length + 1);
        }
    }

    @Test
    void promptLongerThanTheContextIsAnErrorThatSaysBothNumbers() {
        try (Model small = Model.load(
                file, ModelOptions.builder().threads(1).contextLength(20).build())) {
            assertThatThrownBy(() -> small.chat(QUESTION, greedy().build()))
                    .isInstanceOf(InputException.class)
                    .hasMessageContainingAll("longer than the context", "at most 20 tokens", "found 26", "context of 26");
            try (Session session = small.session()) {
                session.feed(1, 2, 3);
                assertThatThrownBy(() -> session.feed(new int[18]))
                        .isInstanceOf(InputException.class)
                        .hasMessageContaining("found 21");
                assertThat(session.position()).isEqualTo(3);
                session.logits(); // still there
            }
        }
        assertThatThrownBy(() -> model.generate(new int[0], greedy().build()))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("empty");
        assertThatThrownBy(() -> model.generate(new int[] {1, 4096}, greedy().build()))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("token 1", "4096", "0 to 4095");
    }

    @Test
    void streamedTextNeverSplitsACharacter() {
        // Very hot: bytes of characters in random order, most of them incomplete.
        GenerationOptions wild = GenerationOptions.builder()
                .temperature(100)
                .topK(0)
                .topP(1)
                .minP(0)
                .seed(3)
                .maxTokens(300)
                .ignoreEos(true)
                .build();
        Generation generation = model.generate("Ünïcödé 😀", wild);
        StringBuilder text = new StringBuilder();
        boolean sawNothingYet = false;
        for (Token token : generation) {
            text.append(token.text());
            sawNothingYet |= token.text().isEmpty();
            if (!token.text().isEmpty()) {
                assertThat(Character.isHighSurrogate(token.text().charAt(token.text().length() - 1))).isFalse();
            }
        }
        assertThat(sawNothingYet).as("some token alone was no character").isTrue();
        assertThat(text.toString()).isEqualTo(model.tokenizer().decode(generation.ids(), true));
        assertThat(generation.seed()).hasValue(3);
    }

    @Test
    void plainPromptsAreTextAndTemplatesAreParsed() {
        int bos = 4080;
        assertThat(model.generate("<|eot_id|>", greedy().build()).promptIds())
                .startsWith(bos)
                .doesNotContain(4089);
        assertThat(model.chatPrompt(QUESTION)).startsWith(bos).contains(4089);
    }

    @Test
    void cancelEndsAtTheNextTokenAndCloseAtOnce() {
        Generation cancelled = model.chat(QUESTION, greedy().build());
        int seen = 0;
        for (Token token : cancelled) {
            if (++seen == 5) {
                cancelled.cancel();
            }
        }
        assertThat(seen).isEqualTo(5);
        assertThat(cancelled.stopReason()).isEqualTo(StopReason.CANCELLED);
        Generation closed = model.chat(QUESTION, greedy().build());
        Iterator<Token> tokens = closed.iterator();
        tokens.next();
        closed.close();
        assertThat(tokens.hasNext()).isFalse();
        assertThat(closed.stopReason()).isEqualTo(StopReason.CANCELLED);
    }

    @Test
    void closeFromAnotherThreadWaitsForTheTokenAtHand() throws InterruptedException {
        AtomicReference<Thread> held = new AtomicReference<>();
        CountDownLatch inPass = new CountDownLatch(1);
        Kernels kernels = KernelChoice.best().kernels();
        Kernels slow = (Kernels) Proxy.newProxyInstance(
                Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class}, (proxy, method, arguments) -> {
                    if (Thread.currentThread() == held.get()) {
                        inPass.countDown();
                        if (method.getName().equals("floatRow")) {
                            Thread.sleep(20); // a batch of five takes long enough to be closed within
                        }
                    }
                    return method.invoke(kernels, arguments);
                });
        try (Model slowModel = Model.load(
                file, ModelOptions.builder().threads(1).batchSize(5).kernels(slow).build())) {
            Generation first = slowModel.chat(QUESTION, greedy().build());
            AtomicReference<Throwable> failure = new AtomicReference<>();
            List<Token> seen = new ArrayList<>();
            Thread reader = Thread.ofPlatform().unstarted(() -> {
                try {
                    first.forEach(seen::add);
                } catch (Throwable thrown) {
                    failure.set(thrown);
                }
            });
            held.set(reader);
            reader.start();
            inPass.await();
            first.close(); // gives the session back, for the next generation
            int[] when = first.ids();
            assertThat(slowModel.chat(QUESTION, greedy().build()).text()).isEqualTo(answer);
            reader.join();
            assertThat(failure).hasValue(null);
            assertThat(first.ids()).as("computed after close").isEqualTo(when).hasSize(1);
            assertThat(first.stopReason()).isEqualTo(StopReason.CANCELLED);
        }
    }

    @Test
    void sessionsMadeWhileTheModelClosesAreClosedToo() throws InterruptedException {
        for (int round = 0; round < 20; round++) {
            Model closing = Model.load(file, ModelOptions.builder().threads(1).build());
            Set<Session> made = ConcurrentHashMap.newKeySet();
            CountDownLatch running = new CountDownLatch(2);
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                threads.add(Thread.ofPlatform().start(() -> {
                    try {
                        while (true) {
                            Session session = closing.session();
                            made.add(session);
                            running.countDown();
                        }
                    } catch (IllegalStateException closed) {
                        running.countDown();
                    }
                }));
            }
            running.await();
            closing.close();
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(made).isNotEmpty().allMatch(Session::isClosed);
        }
    }

    @Test
    void perplexityOfLessThanAWindowIsAnErrorAndNotANumber() {
        for (Perplexity.Method method : Perplexity.Method.values()) {
            assertThatThrownBy(() -> Perplexity.measure(model, new int[0], 16, method, (done, all, value) -> {}))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("too short");
        }
        assertThat(Perplexity.measure(model, new int[] {5}, 16, Perplexity.Method.CHUNKED, (done, all, value) -> {})
                        .scored())
                .isEqualTo(1);
        TestGguf withoutBos;
        try (Checkpoint checkpoint = Checkpoint.open(DATA.resolve("tiny-bitnet/packed-u8"))) {
            withoutBos = TestGguf.of(checkpoint, Outtype.I2_S);
        }
        withoutBos.metadata.put("tokenizer.ggml.add_bos_token", GgufValue.of(false));
        Path other = withoutBos.write(file.resolveSibling("without-bos.gguf"));
        try (Model unstarted = Model.load(other, ModelOptions.builder().threads(1).build())) {
            assertThatThrownBy(() -> Perplexity.measure(
                            unstarted, new int[] {5}, 16, Perplexity.Method.CHUNKED, (done, all, value) -> {}))
                    .isInstanceOf(InputException.class)
                    .hasMessageContainingAll("a single token", "at least 2 tokens");
        }
    }

    @Test
    void sessionIsContinuedAsIfAllHadBeenThePrompt() {
        GenerationOptions options =
                greedy().maxTokens(20).repeatPenalty(1.3).repeatLastN(-1).build();
        int[] ids = model.chatPrompt(QUESTION);
        String whole = model.generate(ids, options).text();
        try (Session session = model.session()) {
            session.feed(Arrays.copyOf(ids, 10));
            int[] more = Arrays.copyOfRange(ids, 10, ids.length);
            assertThat(model.generate(session, more, options).text()).isEqualTo(whole);
            assertThat(session.position()).isEqualTo(ids.length + 19);
            try (Model other = Model.load(file, ModelOptions.builder().threads(1).build())) {
                assertThatThrownBy(() -> other.generate(session, more, options))
                        .isInstanceOf(IllegalArgumentException.class);
            }
        }
    }

    @Test
    void generationsInTurnAndAtOnceDoNotDisturbEachOther() throws InterruptedException {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Thread.Builder builder = i % 2 == 0 ? Thread.ofVirtual() : Thread.ofPlatform();
            threads.add(builder.start(() -> {
                try {
                    for (int round = 0; round < 2; round++) {
                        assertThat(model.chat(QUESTION, greedy().build()).text()).isEqualTo(answer);
                    }
                } catch (Throwable thrown) {
                    failure.set(thrown);
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(failure).hasValue(null);
    }

    @Test
    void closedModelRefusesEverythingAndNothingCrashes() throws InterruptedException {
        Model closing = Model.load(file, ModelOptions.builder().threads(2).build());
        Session session = closing.session();
        session.feed(1, 2, 3);
        Generation generation = closing.chat(QUESTION, greedy().build());
        Iterator<Token> tokens = generation.iterator();
        tokens.next();
        var logits = session.logits();
        AtomicReference<Throwable> seen = new AtomicReference<>();
        Thread running = Thread.ofPlatform().start(() -> {
            try {
                while (true) {
                    closing.chat(QUESTION, greedy().build()).text();
                }
            } catch (Throwable thrown) {
                seen.set(thrown);
            }
        });
        Thread.sleep(50); // in the middle of a pass, most likely
        closing.close();
        closing.close();
        running.join();
        assertThat(seen.get()).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
        assertThatThrownBy(() -> session.feed(1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(session::logits).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(session::fork).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(tokens::next).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(closing::session).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> closing.chat(QUESTION, greedy().build()).text())
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> logits.get(ValueLayout.JAVA_FLOAT, 0))
                .isInstanceOf(IllegalStateException.class);
        session.close();
        generation.close();
    }
}
