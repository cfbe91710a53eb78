package dev.tern.server.slots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.GenerationOptions;
import dev.tern.StopReason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

class TaskTest {
    private static final CompletionEvent END =
            new CompletionEvent.Ended(StopReason.END_TOKEN, "", "", new CompletionTimings(0, 0, 0, 0, 0, 0, 0));

    private final List<Task> cancelled = new ArrayList<>();
    private final Task task = new Task(
            0,
            CompletionRequest.of(new int[] {1}, GenerationOptions.builder().build()),
            new FutureTask<>(() -> {
                throw new IllegalStateException("nobody asks for it");
            }),
            cancelled::add);

    @Test
    void oneThatIsClosedBeforeItsEndIsCancelledOnce() {
        task.close();
        task.close();
        assertThat(cancelled).containsExactly(task);
        assertThat(task.cancelled()).isTrue();
    }

    @Test
    void oneThatIsClosedAtItsEndDisturbsNobody() throws InterruptedException {
        task.tell(END);
        assertThat(task.next(Duration.ZERO)).isEqualTo(END);
        task.close();
        assertThat(cancelled).isEmpty();
    }
}
