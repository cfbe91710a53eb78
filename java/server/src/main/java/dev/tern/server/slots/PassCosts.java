package dev.tern.server.slots;

import java.util.stream.IntStream;

/**
 * What passes take, as measured while they run, and how many tokens of prompts they may take for that. A pass has rows,
 * each the next token of a text or one that is guessed to follow, and besides tokens of prompts. Few rows take little
 * longer than one, as the weights are read once; each token of a prompt takes its share of computing. Not thread-safe.
 */
final class PassCosts {
    static final int FIRST_ALONE = 64; // prompt tokens of a pass at first; nearly as quick a token as 512 are
    static final int LEAST_BESIDE = 4; // prompt tokens that a pass always takes: fewer cost little less
    private static final int FIRST_BESIDE = 8; // as long as nothing is known

    private static final double STRETCH = 2; // a pass with prompts takes so much longer than the rows alone, at most
    private static final double WORTHWHILE = 1.1; // so much quicker are a longer pass's tokens; less may be chance
    private static final int MOST_ROWS = 256;
    private static final double SLOPE = 0.1; // of the time of one row: what a row more is taken to cost untried
    private static final long VALID = 1024; // passes after which what was not measured again is forgotten

    private final int batchSize;
    private final Measured rows = new Measured(MOST_ROWS); // nanoseconds by number of rows, without prompts
    private final Measured alone = new Measured(31); // nanoseconds a prompt token by log2 of their number, without rows
    private double beside; // nanoseconds of a prompt token beside rows; 0 is unknown
    private int tried; // prompt tokens beside rows lately: what they cost is known for no more than about so many
    private long passes;

    /** @param batchSize most tokens of a pass */
    PassCosts(int batchSize) {
        this.batchSize = batchSize;
    }

    /** A pass has been made. */
    void record(int rowCount, int promptTokens, long nanos) {
        passes++;
        if (promptTokens == 0) {
            if (rowCount <= MOST_ROWS) {
                rows.record(rowCount, nanos);
            }
        } else if (rowCount > 0) {
            if (rows.any()) {
                recordBeside(promptTokens, (nanos - rows(rowCount)) / promptTokens);
            }
        } else if (Integer.bitCount(promptTokens) == 1 || promptTokens == batchSize) {
            alone.record(level(promptTokens), (double) nanos / promptTokens);
        }
    }

    /**
     * The difference of two times, each of which varies, may be nothing by chance: it counts as no less than a token
     * takes alone at best, and a longer one counts in full, so that a pass that was too long is not repeated.
     */
    private void recordBeside(int promptTokens, double difference) {
        double time = Math.max(difference, alone.least());
        beside = beside > 0 && time < beside ? (beside + time) / 2 : time;
        tried = Math.max(promptTokens, tried / 2);
    }

    /** Time of a pass with {@code more} rows more, in units of that of {@code count} rows. */
    double relative(int count, int more) {
        if (!rows.any() || more == 0) {
            return more == 0 ? 1 : Double.POSITIVE_INFINITY;
        }
        return rows(count + more) / rows(count);
    }

    /**
     * Tokens of prompts that a pass over {@code count} rows, 1 or more, takes with it so that no row waits long; at
     * most twice as many as lately.
     */
    int chunkBeside(int count) {
        int most = Math.max(0, batchSize - count);
        if (!rows.any() || beside == 0) {
            return Math.min(FIRST_BESIDE, most);
        }
        double chunk = Math.min((STRETCH - 1) * rows(count) / beside, Math.max(FIRST_BESIDE, 2 * tried));
        return (int) Math.min(most, Math.max(LEAST_BESIDE, chunk));
    }

    /**
     * Tokens of prompts of a pass for nobody else: the fewest that are about as quick, a token, as more would be. For
     * what comes meanwhile the pass is paused between its stages, which are as much longer as it has more tokens.
     */
    int chunkAlone() {
        int chunk = leastAlone();
        while (chunk < batchSize && alone.known(level(chunk))) {
            int longer = Math.min(2 * chunk, batchSize);
            if (alone.known(level(longer)) && alone.get(level(chunk)) < WORTHWHILE * alone.get(level(longer))) {
                break;
            }
            chunk = longer; // quicker, or not tried yet
        }
        return chunk;
    }

    /** The fewest that {@link #chunkAlone} may be. */
    int leastAlone() {
        return Math.min(FIRST_ALONE, batchSize);
    }

    /** Nanoseconds of a pass over {@code count} rows, 1 or more; 0 as long as nothing is known. */
    long step(int count) {
        return rows.any() ? (long) rows(count) : 0;
    }

    private double rows(int count) {
        int below = Math.min(count, MOST_ROWS);
        while (below > 0 && !rows.known(below)) {
            below--;
        }
        int above = Math.min(count, MOST_ROWS);
        while (above <= MOST_ROWS && !rows.known(above)) {
            above++;
        }
        if (below == 0) { // back to one row, and from there on
            return rows.get(above) * (1 + SLOPE * (count - 1)) / (1 + SLOPE * (above - 1));
        }
        if (above > MOST_ROWS) {
            return rows.get(below) * (1 + SLOPE * (count - 1)) / (1 + SLOPE * (below - 1));
        }
        return above == below
                ? rows.get(below)
                : rows.get(below) + (rows.get(above) - rows.get(below)) * (count - below) / (above - below);
    }

    /** Sizes are powers of two, but for the largest. */
    private int level(int promptTokens) {
        return promptTokens == batchSize ? 30 : 31 - Integer.numberOfLeadingZeros(promptTokens);
    }

    /** A shorter time than before weighs more than a longer one, which is what the machine was busy with besides. */
    private static double blend(double known, double time) {
        return time < known ? (known + time) / 2 : known + (Math.min(time, 2 * known) - known) / 8;
    }

    /** Times by a small number. */
    private final class Measured {
        private final double[] times;
        private final long[] at; // the number of passes then
        private int last; // measured last: it is known

        Measured(int most) {
            times = new double[most + 1];
            at = new long[most + 1];
        }

        void record(int index, double time) {
            times[index] = known(index) ? blend(times[index], time) : Math.max(1, time);
            at[index] = passes;
            last = index;
        }

        boolean known(int index) {
            return times[index] > 0 && (index == last || passes - at[index] <= VALID);
        }

        boolean any() {
            return times[last] > 0;
        }

        double get(int index) {
            return times[index];
        }

        /** The shortest that is known; 1 when none is. */
        double least() {
            return IntStream.range(0, times.length).filter(this::known).mapToDouble(this::get).min().orElse(1);
        }
    }
}
