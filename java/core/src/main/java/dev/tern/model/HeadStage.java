package dev.tern.model;

import static dev.tern.model.RowShares.ROW_UNIT;
import static dev.tern.model.RowShares.share;

import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.Kernels;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The last stage of a pass: the logits of some tokens. */
final class HeadStage {
    private final FloatWeights head;
    private final Kernels kernels;
    private final ThreadTeam team;
    private final int hidden;
    private final MemorySegment[] inputs; // the normed states, from token t on

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

    /**
     * One member's part of the stage: logits of tokens [first, tokens), {@code [tokens - first][vocab]}.
     *
     * @param screened what has been prepared to compute the largest alone; null for all
     * @return whether it has ended the stage, as a screened head does
     */
    boolean run(int member, int first, int tokens, @Nullable ScreenedHead screened, MemorySegment logits) {
        if (screened != null && screened.run(member, inputs[first], logits)) {
            return true;
        }
        int rows = head.rows();
        int n = RowShares.rowShares(rows, ROW_UNIT, team.size());
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            int begin = share(rows, ROW_UNIT, i, n);
            int end = share(rows, ROW_UNIT, i + 1, n);
            kernels.floatMatmul(head, inputs[first], hidden, tokens - first, begin, end, logits, rows);
        }
        return false;
    }
}
