package dev.tern.server.slots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.DraftOptions;
import dev.tern.Generation;
import dev.tern.GenerationOptions;
import dev.tern.Model;
import dev.tern.ModelOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Passes counted: nobody waits for a long prompt. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FairnessTest {
    private static final int LONG = 2000;

    private Model model;

    @BeforeAll
    void load(@TempDir Path folder) {
        model = TrainedModel.load(
                TrainedModel.write(folder), ModelOptions.builder().threads(1).contextLength(4096));
    }

    @AfterAll
    void close() {
        model.close();
    }

    private static CompletionRequest request(int[] prompt, int tokens) {
        return CompletionRequest.of(
                prompt,
                GenerationOptions.builder()
                        .temperature(0)
                        .maxTokens(tokens)
                        .ignoreEos(true)
                        .draft(DraftOptions.off())
                        .build());
    }

    /** A scheduler whose passes a test makes itself. */
    private final class Hand {
        final List<Slot> slots = new ArrayList<>();
        final Scheduler scheduler;
        private final SlotCounters counters = new SlotCounters();
        boolean interrupted;

        Hand(int count) {
            for (int i = 0; i < count; i++) {
                slots.add(new Slot(i, model));
            }
            scheduler = new Scheduler(slots, model, new Crew(1), counters, () -> interrupted);
        }

        Slot begin(CompletionRequest request) {
            Slot slot = slots.stream().filter(Slot::idle).findFirst().orElseThrow();
            begin(slot, slot.id(), request);
            return slot;
        }

        void begin(Slot slot, int number, CompletionRequest request) {
            slot.begin(new Task(number, request, Task.decoding(model, request), task -> {}), null, 0);
        }

        /** Whether the slot is free for a request, the one at its end having left. */
        boolean isFree(Slot slot) {
            if (slot.done()) {
                slot.finish();
            }
            return slot.idle();
        }

        /** Makes passes until all are done, each as it would be alone. */
        void finish(Slot... those) {
            while (!Arrays.stream(those).allMatch(Slot::done)) {
                scheduler.pass();
            }
            Arrays.stream(those).forEach(FairnessTest.this::assertSameAsAlone);
            slots.forEach(Slot::erase);
        }

        int passesUntilGenerating(Slot slot) {
            int passes = 0;
            while (!slot.generating()) {
                scheduler.pass();
                passes++;
            }
            return passes;
        }
    }

    @Test
    void textsGetATokenInEveryPassOfALongPrompt() {
        Hand hand = new Hand(3);
        Slot text = hand.begin(request(TrainedModel.question(model, 1), -1));
        hand.passesUntilGenerating(text);
        for (int i = 0; i < 50; i++) {
            hand.scheduler.pass(); // so that times are known
        }
        Slot prompt = hand.begin(request(TrainedModel.longPrompt(model, 4, LONG), 5));
        int passes = 0;
        while (!prompt.generating()) {
            int before = text.decoding().count();
            int left = prompt.remaining();
            hand.scheduler.pass();
            assertThat(text.decoding().count()).isEqualTo(before + 1);
            assertThat(prompt.remaining()).as("the prompt goes on as well").isLessThan(left);
            passes++;
        }
        // 8 tokens at first and at most twice as many from pass to pass, however long passes were measured to take
        assertThat(passes).as("it took its time").isGreaterThan(8);
        hand.slots.forEach(Slot::erase);
    }

    @Test
    void aShortPromptOvertakesALongOne() {
        Hand hand = new Hand(3);
        Slot longest = hand.begin(request(TrainedModel.longPrompt(model, 4, LONG), 5));
        hand.scheduler.pass();
        assertThat(longest.remaining()).isBetween(LONG - 512, LONG - 1);
        Slot shortest = hand.begin(request(TrainedModel.question(model, 1), 5));
        int left = longest.remaining();
        assertThat(hand.passesUntilGenerating(shortest)).as("all of it in the next pass").isEqualTo(1);
        assertThat(longest.remaining()).as("hardly slowed down by the other").isGreaterThan(left - 16);
        Slot next = hand.begin(request(TrainedModel.question(model, 2), 5));
        assertThat(hand.passesUntilGenerating(next)).as("beside a text and a long prompt").isEqualTo(1);
        while (!longest.generating() && !longest.done()) {
            hand.scheduler.pass();
        }
        hand.slots.forEach(Slot::erase);
    }

    @Test
    void aStreamOfShortPromptsDoesNotStarveALongOne() {
        Hand hand = new Hand(2);
        Slot longest = hand.begin(request(TrainedModel.longPrompt(model, 4, 400), 1));
        int passes = 0;
        for (int i = 0; !longest.done() && passes < 1000; passes++) {
            Slot other = hand.slots.get(1);
            if (hand.isFree(other)) {
                hand.begin(other, 10 + i, request(TrainedModel.question(model, i), 1));
                i++;
            }
            hand.scheduler.pass();
        }
        assertThat(longest.done()).isTrue();
        hand.slots.forEach(Slot::erase);
    }

    @Test
    void aLongPassIsPausedForWhatBeginsAndGoesOnInTurns() {
        Hand hand = new Hand(3);
        Slot longest = hand.begin(request(TrainedModel.longPrompt(model, 4, LONG), 5));
        hand.scheduler.pass();
        int left = longest.remaining();
        hand.interrupted = true;
        hand.scheduler.pass();
        assertThat(longest.remaining()).as("paused").isEqualTo(left);
        Slot text = hand.begin(request(TrainedModel.question(model, 1), 40));
        hand.scheduler.pass();
        assertThat(text.generating()).as("what has begun comes at once").isTrue();
        assertThat(longest.remaining()).isEqualTo(left);
        hand.interrupted = false;
        int tokens = text.decoding().count();
        int passes = 0;
        while (longest.remaining() == left) { // a token, a part of the long pass, a token, ...
            hand.scheduler.pass();
            assertThat(++passes).isLessThan(100);
        }
        assertThat(longest.remaining()).as("nothing is computed twice").isBetween(left - 512, left - 32);
        assertThat(text.decoding().count()).as("between its parts").isGreaterThan(tokens);
        hand.finish(longest, text);
    }

    @Test
    void aPausedPassComesToItsEndWhateverBegins() {
        Hand hand = new Hand(2);
        Slot longest = hand.begin(request(TrainedModel.longPrompt(model, 4, LONG), 5));
        hand.interrupted = true; // again and again
        int pauses = 0;
        int passes = 0;
        for (int number = 10; !longest.done(); number++) {
            int left = longest.remaining();
            hand.scheduler.pass();
            pauses += longest.remaining() == left ? 1 : 0;
            Slot other = hand.slots.get(1);
            if (hand.isFree(other)) { // some of them with prompts that are longer than short
                int[] prompt = number % 2 == 0
                        ? TrainedModel.question(model, number)
                        : TrainedModel.longPrompt(model, number, 50);
                hand.begin(other, number, request(prompt, 1));
            }
            assertThat(++passes).isLessThan(10_000);
        }
        assertThat(pauses).isGreaterThan(20);
        hand.finish(longest);
    }

    @Test
    void whoLeavesTakesThePausedPassAlong() {
        Hand hand = new Hand(2);
        Slot longest = hand.begin(request(TrainedModel.longPrompt(model, 4, LONG), 5));
        hand.scheduler.pass();
        int held = longest.position();
        hand.interrupted = true;
        hand.scheduler.pass();
        hand.scheduler.release(longest);
        longest.finish();
        assertThat(longest.position()).as("what had been computed before stays").isEqualTo(held);
        hand.interrupted = false;
        Slot text = hand.begin(request(TrainedModel.question(model, 1), 5));
        hand.finish(text);
    }

    @Test
    void aFewTokensInCommonAreNotWorthWaitingForAPausedPass() {
        Hand hand = new Hand(2);
        int[] prompt = TrainedModel.longPrompt(model, 4, LONG);
        Slot first = hand.begin(request(prompt, 5));
        hand.interrupted = true;
        hand.scheduler.pass();
        assertThat(first.position()).as("paused").isZero();
        hand.interrupted = false;
        int[] other = Arrays.copyOf(prompt, 25);
        other[20] ^= 1;
        Slot second = hand.begin(request(other, 5));
        hand.scheduler.pass();
        assertThat(second.generating()).isTrue();
        assertThat(first.position()).isZero();
        hand.slots.forEach(Slot::erase);
    }

    @Test
    void whoNeedsWhatAPausedPassComputesWaitsForIt() {
        Hand hand = new Hand(2);
        int[] prompt = TrainedModel.longPrompt(model, 4, LONG);
        Slot first = hand.begin(request(prompt, 5));
        hand.interrupted = true;
        hand.scheduler.pass();
        assertThat(first.position()).isZero();
        hand.interrupted = false;
        Slot second = hand.begin(request(Arrays.copyOf(prompt, LONG - 100), 5)); // shorter, so it would come first
        while (first.position() == 0) {
            hand.scheduler.pass();
            assertThat(second.position()).isZero();
        }
        int held = first.position();
        hand.scheduler.pass();
        assertThat(second.position()).as("taken over").isGreaterThan(held);
        hand.finish(first, second);
    }

    private void assertSameAsAlone(Slot slot) {
        CompletionRequest request = slot.task().request();
        Generation alone = model.generate(request.prompt(), request.options());
        alone.text();
        assertThat(slot.decoding().ids()).isEqualTo(alone.ids());
    }
}
