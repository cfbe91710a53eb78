package dev.tern.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ThreadTeamTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void whatIsWrittenBeforeABarrierIsSeenByAllAfterIt(int size) {
        int stages = 2000;
        int[] cells = new int[size]; // plain memory: only the barrier makes it visible
        AtomicInteger wrong = new AtomicInteger();
        try (ThreadTeam team = new ThreadTeam(size)) {
            team.run(member -> {
                for (int stage = 1; stage <= stages; stage++) {
                    cells[member] = stage;
                    team.barrier(member);
                    for (int cell : cells) {
                        if (cell != stage) {
                            wrong.incrementAndGet();
                        }
                    }
                    team.barrier(member);
                }
            });
        }
        assertThat(wrong).hasValue(0);
        assertThat(cells).containsOnly(stages);
    }

    @Test
    void failureInAnyMemberReachesTheCallerAndTheTeamStaysUsable() {
        try (ThreadTeam team = new ThreadTeam(4)) {
            for (int round = 0; round < 200; round++) {
                int culprit = round % 4;
                int stage = round % 3;
                assertThatThrownBy(() -> team.run(member -> {
                            for (int i = 0; i < 3; i++) {
                                if (member == culprit && i == stage) {
                                    throw InputException.at("member " + culprit).exception();
                                }
                                team.barrier(member);
                            }
                        }))
                        .isInstanceOf(InputException.class)
                        .hasMessageContaining("member " + culprit);
                AtomicInteger ran = new AtomicInteger();
                team.run(member -> {
                    team.barrier(member);
                    ran.incrementAndGet();
                });
                assertThat(ran).hasValue(4);
            }
        }
    }

    @Test
    void errorsKeepTheirType() {
        try (ThreadTeam team = new ThreadTeam(2)) {
            assertThatThrownBy(() -> team.run(member -> {
                        if (member == 1) {
                            throw new StackOverflowError("deep");
                        }
                        team.barrier(member);
                    }))
                    .isInstanceOf(StackOverflowError.class);
        }
    }

    @Test
    void parkedThreadsWakeUpAndCallersTakeTurns() throws InterruptedException {
        try (ThreadTeam team = new ThreadTeam(3)) {
            AtomicInteger inside = new AtomicInteger();
            AtomicInteger ran = new AtomicInteger();
            ThreadTeam.Program program = member -> {
                assertThat(inside.incrementAndGet()).isLessThanOrEqualTo(3);
                team.barrier(member);
                ran.incrementAndGet();
                inside.decrementAndGet();
                team.barrier(member);
            };
            List<Thread> callers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                callers.add(Thread.ofVirtual().start(() -> {
                    for (int n = 0; n < 20; n++) {
                        team.run(program);
                        pause(n % 5); // longer than the members spin
                    }
                }));
            }
            for (Thread caller : callers) {
                caller.join();
            }
            assertThat(ran).hasValue(4 * 20 * 3);
        }
    }

    @Test
    void closedTeamRefusesAndItsThreadsEnd() {
        ThreadTeam team = new ThreadTeam(3);
        List<Thread> members = new ArrayList<>();
        team.run(member -> {
            synchronized (members) {
                members.add(Thread.currentThread());
            }
        });
        team.close();
        team.close();
        members.remove(Thread.currentThread());
        assertThat(members).hasSize(2).noneMatch(Thread::isAlive);
        assertThatThrownBy(() -> team.run(member -> {})).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void programCannotStartAnother() {
        try (ThreadTeam team = new ThreadTeam(2)) {
            assertThatThrownBy(() -> team.run(member -> {
                        if (member == 0) {
                            team.run(other -> {});
                        }
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("cannot start another");
        }
    }

    private static void pause(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
