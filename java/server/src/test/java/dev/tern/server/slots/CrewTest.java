package dev.tern.server.slots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CrewTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void eachItemOnce(int members) {
        try (Crew crew = new Crew(members)) {
            for (int count = 0; count < 20; count++) {
                AtomicIntegerArray done = new AtomicIntegerArray(count);
                crew.each(IntStream.range(0, count).boxed().toList(), done::incrementAndGet);
                assertThat(IntStream.range(0, count).map(done::get)).allMatch(times -> times == 1);
            }
        }
    }

    @Test
    void manyItemsAreSharedOutAndFewAreNot() {
        try (Crew crew = new Crew(2)) {
            Set<Thread> threads = ConcurrentHashMap.newKeySet();
            CountDownLatch both = new CountDownLatch(2);
            crew.each(List.of(1, 2, 3, 4), item -> {
                if (threads.add(Thread.currentThread())) {
                    both.countDown();
                }
                try {
                    both.await(); // nobody goes on alone
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            assertThat(threads).hasSize(2).contains(Thread.currentThread());
            Thread caller = Thread.currentThread();
            crew.each(List.of(1, 2, 3), item -> assertThat(Thread.currentThread()).isSameAs(caller));
        }
    }

    @Test
    void whatGoesWrongInAnyThreadIsTold() {
        try (Crew crew = new Crew(3)) {
            assertThatThrownBy(() -> crew.each(IntStream.range(0, 50).boxed().toList(), item -> {
                        throw new IllegalStateException("broken");
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("broken");
        }
    }
}
