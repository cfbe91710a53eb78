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

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void everyShareOfEveryStageIsComputedOnceAndSeenInTheNext(int size) {
        int stages = 300;
        int[] cells = new int[13]; // plain memory: only the end of a stage makes it visible
        AtomicInteger wrong = new AtomicInteger();
        try (ThreadTeam team = new ThreadTeam(size)) {
            for (int run = 0; run < 3; run++) {
                int base = run * stages;
                team.run(member -> {
                    for (int stage = 1; stage <= stages; stage++) {
                        int n = 1 + stage % cells.length;
                        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
                            cells[i] += 1;
                        }
                        team.endStage(member);
                        for (int i; (i = team.claim(member, 1)) >= 0; team.complete(1)) {
                            for (int cell = 0; cell < cells.length; cell++) {
                                if (cells[cell] != expectedCount(base + stage, cell, cells.length)) {
                                    wrong.incrementAndGet();
                                }
                            }
                        }
                        team.endStage(member);
                    }
                });
            }
        }
        assertThat(wrong).hasValue(0);
    }

    /** How many of the first {@code stages} stages, which start again after 300, had more shares than {@code cell}. */
    private static int expectedCount(int stages, int cell, int cells) {
        int count = 0;
        for (int s = 1; s <= stages; s++) {
            int stage = (s - 1) % 300 + 1;
            count += 1 + stage % cells > cell ? 1 : 0;
        }
        return count;
    }

    @Test
    void failureInAShareReachesTheCaller() {
        try (ThreadTeam team = new ThreadTeam(3)) {
            for (int round = 0; round < 100; round++) {
                assertThatThrownBy(() -> team.run(member -> {
                            for (int stage = 0; stage < 3; stage++) {
                                for (int i; (i = team.claim(member, 6)) >= 0; team.complete(6)) {
                                    if (stage == 1 && i == 4) {
                                        throw InputException.at("share").exception();
                                    }
                                }
                                team.endStage(member);
                            }
                        }))
                        .isInstanceOf(InputException.class);
                AtomicInteger shares = new AtomicInteger();
                team.run(member -> {
                    for (int i; (i = team.claim(member, 6)) >= 0; team.complete(6)) {
                        shares.incrementAndGet();
                    }
                    team.endStage(member);
                });
                assertThat(shares).hasValue(6);
            }
        }
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
