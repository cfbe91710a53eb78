package dev.tern.server.slots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.DraftOptions;
import dev.tern.GenerationOptions;
import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.StopReason;
import dev.tern.io.InputException;
import dev.tern.sampling.Probabilities;
import dev.tern.sampling.SamplingOptions;
import dev.tern.sampling.TokenConstraint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Many at once give what each gives alone; what one does harms no other. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SlotsTest {
    private Model model;

    @BeforeAll
    void load(@TempDir Path folder) {
        model = TrainedModel.load(
                TrainedModel.write(folder), ModelOptions.builder().threads(2).contextLength(2048));
    }

    @AfterAll
    void close() {
        model.close();
    }

    private static GenerationOptions.Builder greedy() {
        return GenerationOptions.builder().temperature(0).maxTokens(-1);
    }

    private static CompletionRequest of(int[] prompt, GenerationOptions.Builder options) {
        return CompletionRequest.of(prompt, options.build());
    }

    private Answer alone(CompletionRequest request) {
        return Answer.alone(model.generate(request.prompt(), request.options()));
    }

    /** Lets every second token of the vocabulary pass. */
    private static final class EvenTokens implements TokenConstraint {
        private int accepted;

        @Override
        public void mask(float[] logits) {
            for (int id = 1; id < logits.length; id += 2) {
                logits[id] = Float.NEGATIVE_INFINITY;
            }
        }

        @Override
        public void accept(int id) {
            if (id % 2 != 0 || accepted++ > 1000) {
                throw new IllegalArgumentException("token " + id);
            }
        }
    }

    /** Greedy and sampled, with stop strings and penalties, short and long, drafting or not. */
    private List<CompletionRequest> mixed(int count, long seed) {
        Random random = new Random(seed);
        List<CompletionRequest> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] prompt = switch (random.nextInt(4)) {
                case 0 -> TrainedModel.longPrompt(model, random.nextInt(60), 100 + random.nextInt(200));
                case 1 -> Arrays.copyOf(TrainedModel.question(model, 1), 5 + random.nextInt(8)); // alike
                default -> TrainedModel.question(model, random.nextInt(60));
            };
            GenerationOptions.Builder options = switch (random.nextInt(6)) {
                case 0 -> greedy();
                case 1 -> greedy().stop(List.of("the ", "and a", "Fox"));
                case 2 -> GenerationOptions.builder().temperature(1.2).seed(random.nextInt()).repeatPenalty(1.1);
                case 3 -> GenerationOptions.builder().seed(random.nextInt()).topK(0).ignoreEos(true);
                case 4 -> greedy().constraint(EvenTokens::new);
                default -> GenerationOptions.builder()
                        .sampling(SamplingOptions.builder()
                                .dryMultiplier(0.8)
                                .presencePenalty(0.5)
                                .logitBias(Map.of(32, Float.NEGATIVE_INFINITY, 270, 2f))
                                .probabilities(new Probabilities(3, random.nextBoolean()))
                                .build())
                        .seed(random.nextInt());
            };
            options.maxTokens(random.nextInt(8) == 0 ? 0 : 1 + random.nextInt(60));
            options.draft(List.of(
                            DraftOptions.off(),
                            DraftOptions.defaults(),
                            new DraftOptions(DraftOptions.Mode.ON, 4, 1))
                    .get(random.nextInt(3)));
            requests.add(new CompletionRequest(
                    prompt, options.build(), OptionalInt.empty(), random.nextInt(4) > 0, Optional.empty(), false));
        }
        return requests;
    }

    @Test
    void sixteenClientsGetWhatEachGetsAlone() throws Exception {
        List<List<CompletionRequest>> clients = IntStream.range(0, 16).mapToObj(i -> mixed(3, i)).toList();
        List<List<Answer>> expected = clients.stream()
                .map(requests -> requests.stream().map(this::alone).toList())
                .toList();
        List<List<Answer>> answers = new ArrayList<>();
        clients.forEach(client -> answers.add(new ArrayList<>()));
        try (Slots slots = Slots.open(model, new SlotOptions(6, 16))) {
            List<Thread> threads = IntStream.range(0, 16)
                    .mapToObj(i -> Thread.startVirtualThread(() -> clients.get(i)
                            .forEach(request -> answers.get(i).add(Answer.of(slots.submit(request))))))
                    .toList();
            for (Thread thread : threads) {
                thread.join();
            }
            SlotMetrics metrics = slots.metrics();
            assertThat(metrics.completed()).isEqualTo(48);
            assertThat(metrics.generatedTokens())
                    .isEqualTo(answers.stream().flatMap(List::stream).mapToInt(a -> a.ids().size()).sum());
            assertThat(metrics.busySlotsPerPass()).as("slots share passes").isGreaterThan(2);
            assertThat(metrics.processing() + metrics.waiting()).isZero();
            assertThat(metrics.acceptedTokens()).isBetween(1L, metrics.draftedTokens());
        }
        for (int i = 0; i < 16; i++) {
            assertThat(answers.get(i)).hasSize(3);
            for (int j = 0; j < 3; j++) {
                answers.get(i).get(j).assertSameAs(expected.get(i).get(j));
            }
        }
    }

    @Test
    void eventsComeInOrderAndTheTimingsAddUp() {
        try (Slots slots = Slots.open(model, new SlotOptions(2, 4))) {
            int[] prompt = TrainedModel.longPrompt(model, 3, 300);
            CompletionRequest request = new CompletionRequest(
                    prompt, greedy().maxTokens(7).build(), OptionalInt.of(1), true, Optional.empty(), true);
            Answer answer = Answer.of(slots.submit(request));
            assertThat(answer.started()).isEqualTo(new CompletionEvent.Started(1, 0));
            List<CompletionEvent> events = answer.events();
            int progress = (int) events.stream().filter(CompletionEvent.Prefilled.class::isInstance).count();
            assertThat(progress).isPositive();
            CompletionEvent.Prefilled last = (CompletionEvent.Prefilled) events.get(progress);
            assertThat(last.tokens()).isEqualTo(300);
            assertThat(last.total()).isEqualTo(300);
            assertThat(events.subList(progress + 1, events.size() - 1))
                    .hasSize(7)
                    .allMatch(CompletionEvent.Generated.class::isInstance);
            CompletionTimings timings = answer.timings();
            assertThat(timings.promptTokens()).isEqualTo(300);
            assertThat(timings.cachedTokens()).isZero();
            assertThat(timings.generatedTokens()).isEqualTo(7);
            assertThat(timings.promptNanos()).isPositive();
            assertThat(timings.generationNanos()).isNotNegative();
            SlotState state = slots.slots().get(1);
            assertThat(state.busy()).isFalse();
            assertThat(state.tokens()).isEqualTo(306);
            assertThat(state.generated()).isEqualTo(7);
            assertThat(slots.slots().getFirst().task()).isEqualTo(-1);
        }
    }

    @Test
    void namesTheStopStringAndEndsInTimeAndWhereTheContextIsFull() {
        try (Slots slots = Slots.open(model, new SlotOptions(2, 4))) {
            int[] prompt = TrainedModel.question(model, 0);
            Answer stopped = Answer.of(slots.submit(of(prompt, greedy().stop(List.of("never", "Grapes")))));
            assertThat(((CompletionEvent.Ended) stopped.events().getLast()).stoppingWord()).isEqualTo("Grapes");
            assertThat(stopped.reason()).isEqualTo(StopReason.STOP_STRING);
            assertThat(TrainedModel.fable(0)).startsWith(stopped.text() + "Grapes");

            CompletionRequest hurried = new CompletionRequest(
                    prompt, greedy().build(), OptionalInt.empty(), true, Optional.of(Duration.ZERO), false);
            Answer one = Answer.of(slots.submit(hurried));
            assertThat(one.ids()).hasSize(1);
            assertThat(one.reason()).isEqualTo(StopReason.MAX_TOKENS);

            CompletionRequest full = of(TrainedModel.longPrompt(model, 9, 2040), greedy().ignoreEos(true));
            Answer answer = Answer.of(slots.submit(full));
            assertThat(answer.reason()).isEqualTo(StopReason.CONTEXT_FULL);
            answer.assertSameAs(alone(full));
            assertThat(slots.metrics().maxTokens()).isEqualTo(2048);
        }
    }

    @Test
    void refusesWhatCannotBeServed() {
        try (Slots slots = Slots.open(model, new SlotOptions(2, 4))) {
            assertThatThrownBy(() -> slots.submit(of(new int[0], greedy())))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("empty");
            assertThatThrownBy(() -> slots.submit(of(new int[2048], greedy())))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("at most 2047");
            assertThatThrownBy(() -> slots.submit(of(new int[] {1, 1 << 20}, greedy())))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("token 1");
            CompletionRequest nowhere = new CompletionRequest(
                    new int[] {1}, greedy().build(), OptionalInt.of(2), true, Optional.empty(), false);
            assertThatThrownBy(() -> slots.submit(nowhere))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("0 to 1");
            assertThatThrownBy(() -> slots.erase(-1)).isInstanceOf(InputException.class);
        }
    }

    @Test
    void cancellingFreesTheSlotWithinAPass() throws Exception {
        try (Slots slots = Slots.open(model, new SlotOptions(1, 4))) {
            Completion endless = slots.submit(of(TrainedModel.question(model, 4), greedy().ignoreEos(true)));
            CompletionEvent event = Answer.next(endless);
            while (!(event instanceof CompletionEvent.Generated)) {
                event = Answer.next(endless);
            }
            CompletionRequest second = of(TrainedModel.question(model, 5), greedy().maxTokens(5));
            Completion waits = slots.submit(second);
            Completion leaves = slots.submit(second);
            leaves.close();
            assertThat(slots.waiting()).as("who left the queue is gone at once").isEqualTo(1);
            assertThat(Answer.of(leaves).reason()).isEqualTo(StopReason.CANCELLED);
            endless.close();
            endless.close();
            Answer.of(waits).assertSameAs(alone(second));
            assertThat(Answer.of(endless).reason()).isEqualTo(StopReason.CANCELLED);
            assertThat(endless.next(Duration.ZERO)).isNull();
            SlotMetrics metrics = slots.metrics();
            assertThat(metrics.cancelled()).isEqualTo(2);
            assertThat(metrics.completed()).isEqualTo(1);
        }
    }

    @Test
    void aFullQueueSaysWhenToComeAgain() {
        try (Slots slots = Slots.open(model, new SlotOptions(1, 2))) {
            CompletionRequest request = of(TrainedModel.question(model, 4), greedy().ignoreEos(true));
            List<Completion> taken = new ArrayList<>();
            taken.add(slots.submit(request));
            Answer.next(taken.getFirst()); // it has the slot
            taken.add(slots.submit(request));
            taken.add(slots.submit(request));
            assertThatThrownBy(() -> slots.submit(request)).isInstanceOfSatisfying(QueueFullException.class, full -> {
                assertThat(full).hasMessageContaining("2 requests wait");
                assertThat(full.retryAfter()).isBetween(Duration.ofSeconds(1), Duration.ofMinutes(5));
            });
            assertThat(slots.metrics().refused()).isEqualTo(1);
            assertThat(slots.metrics().waiting()).isEqualTo(2);
            taken.getLast().close();
            taken.add(slots.submit(request));
            taken.forEach(Completion::close);
        }
    }

    @Test
    void draining() throws Exception {
        CompletionRequest request = of(TrainedModel.question(model, 6), greedy().maxTokens(40));
        Answer expected = alone(request);
        try (Slots slots = Slots.open(model, new SlotOptions(1, 4))) {
            List<Completion> all = IntStream.range(0, 3).mapToObj(i -> slots.submit(request)).toList();
            slots.drain(Duration.ofMinutes(1));
            all.forEach(completion -> Answer.of(completion).assertSameAs(expected));
            assertThatThrownBy(() -> slots.submit(request)).isInstanceOf(DrainingException.class);
        }
        try (Slots slots = Slots.open(model, new SlotOptions(1, 4))) {
            Completion endless = slots.submit(of(TrainedModel.question(model, 4), greedy().ignoreEos(true)));
            Completion waits = slots.submit(request);
            slots.drain(Duration.ZERO);
            assertThat(Answer.of(endless).reason()).isEqualTo(StopReason.CANCELLED);
            assertThat(Answer.of(waits).reason()).isEqualTo(StopReason.CANCELLED);
            assertThat(slots.metrics().processing() + slots.metrics().waiting()).isZero();
        }
    }

    @Test
    void closingEndsAllThatRunsAndLeavesNoThread() {
        Slots slots = Slots.open(model, new SlotOptions(3, 8));
        List<Completion> all = IntStream.range(0, 8)
                .mapToObj(i -> slots.submit(of(TrainedModel.question(model, i), greedy().ignoreEos(true))))
                .toList();
        Answer.next(all.getFirst());
        slots.close();
        slots.close();
        all.forEach(completion -> assertThat(Answer.of(completion).reason()).isEqualTo(StopReason.CANCELLED));
        assertThatThrownBy(() -> slots.submit(of(new int[] {1}, greedy()))).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> slots.erase(0)).isInstanceOf(IllegalStateException.class);
        assertThat(Thread.getAllStackTraces().keySet())
                .filteredOn(Thread::isAlive)
                .extracting(Thread::getName)
                .noneMatch(name -> name.startsWith("tern-slots"));
    }
}
