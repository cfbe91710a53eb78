package dev.tern.server.slots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.GenerationOptions;
import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** First tokens that a slot has computed are not computed again, and give the same bits. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SharingTest {
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

    private static CompletionRequest request(int[] prompt) {
        return CompletionRequest.of(
                prompt, GenerationOptions.builder().temperature(0).maxTokens(20).build());
    }

    private Answer answer(Slots slots, CompletionRequest request) {
        Answer answer = Answer.of(slots.submit(request));
        answer.assertSameAs(Answer.alone(model.generate(request.prompt(), request.options())));
        assertThat(answer.timings().cachedTokens() + answer.timings().promptTokens()).isEqualTo(request.prompt().length);
        return answer;
    }

    private static int[] join(int[]... parts) {
        return Stream.of(parts).flatMapToInt(IntStream::of).toArray();
    }

    private int[] system() {
        return TrainedModel.longPrompt(model, 20, 200);
    }

    @Test
    void aChatThatGrowsGoesOnWhereItWas() {
        try (Slots slots = Slots.open(model, new SlotOptions(3, 4))) {
            int[] prompt = join(system(), TrainedModel.question(model, 1));
            Answer first = answer(slots, request(prompt));
            assertThat(first.started().cachedTokens()).isZero();
            int[] said = first.ids().stream().mapToInt(Integer::intValue).toArray();
            int[] grown = join(prompt, said, TrainedModel.question(model, 2));
            Answer second = answer(slots, request(grown));
            assertThat(second.started().slot()).isEqualTo(first.started().slot());
            assertThat(second.started().cachedTokens()).as("all but the last token said").isEqualTo(prompt.length + 19);

            Answer again = answer(slots, request(grown));
            assertThat(again.started().cachedTokens()).as("the last is computed").isEqualTo(grown.length - 1);
            CompletionRequest fresh = new CompletionRequest(
                    grown, request(grown).options(), OptionalInt.empty(), false, Optional.empty(), false);
            assertThat(answer(slots, fresh).started().cachedTokens()).as("unless it is not wanted").isZero();
            assertThat(slots.metrics().cachedTokens()).isEqualTo(prompt.length + 19 + grown.length - 1);
        }
    }

    @Test
    void aSystemPromptIsCopiedToOtherSlotsAndChatsAreKept() {
        try (Slots slots = Slots.open(model, new SlotOptions(3, 4))) {
            int[] one = join(system(), TrainedModel.longPrompt(model, 1, 300));
            int[] two = join(system(), TrainedModel.longPrompt(model, 5, 300));
            int[] three = join(system(), TrainedModel.longPrompt(model, 7, 300));
            Answer first = answer(slots, request(one));
            Answer second = answer(slots, request(two));
            assertThat(second.started().slot()).isNotEqualTo(first.started().slot());
            assertThat(second.started().cachedTokens()).isBetween(200, 202);
            Answer third = answer(slots, request(three));
            assertThat(third.started().cachedTokens()).isBetween(200, 202);
            for (int[] chat : List.of(one, two, three)) {
                assertThat(answer(slots, request(chat)).started().cachedTokens()).isEqualTo(chat.length - 1);
            }
            int[] other = TrainedModel.longPrompt(model, 33, 50);
            Answer evicts = answer(slots, request(other));
            assertThat(evicts.started().slot()).as("used longest ago").isEqualTo(first.started().slot());
            CompletionRequest pinned = new CompletionRequest(
                    two, request(two).options(), OptionalInt.of(evicts.started().slot()), true, Optional.empty(), false);
            Answer copied = answer(slots, pinned);
            assertThat(copied.started().slot()).isEqualTo(evicts.started().slot());
            assertThat(copied.started().cachedTokens()).isEqualTo(two.length - 1);
        }
    }

    @Test
    void whatBeginsTogetherIsComputedOnce() {
        try (Slots slots = Slots.open(model, new SlotOptions(8, 8))) {
            List<CompletionRequest> requests = IntStream.range(0, 8)
                    .mapToObj(i -> request(join(system(), TrainedModel.question(model, i + 1))))
                    .toList();
            List<Completion> all = new ArrayList<>();
            Completion busy = slots.submit(request(TrainedModel.longPrompt(model, 40, 700))); // they begin behind it
            requests.forEach(request -> all.add(slots.submit(request)));
            for (int i = 0; i < 8; i++) {
                Answer.of(all.get(i))
                        .assertSameAs(Answer.alone(model.generate(requests.get(i).prompt(), requests.get(i).options())));
            }
            Answer.of(busy);
            int questions = requests.stream().mapToInt(request -> request.prompt().length - 200).sum();
            assertThat(slots.metrics().promptTokens()).isLessThan(700 + 200 + questions + 8 * 16);
        }
    }

    @Test
    void aSlotIsSavedRestoredAndErased(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("slot.bin");
        int[] prompt = TrainedModel.longPrompt(model, 11, 120);
        try (Slots slots = Slots.open(model, new SlotOptions(2, 4))) {
            Answer first = answer(slots, request(prompt));
            int slot = first.started().slot();
            assertThat(slots.save(slot, file)).isEqualTo(139);
            assertThat(slots.save(slot, file)).as("again").isEqualTo(139);
            assertThat(slots.erase(slot)).isEqualTo(139);
            assertThat(slots.slots().get(slot).tokens()).isZero();
            assertThat(slots.erase(slot)).isZero();
            assertThat(answer(slots, request(prompt)).started().cachedTokens()).isZero();
            assertThatThrownBy(() -> slots.restore(1, folder.resolve("none"))).isInstanceOf(InputException.class);
        }
        try (Slots slots = Slots.open(model, new SlotOptions(2, 4))) {
            assertThat(slots.restore(1, file)).isEqualTo(139);
            assertThat(slots.slots().get(1).tokens()).isEqualTo(139);
            Answer answer = answer(slots, request(prompt));
            assertThat(answer.started()).isEqualTo(new CompletionEvent.Started(1, 119));
            assertThat(slots.save(0, folder.resolve("empty"))).isZero();
            assertThat(slots.restore(1, folder.resolve("empty"))).isZero();
            Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 1000));
            assertThatThrownBy(() -> slots.restore(1, file)).isInstanceOf(InputException.class);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whoWantsASlotForHimselfWaitsForItsRequest(@TempDir Path folder) throws Exception {
        try (Slots slots = Slots.open(model, new SlotOptions(1, 4))) {
            CompletionRequest request = request(TrainedModel.question(model, 3));
            Completion running = slots.submit(request);
            Answer.next(running);
            Completion queued = slots.submit(request);
            int saved = slots.save(0, folder.resolve("slot"));
            assertThat(saved).as("of a request that has ended").isEqualTo(request.prompt().length + 19);
            Answer.of(running);
            Answer.of(queued).assertSameAs(Answer.alone(model.generate(request.prompt(), request.options())));
        }
        try (Slots slots = Slots.open(model, new SlotOptions(1, 4))) {
            Completion endless = slots.submit(CompletionRequest.of(
                    TrainedModel.question(model, 3),
                    GenerationOptions.builder().temperature(0).maxTokens(-1).ignoreEos(true).build()));
            Answer.next(endless);
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> slots.erase(0)).isInstanceOf(InterruptedException.class);
            endless.close();
            Answer answer = answer(slots, request(TrainedModel.question(model, 3)));
            assertThat(answer.ids()).isNotEmpty();
        }
    }
}
