package dev.tern.server.slots;

import dev.tern.Session;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Sessions of slots that others use for a while, as to save one to a file, when the slot works on no request. Any
 * thread borrows; the scheduler's hands out and takes back, between two passes.
 */
final class SessionLoans {
    private final ReentrantLock lock;
    private final Condition change;
    private final Runnable wake;
    private final ArrayDeque<Loan> wanted = new ArrayDeque<>(); // not granted yet
    private final Map<Integer, @Nullable Session> returned = new HashMap<>(); // by slot, on their way back
    private boolean closed;

    /** Guarded by the lock, as all that stands here. */
    private static final class Loan {
        private final int slot;
        private boolean granted;
        private @Nullable Session session;

        Loan(int slot) {
            this.slot = slot;
        }
    }

    /**
     * @param change of the lock; tells of grants and returns
     * @param wake called with the lock, when the scheduler's thread has something to see
     */
    SessionLoans(ReentrantLock lock, Condition change, Runnable wake) {
        this.lock = lock;
        this.change = change;
        this.wake = wake;
    }

    /**
     * Waits until the slot is idle and takes its session, null where it has none; it goes back by {@link #giveBack}.
     *
     * @throws IllegalStateException when the slots are closed
     */
    @Nullable Session take(int slot) throws InterruptedException {
        Loan mine = new Loan(slot);
        lock.lock();
        try {
            if (!closed) {
                wanted.add(mine);
                wake.run();
            }
            while (!closed && !mine.granted) {
                change.await();
            }
            if (!mine.granted) {
                throw new IllegalStateException("the slots are closed");
            }
            return mine.session;
        } catch (InterruptedException e) {
            wanted.remove(mine);
            if (mine.granted) {
                giveBack(slot, mine.session);
            }
            throw e;
        } finally {
            lock.unlock();
        }
    }

    /** Returns when the slot has it, within a pass; where the slots are closed it is closed as well. */
    void giveBack(int slot, @Nullable Session session) {
        lock.lock();
        try {
            if (!closed) {
                returned.put(slot, session);
                wake.run();
            }
            while (!closed && returned.containsKey(slot)) {
                change.awaitUninterruptibly();
            }
            if (closed && session != null) {
                session.close();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Puts what has come back into its slots; with the lock. */
    void takeBack(List<Slot> slots) {
        returned.forEach((slot, session) -> slots.get(slot).giveBack(session));
        returned.clear();
        change.signalAll();
    }

    /** Hands out sessions of idle slots. Who wants one comes before the requests that wait for the slot. */
    void grant(List<Slot> slots) {
        lock.lock();
        try {
            for (Iterator<Loan> each = wanted.iterator(); each.hasNext(); ) {
                Loan loan = each.next();
                Slot slot = slots.get(loan.slot);
                if (slot.idle()) {
                    each.remove();
                    loan.session = slot.reserve();
                    loan.granted = true;
                    change.signalAll();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends it; with the lock. */
    void close() {
        closed = true;
        change.signalAll();
    }
}
