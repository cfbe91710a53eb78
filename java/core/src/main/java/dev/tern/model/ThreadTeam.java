package dev.tern.model;

import dev.tern.kernels.ThreadAffinity;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A fixed team of threads that all execute the same program with their own index: one program, many members (SPMD). They
 * share the work of a stage by {@link #claim} and meet at its end. The thread that calls {@link #run} is member 0; the
 * others are daemon threads of the team. Stages allocate nothing.
 *
 * <p>Waiting threads spin for a short while, because stages take microseconds, and then park, because an idle team must
 * cost nothing. A program that throws in one member ends the stage for all others, so none waits for ever; the first
 * throwable reaches the caller of {@link #run}, and the team can be used again.
 *
 * <p>Thread-safe: calls of {@link #run} from several threads take turns in order of arrival.
 */
public final class ThreadTeam implements AutoCloseable {
    /** What every member executes. Stages must be the same in all members. */
    public interface Program {
        /** Runs the share of {@code member}, 0 to {@code size - 1}. */
        void run(int member);
    }

    /** Unwinds a member whose stage another member broke. Carries nothing: the other's throwable is the story. */
    private static final class StageBroken extends RuntimeException {
        private static final long serialVersionUID = 1L;
        static final StageBroken INSTANCE = new StageBroken();

        private StageBroken() {
            super("another member of the team failed", null, false, false);
        }
    }

    // The shared words stand in one array, 16 longs (two cache lines) apart, so that spinning on one does not slow down
    // writes to another.
    private static final int JOB = 16;
    private static final int FINISHED = 32;
    private static final int STAGE = 48;
    private static final int SHARES = 64; // stage << 40 | shares completed << 20 | shares claimed
    private static final int SLEEPERS = 80;
    private static final int FAILED = 96; // 1 when a member has failed
    private static final int WORDS = 112;
    private static final int CURSOR = 32; // from one member's cursor to the next

    private static final int MOST_SHARES = 1 << 19;
    private static final long CLAIMED = 1;
    private static final long COMPLETED = 1 << 20;
    private static final int COUNT = (1 << 20) - 1; // mask of either

    private static final long SPIN_NANOS = 300_000;
    private static final int STACK_FRAMES = 256; // far more than starting, waiting and waking need

    private final int size;
    private final boolean spins;
    private final AtomicLongArray words = new AtomicLongArray(WORDS);
    private final int[] cursors; // each member's stage
    private final AtomicReferenceArray<@Nullable Thread> parked;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final ReentrantLock turns = new ReentrantLock(true);
    private final Thread[] threads;
    private final Places places;
    private @Nullable Program program; // published by JOB
    private volatile boolean closed;

    /**
     * Starts a team of {@code size} members, {@code size - 1} threads.
     *
     * @throws IllegalArgumentException when the size is not between 1 and 1024
     */
    public ThreadTeam(int size) {
        this(size, List.of());
    }

    /**
     * As {@link #ThreadTeam(int)}, its members bound to processors for as long as they compute: member i to the i-th.
     * The caller of {@link #run} is bound for the time of the call, and not at all when it is a virtual thread.
     *
     * @param processors numbers as {@link ThreadAffinity} takes them, at least {@code size}; or none, and nobody is
     *     bound
     * @throws UnsupportedOperationException when the system cannot bind threads, or not to these processors
     */
    public ThreadTeam(int size, List<Integer> processors) {
        this(size, processors, Thread.ofPlatform().daemon().name("tern-", 1).factory());
    }

    ThreadTeam(int size, ThreadFactory factory) {
        this(size, List.of(), factory);
    }

    private ThreadTeam(int size, List<Integer> processors, ThreadFactory factory) {
        if (size < 1 || size > 1024) {
            throw new IllegalArgumentException("a team of " + size + " threads; between 1 and 1024 are possible");
        }
        this.size = size;
        this.spins = size <= Runtime.getRuntime().availableProcessors();
        this.parked = new AtomicReferenceArray<>(size);
        this.cursors = new int[size * CURSOR];
        this.places = new Places(size, processors);
        this.threads = new Thread[size - 1];
        try {
            for (int i = 1; i < size; i++) {
                int member = i;
                threads[i - 1] = factory.newThread(() -> serve(member));
                threads[i - 1].start();
            }
        } catch (Throwable thrown) { // the system has no more threads to give: those that run must not stay
            closed = true;
            words.getAndIncrement(JOB);
            wakeAll();
            throw thrown;
        }
    }

    /** Members, the caller included. */
    public int size() {
        return size;
    }

    /**
     * Executes the program in every member and returns when all have finished.
     *
     * @throws IllegalStateException when the team is closed, or the caller is already inside a program of this team
     */
    public void run(Program work) {
        requireOutside("a program of this team cannot start another");
        requireStack(STACK_FRAMES);
        turns.lock();
        try {
            if (closed) {
                throw new IllegalStateException("the thread team is closed");
            }
            ThreadAffinity before = places.bindCaller();
            try {
                runInTurn(work);
            } finally {
                places.release(before);
            }
        } finally {
            turns.unlock();
        }
    }

    private void runInTurn(Program work) {
        words.set(STAGE, 0);
        words.set(SHARES, 0);
        Arrays.fill(cursors, 0);
        if (size == 1) {
            work.run(0);
            return;
        }
        program = work;
        words.set(FINISHED, 0);
        words.getAndIncrement(JOB);
        wakeAll();
        execute(work, 0);
        for (long finished; (finished = words.get(FINISHED)) != size - 1; ) {
            await(0, FINISHED, finished, false);
        }
        program = null;
        words.set(FAILED, 0);
        Throwable thrown = failure.getAndSet(null);
        if (thrown != null) {
            throw rethrown(thrown);
        }
    }

    /**
     * Claims a share of the member's stage. A stage is {@code n} shares, each claimed by whoever is free; a thread that
     * the operating system holds up leaves them to the others instead of keeping all waiting.
     *
     * <pre>{@code
     * for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
     *     ... compute share i ...
     * }
     * team.endStage(member);
     * }</pre>
     *
     * @param n shares of the stage, 1 to 524,288, the same in all members
     * @return a share from 0 to {@code n - 1}, or -1 when all are claimed
     */
    public int claim(int member, int n) {
        requireShares(n);
        long stage = cursors[member * CURSOR];
        while (true) {
            long state = words.get(SHARES);
            int claimed = (int) state & COUNT;
            if (state >>> 40 != stage || claimed >= n) {
                return -1;
            }
            if (words.compareAndSet(SHARES, state, state + CLAIMED)) {
                return claimed;
            }
        }
    }

    /** Says that a claimed share of a stage of {@code n} is computed; the last one opens the next stage. */
    public void complete(int n) {
        if (finish(n)) {
            open();
        }
    }

    /**
     * Says that a claimed share of a stage of {@code n} is computed, and whether it was the stage's last. Then all
     * other members wait, and everything written in the stage is visible: the caller does what is to be done once
     * between two stages, and calls {@link #open}.
     *
     * <pre>{@code
     * for (int i; (i = team.claim(member, n)) >= 0; ) {
     *     ... compute share i ...
     *     if (team.finish(n)) {
     *         ... what follows ...
     *         team.open();
     *     }
     * }
     * team.endStage(member);
     * }</pre>
     */
    public boolean finish(int n) {
        return ((int) (words.addAndGet(SHARES, COMPLETED) >>> 20) & COUNT) == n;
    }

    /** Opens the next stage; called by the member that {@link #finish} told to, and nobody can be in that stage yet. */
    public void open() {
        long next = words.get(STAGE) + 1;
        words.set(SHARES, next << 40);
        words.set(STAGE, next);
        wakeAll();
    }

    /** Waits until all shares of the member's stage are computed. What was written in them is visible then. */
    public void endStage(int member) {
        int stage = cursors[member * CURSOR]++;
        if (words.get(STAGE) == stage) { // else it is over, and others may be stages ahead
            await(member, STAGE, stage, true);
        }
        if (words.get(FAILED) != 0) {
            throw StageBroken.INSTANCE;
        }
    }

    /** Waits for a running program, then ends the team's threads. Idempotent. */
    @Override
    public void close() {
        requireOutside("a program of this team cannot close it");
        turns.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            words.getAndIncrement(JOB);
            wakeAll();
        } finally {
            turns.unlock();
        }
        boolean interrupted = false;
        for (Thread thread : threads) {
            for (boolean joined = false; !joined; ) {
                try {
                    thread.join();
                    joined = true;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void requireShares(int n) {
        if (n < 1 || n > MOST_SHARES) {
            throw new IllegalArgumentException(n + " shares; between 1 and " + MOST_SHARES + " are possible");
        }
    }

    private void requireOutside(String otherwise) {
        boolean inside = turns.isHeldByCurrentThread();
        for (Thread thread : threads) {
            inside |= thread == Thread.currentThread();
        }
        if (inside) {
            throw new IllegalStateException(otherwise);
        }
    }

    /**
     * Needs that many frames of stack: where there is not so much left, the StackOverflowError comes here, before the
     * members start, and not later in the caller alone, who would leave while they compute.
     */
    private static int requireStack(int frames) {
        return frames == 0 ? 0 : 1 + requireStack(frames - 1);
    }

    private void serve(int member) {
        places.bind(member);
        for (int job = 0; ; job++) {
            await(member, JOB, job, false);
            Program work = program;
            if (closed || work == null) {
                return;
            }
            execute(work, member);
            words.getAndIncrement(FINISHED);
            wake(0);
        }
    }

    private void execute(Program work, int member) {
        try {
            work.run(member);
        } catch (Throwable thrown) {
            if (failure.compareAndSet(null, thrown)) {
                words.set(FAILED, 1);
                wakeAll();
            }
        }
    }

    /** Returns when the counter no longer has the value, or, if asked to, when a member has failed. */
    private void await(int member, int word, long value, boolean orFailure) {
        if (spins) {
            long start = System.nanoTime();
            do {
                for (int i = 0; i < 32; i++) {
                    if (words.get(word) != value || (orFailure && words.get(FAILED) != 0)) {
                        return;
                    }
                    Thread.onSpinWait();
                }
            } while (System.nanoTime() - start < SPIN_NANOS);
        }
        // Announce, look again, park: whoever changes the counter looks at the announcements afterwards, so one of the
        // two sees the other.
        boolean interrupted = false;
        parked.set(member, Thread.currentThread());
        words.getAndIncrement(SLEEPERS);
        while (words.get(word) == value && !(orFailure && words.get(FAILED) != 0)) {
            LockSupport.park(this);
            interrupted |= Thread.interrupted(); // an interrupted thread would not park again, but spin on
        }
        words.getAndDecrement(SLEEPERS);
        parked.set(member, null);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void wakeAll() {
        if (words.get(SLEEPERS) == 0) {
            return;
        }
        for (int member = 0; member < size; member++) {
            wake(member);
        }
    }

    private void wake(int member) {
        Thread thread = parked.get(member);
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }

    /** The same throwable, so that an error of the input stays one; unchecked, since programs throw nothing else. */
    private static RuntimeException rethrown(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        return (RuntimeException) thrown;
    }
}
