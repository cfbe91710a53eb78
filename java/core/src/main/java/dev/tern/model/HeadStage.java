package dev.tern.model;

import static dev.tern.model.RowShares.ROW_UNIT;
import static dev.tern.model.RowShares.share;

import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The last stage of a pass: the logits of some tokens. */
final class HeadStage {
    /** Rows of logits that are computed in memory of the stage's own before they go where they belong. */
    private static final int SCATTERED = 32;

    private final FloatWeights head;
    private final Kernels kernels;
    private final ThreadTeam team;
    private final int hidden;
    private final MemorySegment[] inputs; // the normed states, from row r on
    private MemorySegment scattered = MemorySegment.NULL; // [up to SCATTERED][vocab]

    /** @param normed float32 {@code [batch][hidden]}: the states behind the last norm */
    HeadStage(ModelWeights weights, Kernels kernels, ThreadTeam team, MemorySegment normed, int hidden, int batch) {
        this.head = weights.head();
        this.kernels = kernels;
        this.team = team;
        this.hidden = hidden;
        this.inputs = new MemorySegment[batch];
        for (int token = 0; token < batch; token++) {
            inputs[token] = normed.asSlice(4L * token * hidden);
        }
    }

    /** Makes room for a pass's logits; not while one runs. */
    void reserve(OutputRows logits) {
        if (!logits.areTogether() && logits.count() > 0) {
            int rows = Math.min(SCATTERED, Math.max(8, 2 * Integer.highestOneBit(logits.count() - 1)));
            if (scattered.byteSize() < 4L * rows * head.rows()) {
                scattered = Arena.ofAuto().allocate(4L * rows * head.rows(), 64);
            }
        }
    }

    /**
     * One member's part of the stage.
     *
     * @param moved whether the states of the tokens with logits have been moved to the front
     * @param screened what has been prepared to compute the largest alone, of tokens whose states lie one behind the
     *     other; null for all
     * @return whether it has ended the stage, as a screened head does
     */
    boolean run(int member, PassTokens pass, boolean moved, @Nullable ScreenedHead screened) {
        SpanView view = pass.wanted();
        OutputRows logits = pass.output();
        int count = logits.count();
        if (screened != null) {
            int first = moved ? 0 : view.row(view.spanOf(0));
            if (screened.run(member, inputs[first], logits)) {
                return true;
            }
        }
        boolean together = logits.areTogether();
        int most = together ? count : SCATTERED;
        for (int from = 0; ; ) {
            int s = view.spanOf(from);
            int input = moved ? from : view.row(s) + from - view.index(s);
            int to = Math.min(moved ? count : view.index(s + 1), from + most);
            multiply(member, inputs[input], to - from, together ? logits.together() : scattered, logits, from);
            if (to == count) {
                return false;
            }
            team.endStage(member);
            from = to;
        }
    }

    /** Logits of some tokens, as a stage that is not ended. */
    private void multiply(int member, MemorySegment x, int tokens, MemorySegment y, OutputRows logits, int firstRow) {
        int rows = head.rows();
        int n = RowShares.rowShares(rows, ROW_UNIT, team.size());
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            int begin = share(rows, ROW_UNIT, i, n);
            int end = share(rows, ROW_UNIT, i + 1, n);
            kernels.floatMatmul(head, x, hidden, tokens, begin, end, y, rows);
            if (y == scattered) {
                for (int t = 0; t < tokens; t++) {
                    logits.set(firstRow + t, begin, y, 4L * ((long) t * rows + begin), end - begin);
                }
            }
        }
    }
}
