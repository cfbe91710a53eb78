package dev.tern.server.slots;

import static org.assertj.core.api.Assertions.assertThat;

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

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PrefillPlanTest {
    private static final int BATCH = 512;

    private Model model;
    private final List<Slot> slots = new ArrayList<>();

    @BeforeAll
    void load(@TempDir Path folder) {
        model = TrainedModel.load(
                TrainedModel.write(folder), ModelOptions.builder().threads(1).contextLength(4096));
    }

    @AfterAll
    void close() {
        model.close();
    }

    /** Slots at work on prompts of these lengths. */
    private List<Slot> prompts(int... lengths) {
        slots.forEach(Slot::erase);
        slots.clear();
        for (int length : lengths) {
            Slot slot = new Slot(slots.size(), model);
            int[] prompt = new int[length];
            Arrays.fill(prompt, 7);
            CompletionRequest request = CompletionRequest.of(prompt, GenerationOptions.builder().build());
            slot.begin(new Task(slots.size(), request, Task.decoding(model, request), task -> {}), null, 0);
            slots.add(slot);
        }
        return slots;
    }

    /** Ten tokens beside texts, 64 alone. */
    private static PassCosts costs() {
        PassCosts costs = new PassCosts(BATCH);
        for (int i = 0; i < 20; i++) {
            costs.record(1, 0, 100);
            costs.record(1, 10, 200);
        }
        costs.record(0, 64, 640);
        costs.record(0, 128, 1280);
        return costs;
    }

    private static List<Integer> tokens(List<Slot> prompts, int rows, PassCosts costs) {
        int[] tokens = new int[prompts.size()];
        PrefillPlan plan = PrefillPlan.of(prompts, rows, BATCH - rows, costs, false);
        plan.parts().forEach(part -> tokens[part.slot().id()] = part.tokens());
        plan.remember();
        return Arrays.stream(tokens).boxed().toList();
    }

    @Test
    void aLongPromptTakesLittleBesideTexts() {
        assertThat(tokens(prompts(2000), 1, costs())).containsExactly(10);
        assertThat(tokens(prompts(3), 1, costs())).containsExactly(3);
        assertThat(tokens(prompts(30), 1, costs())).as("a short one comes at once").containsExactly(30);
        assertThat(tokens(prompts(30, 31), 1, costs())).as("one of them").containsExactly(30, 0);
        assertThat(tokens(prompts(2000), 0, costs())).as("and what is quick where nobody waits").containsExactly(64);
        assertThat(tokens(prompts(), 1, costs())).isEmpty();
    }

    @Test
    void theShortestComesFirstAndTakesNobodyWithItThatDelaysIt() {
        assertThat(tokens(prompts(2000, 30, 20), 0, costs())).containsExactly(0, 0, 20);
        assertThat(tokens(prompts(2000, 6, 3), 0, costs())).as("up to what delays little").containsExactly(1, 6, 3);
        assertThat(tokens(prompts(2000, 6, 8), 1, costs())).containsExactly(0, 6, 4);
        assertThat(tokens(prompts(80, 80), 0, costs())).as("of equals the first").containsExactly(64, 0);
    }

    @Test
    void nobodyIsPassedOverForEver() {
        List<Slot> prompts = prompts(2000, 400);
        PassCosts costs = costs();
        assertThat(tokens(prompts, 0, costs)).containsExactly(0, 64);
        assertThat(tokens(prompts, 0, costs)).containsExactly(0, 64);
        assertThat(tokens(prompts, 0, costs)).as("a little, so that the others go on soon").containsExactly(10, 0);
        assertThat(tokens(prompts, 0, costs)).containsExactly(0, 64);
    }

    @Test
    void aPassThatIsLongForALongPromptCanBePaused() {
        assertThat(PrefillPlan.of(List.of(), 1, BATCH - 1, costs(), false).urgent()).isTrue();
        assertThat(PrefillPlan.of(prompts(20), 1, BATCH - 1, costs(), false).urgent()).as("a prompt ends").isTrue();
        assertThat(PrefillPlan.of(prompts(60), 0, BATCH, costs(), false).urgent()).as("not a short one").isFalse();
        assertThat(PrefillPlan.of(prompts(2000), 1, BATCH - 1, costs(), false).urgent()).isFalse();
        List<Slot> prompts = prompts(2000, 400);
        PassCosts costs = costs();
        tokens(prompts, 0, costs);
        tokens(prompts, 0, costs);
        assertThat(PrefillPlan.of(prompts, 0, BATCH, costs, false).urgent()).as("passed over twice").isTrue();
    }

    @Test
    void whoLosesAPassByAnothersEndComesNext() {
        List<Slot> prompts = prompts(2000, 400);
        PrefillPlan.givenUp(prompts.subList(0, 1));
        PrefillPlan plan = PrefillPlan.of(prompts, 0, BATCH, costs(), false);
        assertThat(plan.urgent()).isTrue();
        assertThat(plan.parts()).extracting(part -> part.slot().id()).containsExactly(0);
        assertThat(plan.parts()).extracting(PrefillPlan.Part::tokens).containsExactly(10);
    }

    @Test
    void passesOfOneTokenGoOnWithWhoWasPassedOver() {
        List<Slot> prompts = prompts(2000, 400);
        PassCosts costs = new PassCosts(1);
        for (int pass = 0; pass < 9; pass++) {
            PrefillPlan plan = PrefillPlan.of(prompts, 0, 1, costs, false);
            assertThat(plan.parts()).hasSize(1);
            assertThat(plan.parts().getFirst().slot().id()).isEqualTo(pass % 3 == 2 ? 0 : 1);
            plan.remember();
        }
    }

    @Test
    void aPassWhileAnotherIsPausedIsNotLong() {
        PassCosts costs = costs();
        for (int tokens : new int[] {64, 128, 256, 512}) {
            costs.record(0, tokens, 640 - tokens);
        }
        assertThat(tokens(prompts(2000), 0, costs)).containsExactly(512);
        PrefillPlan plan = PrefillPlan.of(prompts(2000), 0, BATCH, costs, true);
        assertThat(plan.parts()).extracting(PrefillPlan.Part::tokens).containsExactly(64);
        plan = PrefillPlan.of(prompts(2000), 1, BATCH - 1, costs, true);
        assertThat(plan.parts()).extracting(PrefillPlan.Part::tokens).containsExactly(10);
    }
}
