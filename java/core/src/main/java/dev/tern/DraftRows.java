package dev.tern;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Drafted tokens that a session has evaluated ahead, and the logits of each. They follow the session's last token as
 * long as the session takes them one by one. Not thread-safe.
 */
final class DraftRows {
    private final long rowBytes;
    private @Nullable Arena arena; // of the logits
    private MemorySegment logits = MemorySegment.NULL; // [batch.length][vocab]
    private int[] batch = new int[1]; // the pass's tokens: one that was certain, then the drafted
    private int next = 1; // the first of them that has not been taken
    private int end = 1;
    private boolean closed;
    private int top; // how many of the largest logits of each are there for sure; 0: all

    DraftRows(long rowBytes) {
        this.rowBytes = rowBytes;
    }

    /**
     * The tokens of a pass over {@code token} and the first {@code count} of {@code draft}, for which there is room;
     * forgets those of the last.
     */
    int[] batch(int token, int[] draft, int count) {
        clear();
        batch[0] = token;
        System.arraycopy(draft, 0, batch, 1, count);
        return batch;
    }

    /** Whether there is room for {@code count} drafted tokens. */
    boolean hasRoom(int count) {
        return count < batch.length;
    }

    /**
     * Makes room for {@code count} drafted tokens; where there was too little, those of the last pass are forgotten.
     *
     * @throws OutOfMemoryError when there is no memory for their logits; all is then as it was
     * @throws IllegalStateException when it is closed
     */
    void reserve(int count) {
        if (closed) {
            throw new IllegalStateException("the session is closed");
        }
        if (!hasRoom(count)) {
            int rows = Math.max(8, Integer.highestOneBit(count) * 2); // what is given up is less than what is gained
            Arena own = Arena.ofShared();
            MemorySegment grown;
            try {
                grown = own.allocate(Math.multiplyExact(rows, rowBytes), 64);
                batch = new int[rows];
            } catch (Throwable thrown) {
                own.close();
                throw thrown;
            }
            clear();
            free();
            arena = own;
            logits = grown;
        }
    }

    /** How many wait. */
    int waiting() {
        return end - next;
    }

    /** Where that pass's logits belong: float32 {@code [count + 1][vocab]}. */
    MemorySegment logits() {
        return logits;
    }

    /** The pass has been made: its first token is the session's, {@code count} drafted ones wait. */
    void evaluated(int count, int top, MemorySegment first) {
        this.top = top;
        MemorySegment.copy(logits, 0, first, 0, rowBytes);
        end = 1 + count;
    }

    /** Whether the largest {@code wanted} logits (0: all) of each are there. */
    boolean has(int wanted) {
        return top == 0 || wanted > 0 && wanted <= top;
    }

    /** How many leading ones of {@code tokens} are those that wait. */
    int matching(int[] tokens) {
        int mismatch = Arrays.mismatch(batch, next, end, tokens, 0, tokens.length);
        return mismatch < 0 ? tokens.length : mismatch;
    }

    /** Whether this is the first that waits. */
    boolean isNext(int token) {
        return next < end && batch[next] == token;
    }

    /** Takes {@code count} of them, 1 or more; the logits of the last are copied. */
    void take(int count, MemorySegment last) {
        next += count;
        MemorySegment.copy(logits, (next - 1) * rowBytes, last, 0, rowBytes);
    }

    /** Forgets them. */
    void clear() {
        next = 1;
        end = 1;
    }

    /** Frees the memory, when no pass uses it; there is none from then on. */
    void close() {
        closed = true;
        clear();
        free();
    }

    private void free() {
        Arena own = arena;
        arena = null;
        if (own != null) {
            own.close();
        }
    }
}
