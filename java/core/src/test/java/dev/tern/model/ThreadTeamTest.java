package dev.tern.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import dev.tern.kernels.ThreadAffinity;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ThreadTeamTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void whatIsWrittenBeforeAStageEndsIsSeenByAllAfterIt(int size) {
        int stages = 2000;
        int[] cells = new int[size]; // plain memory: only the end of a stage makes it visible
        AtomicInteger wrong = new AtomicInteger();
        try (ThreadTeam team = new ThreadTeam(size)) {
            team.run(member -> {
                for (int stage = 1; stage <= stages; stage++) {
                    cells[member] = stage;
                    meet(team, member);
                    for (int cell : cells) {
                        if (cell != stage) {
                            wrong.incrementAndGet();
                        }
                    }
                    meet(team, member);
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

    /** Every stage takes the cells from the last follow-up, which no other member may have overtaken or missed. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void whatFollowsAStageIsDoneOnceBeforeTheNextOne(int size) {
        int[] cells = new int[7]; // plain memory
        int[] sum = new int[1];
        AtomicInteger wrong = new AtomicInteger();
        try (ThreadTeam team = new ThreadTeam(size)) {
            team.run(member -> {
                for (int stage = 0; stage < 3000; stage++) {
                    int expected = 7 * stage;
                    for (int i; (i = team.claim(member, cells.length)) >= 0; ) {
                        wrong.addAndGet(sum[0] == expected ? 0 : 1);
                        cells[i]++;
                        if (team.finish(cells.length)) {
                            sum[0] = Arrays.stream(cells).sum();
                            team.open();
                        }
                    }
                    team.endStage(member);
                }
            });
        }
        assertThat(wrong).hasValue(0);
        assertThat(sum).containsExactly(7 * 3000);
    }

    @Test
    void failureBetweenTwoStagesReachesTheCaller() {
        try (ThreadTeam team = new ThreadTeam(3)) {
            for (int round = 0; round < 100; round++) {
                assertThatThrownBy(() -> team.run(member -> {
                            for (int stage = 0; stage < 3; stage++) {
                                for (int i; (i = team.claim(member, 5)) >= 0; ) {
                                    if (team.finish(5)) {
                                        if (stage == 1) {
                                            throw InputException.at("what follows").exception();
                                        }
                                        team.open();
                                    }
                                }
                                team.endStage(member);
                            }
                        }))
                        .isInstanceOf(InputException.class);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, (1 << 19) + 1})
    void impossibleNumbersOfSharesAreRefused(int shares) {
        try (ThreadTeam team = new ThreadTeam(1)) {
            assertThatThrownBy(() -> team.run(member -> team.claim(member, shares)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
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
                                meet(team, member);
                            }
                        }))
                        .isInstanceOf(InputException.class)
                        .hasMessageContaining("member " + culprit);
                AtomicInteger ran = new AtomicInteger();
                team.run(member -> {
                    meet(team, member);
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
                        meet(team, member);
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
                meet(team, member);
                ran.incrementAndGet();
                inside.decrementAndGet();
                meet(team, member);
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

    /** Many short programs by several callers, with failures, interrupts and, with eight members, too few processors. */
    @ParameterizedTest
    @ValueSource(ints = {2, 8})
    void shortProgramsFailuresAndInterruptsInAnyMixture(int size) throws InterruptedException {
        AtomicInteger wrong = new AtomicInteger();
        AtomicInteger inside = new AtomicInteger();
        try (ThreadTeam team = new ThreadTeam(size)) {
            List<Thread> callers = new ArrayList<>();
            for (int c = 0; c < 3; c++) {
                Random random = new Random(c);
                Runnable caller = () -> {
                    for (int round = 0; round < 500; round++) {
                        int stages = random.nextInt(6);
                        int shares = 1 + random.nextInt(20);
                        int failing = random.nextInt(4) == 0 ? random.nextInt(stages + 1) : -1;
                        if (random.nextInt(3) == 0) {
                            Thread.currentThread().interrupt();
                        }
                        int[] cells = new int[shares]; // plain memory
                        boolean failed = false;
                        try {
                            team.run(member -> {
                                inside.incrementAndGet();
                                try {
                                    stages(team, member, stages, shares, failing, cells, wrong);
                                } finally {
                                    inside.decrementAndGet();
                                }
                            });
                        } catch (UnsupportedOperationException expected) {
                            failed = true;
                        }
                        Thread.interrupted();
                        boolean complete = Arrays.stream(cells).allMatch(cell -> cell == stages);
                        if (failed != (failing >= 0 && failing < stages) || !failed && !complete) {
                            wrong.incrementAndGet();
                        }
                    }
                };
                callers.add(c == 0 ? Thread.ofVirtual().start(caller) : Thread.ofPlatform().start(caller));
            }
            for (Thread caller : callers) {
                caller.join();
            }
        }
        assertThat(wrong).hasValue(0);
        assertThat(inside).hasValue(0);
    }

    private static void stages(
            ThreadTeam team, int member, int stages, int shares, int failing, int[] cells, AtomicInteger wrong) {
        for (int stage = 0; stage < stages; stage++) {
            for (int i; (i = team.claim(member, shares)) >= 0; team.complete(shares)) {
                if (stage == failing && i == shares / 2) {
                    throw new UnsupportedOperationException("share " + i);
                }
                // Reads what others wrote in the stage before.
                wrong.addAndGet(cells[i] == stage && cells[(i + 1) % shares] >= stage ? 0 : 1);
                cells[i] = stage + 1;
            }
            team.endStage(member);
        }
    }

    @Test
    void callerWithoutStackLeavesNoMemberBehind() throws InterruptedException {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger leftBehind = new AtomicInteger();
        AtomicInteger refused = new AtomicInteger();
        AtomicInteger ran = new AtomicInteger();
        ThreadTeam team = new ThreadTeam(3); // not closed when the test fails, for that would wait for ever
        ThreadTeam.Program program = member -> {
            inside.incrementAndGet();
            if (member > 0) {
                LockSupport.parkNanos(200_000);
            }
            inside.decrementAndGet();
        };
        class Descent implements Runnable {
            private int attempts;

            @Override
            public void run() {
                team.run(program); // loads and links all that is needed
                descend();
            }

            private void descend() {
                try {
                    descend();
                } catch (StackOverflowError expected) {
                    // Up again, a frame at a time: a little more stack for each attempt.
                }
                if (attempts++ < 400) {
                    try {
                        team.run(program);
                        ran.incrementAndGet();
                    } catch (StackOverflowError none) {
                        refused.incrementAndGet();
                    }
                    leftBehind.addAndGet(inside.get());
                }
            }
        }
        Thread caller = new Thread(null, new Descent(), "deep", 512 * 1024);
        caller.setDaemon(true);
        caller.start();
        caller.join(30_000);
        assertThat(caller.isAlive()).as("still waiting for members").isFalse();
        assertThat(refused).hasPositiveValue();
        assertThat(ran).hasPositiveValue();
        assertThat(leftBehind).hasValue(0);
        team.close();
    }

    @Test
    void interruptedCallerParksWhileItWaitsAndStaysInterrupted() {
        try (ThreadTeam team = new ThreadTeam(2)) {
            Thread.currentThread().interrupt();
            AtomicReference<Thread.State> seen = new AtomicReference<>();
            Thread caller = Thread.currentThread();
            team.run(member -> {
                if (member == 1) {
                    pause(50); // longer than the caller spins
                    seen.set(caller.getState());
                    for (int i = 0; i < 100 && seen.get() == Thread.State.RUNNABLE; i++) {
                        pause(1);
                        seen.set(caller.getState());
                    }
                }
            });
            assertThat(Thread.interrupted()).isTrue();
            assertThat(seen).hasValue(Thread.State.WAITING);
        }
    }

    @Test
    void membersAreBoundToTheirProcessorsAndTheCallerOnlyForTheTime() {
        Assumptions.assumeTrue(ThreadAffinity.obstacle().isEmpty());
        List<Integer> processors = Processors.current().order();
        BitSet before = ThreadAffinity.ofCurrentThread().processors();
        int size = Math.min(3, processors.size());
        BitSet[] seen = new BitSet[size];
        try (ThreadTeam team = new ThreadTeam(size, processors)) {
            team.run(member -> seen[member] = ThreadAffinity.ofCurrentThread().processors());
            for (int member = 0; member < size; member++) {
                assertThat(seen[member].stream()).containsExactly(processors.get(member));
            }
            assertThat(ThreadAffinity.ofCurrentThread().processors()).isEqualTo(before);
            assertThatThrownBy(() -> team.run(member -> {
                        throw new UnsupportedOperationException("in member " + member);
                    }))
                    .isInstanceOf(UnsupportedOperationException.class);
            assertThat(ThreadAffinity.ofCurrentThread().processors()).isEqualTo(before);
        }
    }

    @Test
    void processorsThatAreMissingAreRefused() {
        Assumptions.assumeTrue(ThreadAffinity.obstacle().isEmpty());
        BitSet before = ThreadAffinity.ofCurrentThread().processors();
        assertThatThrownBy(() -> new ThreadTeam(2, List.of(0))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new ThreadTeam(1, List.of(8191))).isInstanceOf(UnsupportedOperationException.class);
        assertThat(ThreadAffinity.ofCurrentThread().processors()).isEqualTo(before);
    }

    @Test
    void threadsOfATeamThatCannotBeCompletedEnd() throws InterruptedException {
        List<Thread> started = new ArrayList<>();
        assertThatThrownBy(() -> new ThreadTeam(4, program -> {
                    if (started.size() == 2) {
                        throw new OutOfMemoryError("unable to create native thread");
                    }
                    started.add(Thread.ofPlatform().daemon().unstarted(program));
                    return started.getLast();
                }))
                .isInstanceOf(OutOfMemoryError.class);
        assertThat(started).hasSize(2);
        for (Thread thread : started) {
            thread.join(10_000);
            assertThat(thread.isAlive()).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void programCannotStartAnotherOrCloseItsTeam(int culprit) {
        try (ThreadTeam team = new ThreadTeam(2)) {
            List<Runnable> misuses = List.of(() -> team.run(other -> {}), team::close);
            for (Runnable misuse : misuses) {
                assertThatThrownBy(() -> team.run(member -> {
                            if (member == culprit) {
                                misuse.run();
                            }
                        }))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageStartingWith("a program of this team cannot");
            }
        }
    }

    /** A stage of which every member takes one share, so that none goes on before all have come. */
    private static void meet(ThreadTeam team, int member) {
        assertThat(team.claim(member, team.size())).isNotNegative();
        team.complete(team.size());
        team.endStage(member);
    }

    private static void pause(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
