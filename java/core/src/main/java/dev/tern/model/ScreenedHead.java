package dev.tern.model;

import static dev.tern.model.RowShares.ROW_UNIT;
import static dev.tern.model.RowShares.share;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.ListedRows;
import dev.tern.kernels.Screen;
import dev.tern.kernels.ScreenInputs;
import dev.tern.kernels.ScreenScores;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The head where only the largest logits matter: all rows are screened in few bits, and only those that can still be
 * among the {@code top} largest are multiplied; the other logits are -infinity. Exact: a screen's upper bound is proven
 * not to be below the logit, the threshold is the least of {@code top} logits that were computed in full, and every row
 * whose bound reaches it is computed, so that the largest logits and all that equal the last of them have the bits they
 * have without a screen.
 *
 * <pre>
 * (pack the screen) | quantize x | scores and bounds | threshold | which rows reach it | their logits
 * </pre>
 *
 * <p>Several tokens are quantized to 7 bits, as the integer products of 12 take twice the time and one token waits for
 * the screen's bytes anyhow; but not where that widens the bounds by half, and not while too many rows would be left.
 *
 * <p>Of several tokens each has its own rows, which are multiplied by it alone, as the whole head of several costs far
 * more than that of one; a row that several have is read once.
 *
 * <p>Where more than a tenth of the rows is left (of several tokens, a fifth on the average), where an input has no bound
 * (infinities, NaNs), and while {@link ScreenPatience} says so, the pass computes the whole head instead.
 *
 * <p>{@link #prepare} and {@link #finish} are called by whoever runs the pass, before and after it; {@link #run} by all
 * members. Not thread-safe otherwise.
 */
final class ScreenedHead {
    private static final int MAX_TOP = 256;
    private static final int MAX_TOKENS = 16;
    private static final int NOTHING = 4096;
    private static final int TOKENS_OF_7_BITS = 3; // from here on integer products are the limit, not memory
    private static final double MOST_REMAINDER = 1.0 / 64; // half of what 6 bits of a weight leave out
    private static final int MOST_LEFT = 40; // one row of so many: more cost as much as 7 bits save
    private static final int PAUSE = 64; // passes of 12 bits after one of 7 that was not worth it

    private final FloatWeights head;
    private final Kernels kernels;
    private final ThreadTeam team;
    private final int rows;
    private final int panels;
    private final int shares;
    private final ScreenStore store;
    private final ScreenPatience patience = new ScreenPatience();
    private final Arena arena = Arena.ofAuto(); // which costs a native call nothing
    private final MemorySegment nothing = arena.allocate(4L * NOTHING, 64); // -infinities
    private @Nullable ScreenInputs inputs; // in 12 bits
    private @Nullable ScreenInputs coarse; // in 7
    private @Nullable ScreenScores scores;
    private ListedRows survivors; // of share s from its first row on
    private final int[] counts; // of each share: its survivors
    private final long[] products; // of each share: logits that they make
    private final MemorySegment[] tokenInputs = new MemorySegment[MAX_TOKENS];
    private final MemorySegment[] tokenScores = new MemorySegment[MAX_TOKENS];
    private boolean[] bounded = {}; // of each token
    private MemorySegment thresholds = MemorySegment.NULL; // of each token
    private int[][] best = {}; // of each token: panels, the one with the highest peak first
    private ListedRows[] ofPeaks = {}; // of each token: the rows of these peaks

    // The pass at hand; published to the members by the team.
    private int top;
    private boolean screening;
    private boolean ofSevenBits;
    private int tokens;
    private int pause;
    private long tries;
    private long spared;
    private long survived;

    ScreenedHead(HeadScreen setting, FloatWeights head, Kernels kernels, ThreadTeam team) {
        this.head = head;
        this.kernels = kernels;
        this.team = team;
        this.rows = head.rows();
        this.panels = (rows + Screen.PANEL_ROWS - 1) / Screen.PANEL_ROWS;
        this.shares = RowShares.rowShares(rows, ROW_UNIT, team.size());
        this.counts = new int[shares];
        this.products = new long[shares];
        this.store = new ScreenStore(setting, head, kernels.tier());
        this.survivors = ListedRows.allocate(arena, 0);
        for (int i = 0; i < NOTHING; i++) {
            nothing.setAtIndex(JAVA_FLOAT, i, Float.NEGATIVE_INFINITY);
        }
    }

    /** What it has done so far. */
    ScreenUse use() {
        return new ScreenUse(tries, spared, survived, store.bytes());
    }

    /**
     * Decides what it does in a pass.
     *
     * @param wanted how many of the largest logits are wanted; 0 for all
     * @param count of tokens whose logits are computed
     * @return whether the pass is to {@link #run} it
     */
    boolean prepare(int wanted, int count) {
        if (wanted < 1 || wanted > Math.min(MAX_TOP, panels) || count > MAX_TOKENS || !store.plan(wanted, count)) {
            return false;
        }
        top = wanted;
        tokens = count;
        screening = store.isWhole() && patience.tries(wanted);
        ofSevenBits = count >= TOKENS_OF_7_BITS && pause == 0;
        if (screening) {
            reserve(count);
        }
        return screening || store.packs();
    }

    private void reserve(int count) {
        if (bounded.length < count) {
            int room = count == 1 ? 1 : MAX_TOKENS;
            inputs = ScreenInputs.allocate(arena, room, head.cols(), 12);
            coarse = room < TOKENS_OF_7_BITS ? null : ScreenInputs.allocate(arena, room, head.cols(), 7);
            scores = ScreenScores.allocate(arena, room, rows);
            survivors = ListedRows.allocate(arena, rows);
            bounded = new boolean[room];
            thresholds = arena.allocate(4L * room, 64);
            best = new int[room][MAX_TOP];
            ofPeaks = new ListedRows[room];
            for (int t = 0; t < room; t++) {
                tokenScores[t] = scores.scores().asSlice(4L * t * scores.stride());
                ofPeaks[t] = ListedRows.allocate(arena, MAX_TOP);
            }
        }
    }

    /** Whether the pass that has been prepared packs a part of the screen. */
    boolean packs() {
        return store.packs();
    }

    /**
     * One member's part.
     *
     * @param x float32 {@code [tokens][cols]}: the final norm's output
     * @param logits where they belong
     * @return whether the logits are there; the same for all members
     */
    boolean run(int member, MemorySegment x, OutputRows logits) {
        Screen s = store.screen();
        if (store.packs()) {
            int packed = store.packed();
            for (int i; (i = team.claim(member, shares)) >= 0; team.complete(shares)) {
                int count = store.packEnd() - packed;
                int begin = packed + share(count, ROW_UNIT, i, shares);
                int end = packed + share(count, ROW_UNIT, i + 1, shares);
                kernels.screenPack(head, begin, end, s);
            }
            team.endStage(member);
        }
        if (!screening) {
            return false;
        }
        ScreenInputs in = Objects.requireNonNull(ofSevenBits ? coarse : inputs);
        quantize(member, x, in);
        if (ofSevenBits && allBounded() && !isFine(in)) {
            in = Objects.requireNonNull(inputs);
            quantize(member, x, in);
        }
        if (!allBounded()) {
            return false;
        }
        ScreenScores all = Objects.requireNonNull(scores);
        for (int i; (i = team.claim(member, shares)) >= 0; team.complete(shares)) {
            kernels.screenScores(s, in, tokens, begin(i), begin(i + 1), all);
        }
        team.endStage(member);
        for (int t; (t = team.claim(member, tokens)) >= 0; team.complete(tokens)) {
            thresholds.setAtIndex(JAVA_FLOAT, t, threshold(all, t));
        }
        team.endStage(member);
        for (int i; (i = team.claim(member, shares)) >= 0; team.complete(shares)) {
            select(all, i, logits);
        }
        team.endStage(member);
        if (!few()) {
            return false;
        }
        int total = total();
        int n = Math.max(1, Math.min(shares, total));
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            multiply(share(total, 1, i, n), share(total, 1, i + 1, n), x, logits);
        }
        team.endStage(member);
        return true;
    }

    /** One member's part of a stage. */
    private void quantize(int member, MemorySegment x, ScreenInputs in) {
        for (int t; (t = team.claim(member, tokens)) >= 0; team.complete(tokens)) {
            bounded[t] = in.set(t, x, (long) t * head.cols());
            tokenInputs[t] = t == 0 ? x : x.asSlice(4L * t * head.cols());
        }
        team.endStage(member);
    }

    /** Whether the bounds of all tokens are about as narrow as the screen's own bits allow. */
    private boolean isFine(ScreenInputs in) {
        boolean fine = true;
        for (int t = 0; t < tokens; t++) {
            fine &= in.remainder(t) <= MOST_REMAINDER;
        }
        return fine;
    }

    /** After a pass that ran it. */
    void finish() {
        store.packedAsPlanned();
        if (screening && allBounded()) {
            boolean few = few();
            patience.tried(top, few);
            if (ofSevenBits && (left() > (long) tokens * rows / MOST_LEFT || !isFine(Objects.requireNonNull(coarse)))) {
                pause = PAUSE;
            } else if (tokens >= TOKENS_OF_7_BITS && !ofSevenBits) {
                pause--;
            }
            tries++;
            spared += few ? 1 : 0;
            survived += few ? total() : 0;
            if (store.judge(few)) {
                patience.forget();
            }
        }
    }

    private boolean allBounded() {
        boolean all = true;
        for (int t = 0; t < tokens; t++) {
            all &= bounded[t];
        }
        return all;
    }

    /** Frees the screen; no pass may follow that uses it. */
    void close() {
        store.close();
    }

    private int begin(int share) {
        return share(rows, ROW_UNIT, share, shares);
    }

    private int total() {
        int total = 0;
        for (int count : counts) {
            total += count;
        }
        return total;
    }

    /** Whether so few logits are left that the whole head would take longer. */
    private boolean few() {
        return left() <= limit();
    }

    /** Logits that are left. */
    private long left() {
        long sum = 0;
        for (long some : products) {
            sum += some;
        }
        return sum;
    }

    private long limit() {
        return tokens == 1 ? rows / 10 : (long) tokens * rows / 5;
    }

    /**
     * The least of {@code top} logits, each of another panel: those of the rows with the highest scores. As many rows
     * at least are as large, so no smaller logit is among the largest. -infinity where one of them is no finite number.
     */
    private float threshold(ScreenScores all, int t) {
        int[] highest = best[t];
        MemorySegment peaks = all.peaks();
        long peak = t * all.panelStride();
        int found = 0;
        for (int p = 0; p < panels; p++) { // insertion: after the first few panels there is seldom one to insert
            float value = peaks.getAtIndex(JAVA_FLOAT, peak + p);
            if (found == top && !(value > peaks.getAtIndex(JAVA_FLOAT, peak + highest[found - 1]))) {
                continue;
            }
            int at = found < top ? found++ : found - 1;
            while (at > 0 && value > peaks.getAtIndex(JAVA_FLOAT, peak + highest[at - 1])) {
                highest[at] = highest[--at];
            }
            highest[at] = p;
        }
        ListedRows candidates = ofPeaks[t];
        for (int i = 0; i < found; i++) {
            candidates.set(i, peakRow(all, t, highest[i]), 1);
        }
        kernels.floatMatmulRows(head, tokenInputs[t], head.cols(), 1, candidates, found, tokenScores[t], rows);
        float least = Float.POSITIVE_INFINITY;
        for (int i = 0; i < found; i++) {
            float logit = tokenScores[t].getAtIndex(JAVA_FLOAT, candidates.row(i));
            if (!Float.isFinite(logit)) {
                return Float.NEGATIVE_INFINITY;
            }
            least = Math.min(least, logit);
        }
        return least;
    }

    /** The row with the highest score of a panel, the first of equals. */
    private int peakRow(ScreenScores all, int t, int panel) {
        float peak = all.peaks().getAtIndex(JAVA_FLOAT, t * all.panelStride() + panel);
        int row = panel * Screen.PANEL_ROWS;
        while (row < Math.min(rows, (panel + 1) * Screen.PANEL_ROWS) - 1
                && all.scores().getAtIndex(JAVA_FLOAT, t * all.stride() + row) != peak) {
            row++;
        }
        return row;
    }

    /** Lists the rows of a share that reach the threshold of some token, and makes all logits there -infinity. */
    private void select(ScreenScores all, int share, OutputRows logits) {
        int begin = begin(share);
        int end = begin(share + 1);
        for (int t = 0; t < tokens; t++) {
            for (int row = begin; row < end; row += NOTHING) {
                logits.set(t, row, nothing, 0, Math.min(NOTHING, end - row));
            }
        }
        ListedRows listed = survivors.part(begin, end - begin);
        int count = kernels.screenSelect(all, thresholds, tokens, begin, end, listed);
        long sum = 0;
        for (int i = 0; i < count; i++) {
            sum += Integer.bitCount(listed.mask(i));
        }
        counts[share] = count;
        products[share] = sum;
    }

    /** Logits of the survivors from number {@code from} to {@code to} of all. */
    private void multiply(int from, int to, MemorySegment x, OutputRows logits) {
        int base = 0; // number of the share's first survivor
        for (int i = 0; i < shares && base < to; base += counts[i++]) {
            int at = Math.max(0, from - base);
            int end = Math.min(counts[i], to - base);
            if (at < end) {
                multiply(survivors.part(begin(i) + at, end - at), x, logits);
            }
        }
    }

    /** In the place of the scores first: each token's logits lie in memory of their own. */
    private void multiply(ListedRows listed, MemorySegment x, OutputRows logits) {
        ScreenScores all = Objects.requireNonNull(scores);
        MemorySegment computed = all.scores();
        long stride = all.stride();
        kernels.floatMatmulRows(head, x, head.cols(), tokens, listed, listed.room(), computed, stride);
        for (int i = 0; i < listed.room(); i++) {
            int row = listed.row(i);
            for (int left = listed.mask(i); left != 0; left &= left - 1) {
                int t = Integer.numberOfTrailingZeros(left);
                logits.set(t, row, computed.getAtIndex(JAVA_FLOAT, t * stride + row));
            }
        }
    }
}
