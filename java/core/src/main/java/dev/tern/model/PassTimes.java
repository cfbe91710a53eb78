package dev.tern.model;

/**
 * How long passes over few tokens take, with logits of all of them, as measured while they run: what drafts cost
 * beside a single token. Where nothing was measured it is estimated, between neighbours on a line and beyond them
 * favourably, so that it will be tried. Thread-safe.
 */
public final class PassTimes {
    /** Longer passes are not recorded, nor to be asked for. */
    public static final int MOST_TOKENS = 64;

    private static final double SLOPE = 0.1; // of a single token's time: what one token more is taken to cost untried
    private static final long VALID = 1024; // passes after which a time that was not measured again is forgotten

    private final double[] nanos = new double[MOST_TOKENS + 1]; // by number of tokens; 0 is unknown
    private final long[] measured = new long[MOST_TOKENS + 1]; // when: the number of passes then
    private long passes;

    PassTimes() {}

    /**
     * A pass of {@code count} tokens. A shorter time than before weighs more than a longer one, which is what the
     * machine was busy with besides.
     */
    synchronized void record(int count, long time) {
        if (count > MOST_TOKENS) {
            return;
        }
        passes++;
        double known = nanos[count];
        if (!known(count)) {
            nanos[count] = time;
        } else if (time < known) {
            nanos[count] = (known + time) / 2;
        } else {
            nanos[count] = known + (Math.min(time, 2 * known) - known) / 8;
        }
        measured[count] = passes;
    }

    /** Time of a pass of {@code count} tokens in units of that of one token; infinite as long as that is unknown. */
    public synchronized double relative(int count) {
        if (count == 1) {
            return 1;
        }
        if (!known(1)) {
            return Double.POSITIVE_INFINITY;
        }
        int below = count;
        while (!known(below)) {
            below--;
        }
        int above = count;
        while (above <= MOST_TOKENS && !known(above)) {
            above++;
        }
        double low = nanos[below] / nanos[1];
        if (above == below) {
            return low;
        }
        return above > MOST_TOKENS
                ? low + SLOPE * (count - below)
                : low + (nanos[above] / nanos[1] - low) * (count - below) / (above - below);
    }

    private boolean known(int count) {
        return nanos[count] > 0 && (count == 1 || passes - measured[count] <= VALID);
    }
}
