package dev.tern.sampling;

import java.util.Arrays;

/**
 * {@link Truncation#typicalP}: candidates by the distance of their surprise {@code -log p} from the entropy
 * {@code -sum p log p}, nearest first, until their probabilities exceed the sum. Of equals the lower id is nearer. What
 * is left keeps its order.
 */
final class TypicalPStage implements Stage {
    private final float p;
    private final int minKeep;
    private double[] distances = {}; // by index
    private int[] heap = {}; // of indices, the nearest on top
    private boolean[] kept = {}; // by index

    TypicalPStage(float p, int minKeep) {
        this.p = p;
        this.minKeep = minKeep;
    }

    @Override
    public void apply(Candidates candidates) {
        int n = candidates.size();
        if (heap.length < n) {
            distances = new double[n];
            heap = new int[n];
            kept = new boolean[n];
        }
        float max = candidates.max();
        double sum = candidates.sum(max);
        double logSum = StrictMath.log(sum);
        double entropy = 0;
        for (int i = 0; i < n; i++) {
            double weight = candidates.weight(i, max);
            entropy += weight > 0 ? weight / sum * (logSum - candidates.exponent(i, max)) : 0;
        }
        for (int i = 0; i < n; i++) {
            distances[i] = Math.abs(logSum - candidates.exponent(i, max) - entropy);
            heap[i] = i;
        }
        for (int i = n / 2 - 1; i >= 0; i--) {
            sink(candidates, i, n);
        }
        Arrays.fill(kept, 0, n, false);
        double reached = 0;
        int count = 0;
        do {
            int nearest = heap[0];
            reached += candidates.weight(nearest, max);
            kept[nearest] = true;
            heap[0] = heap[n - ++count];
            sink(candidates, 0, n - count);
        } while ((reached <= p * sum || count < minKeep) && count < n);
        int to = 0;
        for (int i = 0; i < n; i++) {
            if (kept[i]) {
                candidates.move(i, to++);
            }
        }
        candidates.truncate(to);
    }

    private void sink(Candidates candidates, int root, int n) {
        for (int parent = root, child; (child = 2 * parent + 1) < n; parent = child) {
            if (child + 1 < n && nearer(candidates, heap[child + 1], heap[child])) {
                child++;
            }
            if (!nearer(candidates, heap[child], heap[parent])) {
                return;
            }
            int index = heap[parent];
            heap[parent] = heap[child];
            heap[child] = index;
        }
    }

    private boolean nearer(Candidates candidates, int i, int j) {
        return distances[i] < distances[j] || (distances[i] == distances[j] && candidates.id(i) < candidates.id(j));
    }
}
