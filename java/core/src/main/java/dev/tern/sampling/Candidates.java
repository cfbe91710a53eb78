package dev.tern.sampling;

/**
 * Tokens still in the running, with their logits, as a binary heap: selection without sorting the vocabulary. Arrays are
 * kept from token to token. Ties go to the lower id, so the order is total and results do not depend on the way there.
 */
final class Candidates {
    private int[] ids = new int[64];
    private float[] logits = new float[64];
    private int size;

    int size() {
        return size;
    }

    int id(int index) {
        return ids[index];
    }

    float logit(int index) {
        return logits[index];
    }

    /** Keeps the {@code k} best of all, best first: a heap of k with the worst on top, O(n + m log k) for m entries. */
    void best(float[] all, int k) {
        size = Math.min(k, all.length);
        reserve(size);
        for (int i = 0; i < size; i++) {
            set(i, i, all[i]);
        }
        for (int i = size / 2 - 1; i >= 0; i--) {
            sink(i, size, true);
        }
        for (int id = size; id < all.length; id++) {
            if (all[id] > logits[0]) { // an equal one has the higher id and loses
                set(0, id, all[id]);
                sink(0, size, true);
            }
        }
        for (int end = size - 1; end > 0; end--) { // heap sort, worst last
            swap(0, end);
            sink(0, end, true);
        }
    }

    /**
     * Keeps the best whose probabilities (of the softmax over all) reach {@code p}, best first: a heap with the best on
     * top gives them up one by one, O(n + m log n) for m kept.
     */
    void nucleus(float[] all, float p) {
        int n = all.length;
        reserve(n);
        double sum = 0;
        float max = max(all);
        for (int i = 0; i < n; i++) {
            set(i, i, all[i]);
            sum += StrictMath.exp(all[i] - max);
        }
        for (int i = n / 2 - 1; i >= 0; i--) {
            sink(i, n, false);
        }
        double reached = 0;
        int left = n;
        do { // the best moves behind the heap, so what is kept lies in the array's end, best last
            reached += StrictMath.exp(logits[0] - max);
            swap(0, --left);
            sink(0, left, false);
        } while (reached < p * sum && left > 0);
        size = n - left;
        for (int i = 0, j = n - 1; i < j; i++, j--) {
            swap(i, j);
        }
    }

    /** Keeps all, by ascending id. */
    void all(float[] all) {
        size = all.length;
        reserve(size);
        for (int i = 0; i < size; i++) {
            set(i, i, all[i]);
        }
    }

    /** Of candidates in order, keeps the first whose probabilities among them reach {@code p}. */
    void cutNucleus(float p) {
        double sum = 0;
        for (int i = 0; i < size; i++) {
            sum += StrictMath.exp(logits[i] - logits[0]);
        }
        double reached = 0;
        for (int i = 0; i < size; i++) {
            reached += StrictMath.exp(logits[i] - logits[0]);
            if (reached >= p * sum) {
                size = i + 1;
            }
        }
    }

    /** Keeps those at least {@code p} times as likely as the best, in the order they have. */
    void cutBelow(float p) {
        float max = max();
        double least = max + StrictMath.log(p);
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (logits[i] >= least || logits[i] == max) {
                set(kept++, ids[i], logits[i]);
            }
        }
        size = kept;
    }

    /** The candidate at which the cumulative probability at this temperature passes {@code uniform}. */
    int draw(float temperature, double uniform) {
        float max = max();
        double sum = 0;
        for (int i = 0; i < size; i++) {
            sum += StrictMath.exp((logits[i] - max) / (double) temperature);
        }
        double left = uniform * sum;
        int last = 0;
        for (int i = 0; i < size; i++) {
            double weight = StrictMath.exp((logits[i] - max) / (double) temperature);
            if (weight > 0) {
                last = i;
                left -= weight;
                if (left < 0) {
                    break;
                }
            }
        }
        return ids[last];
    }

    private float max() {
        float max = logits[0];
        for (int i = 1; i < size; i++) {
            max = Math.max(max, logits[i]);
        }
        return max;
    }

    private static float max(float[] all) {
        float max = all[0];
        for (float logit : all) {
            max = Math.max(max, logit);
        }
        return max;
    }

    private void reserve(int n) {
        if (ids.length < n) {
            ids = new int[n];
            logits = new float[n];
        }
    }

    private void set(int index, int id, float logit) {
        ids[index] = id;
        logits[index] = logit;
    }

    private void swap(int i, int j) {
        int id = ids[i];
        float logit = logits[i];
        set(i, ids[j], logits[j]);
        set(j, id, logit);
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
