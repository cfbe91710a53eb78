package dev.tern.server.slots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.GenerationOptions;
import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.io.InputException;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.sampling.TokenConstraint;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What breaks one request breaks no other. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FailureTest {
    private static final int BROKEN = 200; // a token whose embedding is NaN
    private static final int THROWN = 201; // one whose embedding cannot be read

    private Path file = Path.of("");

    @BeforeAll
    void write(@TempDir Path folder) {
        file = TrainedModel.write(folder);
    }

    private Model broken() {
        Kernels kernels = KernelChoice.best().kernels();
        Kernels breaking = (Kernels) Proxy.newProxyInstance(
                Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class}, (proxy, method, arguments) -> {
                    boolean row = method.getName().equals("floatRow");
                    if (row && arguments[1].equals(THROWN)) {
                        throw new IllegalStateException("the row cannot be read");
                    }
                    try {
                        Object result = method.invoke(kernels, arguments);
                        if (row && arguments[1].equals(BROKEN)) {
                            ((MemorySegment) arguments[2])
                                    .set(ValueLayout.JAVA_FLOAT, 4 * (long) arguments[3], Float.NaN);
                        }
                        return result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        return TrainedModel.load(file, ModelOptions.builder().threads(1).contextLength(512).kernels(breaking));
    }

    private static CompletionRequest request(int[] prompt) {
        return CompletionRequest.of(
                prompt, GenerationOptions.builder().temperature(0).maxTokens(60).build());
    }

    @Test
    void brokenNumbersAndFailedPassesEndOneRequest() {
        try (Model model = broken();
                Slots slots = Slots.open(model, new SlotOptions(4, 16))) {
            List<CompletionRequest> whole = new ArrayList<>();
            List<Completion> good = new ArrayList<>();
            List<Completion> bad = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                int[] prompt = TrainedModel.question(model, i);
                whole.add(request(prompt));
                good.add(slots.submit(whole.getLast()));
                int[] poisoned = prompt.clone();
                poisoned[prompt.length - 1] = i % 2 == 0 ? BROKEN : THROWN;
                bad.add(slots.submit(request(poisoned)));
            }
            for (int i = 0; i < 6; i++) {
                Answer failed = Answer.of(bad.get(i));
                assertThat(failed.ids()).isEmpty();
                assertThat(failed.failure())
                        .isInstanceOf(i % 2 == 0 ? InputException.class : IllegalStateException.class);
                Answer.of(good.get(i))
                        .assertSameAs(Answer.alone(model.generate(whole.get(i).prompt(), whole.get(i).options())));
            }
            SlotMetrics metrics = slots.metrics();
            assertThat(metrics.failed()).isEqualTo(6);
            assertThat(metrics.completed()).isEqualTo(6);
        }
    }

    @Test
    void aConstraintThatFailsEndsItsRequestAlone() {
        try (Model model = broken();
                Slots slots = Slots.open(model, new SlotOptions(4, 16))) {
            CompletionRequest whole = request(TrainedModel.question(model, 2));
            Completion good = slots.submit(whole);
            CompletionRequest unmade = CompletionRequest.of(
                    new int[] {1, 2},
                    GenerationOptions.builder()
                            .constraint(() -> {
                                throw new IllegalArgumentException("no such grammar");
                            })
                            .build());
            assertThat(Answer.of(slots.submit(unmade)).failure()).hasMessageContaining("no such grammar");
            CompletionRequest deep = CompletionRequest.of(
                    new int[] {1, 2},
                    GenerationOptions.builder()
                            .constraint(() -> new TokenConstraint() {
                                @Override
                                public void mask(float[] logits) {
                                    throw new StackOverflowError();
                                }

                                @Override
                                public void accept(int id) {}
                            })
                            .build());
            assertThat(Answer.of(slots.submit(deep)).failure()).hasMessageContaining("StackOverflowError");
            Answer.of(good).assertSameAs(Answer.alone(model.generate(whole.prompt(), whole.options())));
        }
    }

    /** However long it takes to make ready what chooses a request's tokens, the others' passes go on. */
    @Test
    void whatChoosesTheTokensIsMadeByWhoSubmits() {
        try (Model model = Model.load(file, ModelOptions.builder().threads(1).build());
                Slots slots = Slots.open(model, new SlotOptions(2, 4))) {
            List<Thread> makers = new ArrayList<>();
            TokenConstraint free = new TokenConstraint() {
                @Override
                public void mask(float[] logits) {}

                @Override
                public void accept(int id) {}
            };
            GenerationOptions options = GenerationOptions.builder()
                    .maxTokens(2)
                    .constraint(() -> {
                        makers.add(Thread.currentThread());
                        return free;
                    })
                    .build();
            for (int i = 0; i < 3; i++) {
                Answer.of(slots.submit(CompletionRequest.of(new int[] {1, 2}, options)));
            }
            assertThat(makers).hasSize(3).containsOnly(Thread.currentThread());
        }
    }

    @Test
    void nobodyWaitsForEverWhereTheModelIsClosedBeneathThem() {
        Model model = broken();
        try (Slots slots = Slots.open(model, new SlotOptions(2, 4))) {
            Completion running = slots.submit(CompletionRequest.of(
                    TrainedModel.question(model, 1),
                    GenerationOptions.builder().maxTokens(-1).ignoreEos(true).build()));
            Answer.next(running);
            model.close();
            Answer answer = Answer.of(running);
            if (!(answer.events().getLast() instanceof CompletionEvent.Ended)) { // it may have been full before
                assertThat(answer.failure()).isInstanceOf(IllegalStateException.class);
            }
            Answer late = Answer.of(slots.submit(request(new int[] {1, 2, 3})));
            assertThat(late.failure()).isInstanceOf(IllegalStateException.class);
        }
    }
}
