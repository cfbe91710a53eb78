package dev.tern.sampling;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Tokens still in the running, with their logits. A temperature is kept beside the logits, so that dividing by it
 * neither rounds them nor makes equals of any. Selection is by binary heaps, without sorting the vocabulary. Arrays are
 * kept from token to token. Ties go to the lower id, so the order is total and results do not depend on the way there.
 */
final class Candidates {
    private final int[] ids;
    private final float[] logits;
    private int size;
    private boolean ascending; // by id
    private boolean sorted; // best first
    private double temperature = 1;

    Candidates(int vocabSize) {
        ids = new int[vocabSize];
        logits = new float[vocabSize];
    }

    /** These logits, float32 {@code [vocab]}; {@link #start} is next. */
    float[] load(MemorySegment row) {
        MemorySegment.copy(row, ValueLayout.JAVA_FLOAT, 0, logits, 0, logits.length);
        return logits;
    }

    /** All tokens, by ascending id, with the logits that were loaded. */
    void start() {
        size = ids.length;
        for (int id = 0; id < size; id++) {
            ids[id] = id;
        }
        ascending = true;
        sorted = false;
        temperature = 1;
    }

    /** Whether all tokens are there, each at the index that is its id. */
    boolean whole() {
        return ascending && size == ids.length;
    }

    int size() {
        return size;
    }

    int id(int index) {
        return ids[index];
    }

    float logit(int index) {
        return logits[index];
    }

    /** By what the differences of logits are to be divided. */
    double temperature() {
        return temperature;
    }

    void heat(double factor) {
        temperature *= factor;
    }

    /** Divides the logits by the temperature, for what depends on their own size; they may then be changed. */
    void applyTemperature() {
        if (temperature != 1) {
            for (int i = 0; i < size; i++) {
                if (logits[i] != Float.NEGATIVE_INFINITY) {
                    logits[i] = (float) Math.clamp(logits[i] / temperature, -Float.MAX_VALUE, Float.MAX_VALUE);
                }
            }
            temperature = 1;
        }
        sorted = false;
    }

    void setLogit(int index, float logit) {
        logits[index] = logit;
    }

    float max() {
        if (sorted) {
            return logits[0];
        }
        float max = logits[0];
        for (int i = 1; i < size; i++) {
            max = Math.max(max, logits[i]);
        }
        return max;
    }

    /** The logit's distance from the largest in the softmax's exponent: 0 or less. */
    double exponent(int index, float max) {
        float distance = logits[index] - max;
        return temperature == 1 ? distance : distance / temperature;
    }

    /** A token's share of {@link #sum}. */
    double weight(int index, float max) {
        return StrictMath.exp(exponent(index, max));
    }

    /** Of all weights. */
    double sum(float max) {
        double sum = 0;
        for (int i = 0; i < size; i++) {
            sum += weight(i, max);
        }
        return sum;
    }

    /** Keeps the {@code k} best, best first: a heap of k with the worst on top, O(n + m log k) for m entries. */
    void keepBest(int k) {
        int kept = Math.min(k, size);
        if (!sorted) {
            ascending = false;
            for (int i = kept / 2 - 1; i >= 0; i--) {
                sink(i, kept, true);
            }
            for (int i = kept; i < size; i++) {
                if (better(i, 0)) {
                    move(i, 0);
                    sink(0, kept, true);
                }
            }
            for (int end = kept - 1; end > 0; end--) { // heap sort, worst last
                swap(0, end);
                sink(0, end, true);
            }
            sorted = true;
        }
        size = kept;
    }

    /** Keeps the most likely one, the first of equals. */
    void keepLikeliest() {
        int best = 0;
        if (!sorted) {
            for (int i = 1; i < size; i++) {
                if (better(i, best)) {
                    best = i;
                }
            }
        }
        move(best, 0);
        ascending = false;
        size = 1;
        sorted = true;
    }

    /** Makes a heap of all, from which {@link #pull} takes the best one by one: O(n + m log n) for m taken. */
    void startPulling() {
        ascending = false;
        for (int i = size / 2 - 1; i >= 0; i--) {
            sink(i, size, false);
        }
    }

    /**
     * Moves the next best behind the heap.
     *
     * @param pulled how many have been before
     * @return its index, until the next call of {@link #keepPulled}
     */
    int pull(int pulled) {
        int last = size - pulled - 1;
        swap(0, last);
        sink(0, last, false);
        return last;
    }

    /** Keeps the first {@code kept} that were pulled, best first. */
    void keepPulled(int kept) {
        for (int i = 0, j = size - 1; i < j; i++, j--) { // they lie in the array's end, best last
            swap(i, j);
        }
        size = kept;
        sorted = true;
    }

    /** Keeps the first {@code kept}, in the order they have. */
    void truncate(int kept) {
        size = kept;
    }

    /** Moves a candidate to an earlier place, over the one there; for filters that keep the order. */
    void move(int from, int to) {
        ids[to] = ids[from];
        logits[to] = logits[from];
    }

    boolean sorted() {
        return sorted;
    }

    /** The candidate, by index, at which the cumulative probability passes {@code uniform}. */
    int draw(double uniform) {
        float max = max();
        double left = uniform * sum(max);
        int last = 0;
        for (int i = 0; i < size; i++) {
            double weight = weight(i, max);
            if (weight > 0) {
                last = i;
                left -= weight;
                if (left < 0) {
                    break;
                }
            }
        }
        return last;
    }

    private void swap(int i, int j) {
        int id = ids[i];
        float logit = logits[i];
        move(j, i);
        ids[j] = id;
        logits[j] = logit;
    }

    /** Restores the heap below {@code root}; the worst rises when {@code worstOnTop}, else the best. */
    private void sink(int root, int n, boolean worstOnTop) {
        for (int parent = root, child; (child = 2 * parent + 1) < n; parent = child) {
            if (child + 1 < n && better(child, child + 1) == worstOnTop) {
                child++;
            }
            if (better(parent, child) != worstOnTop) {
                return;
            }
            swap(parent, child);
        }
    }

    private boolean better(int i, int j) {
        return logits[i] > logits[j] || (logits[i] == logits[j] && ids[i] < ids[j]);
    }
}
