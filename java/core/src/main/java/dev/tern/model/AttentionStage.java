package dev.tern.model;

import dev.tern.kernels.Kernels;
import dev.tern.kernels.KvLayer;
import java.lang.foreign.MemorySegment;

/**
 * The attention of one block: rotation, the cache, and the heads, dealt out to the members of a team. Stateless but for
 * the tables, so any number of threads may compute shares that do not overlap.
 */
final class AttentionStage {
    private final ModelHyperparameters model;
    private final Kernels kernels;
    private final Scratch scratch;
    private final PositionTables tables;
    private final AttentionShares shares;
    private final float scale;
    private final MemorySegment[] queryHeads; // of the first token, from head h on

    AttentionStage(ModelHyperparameters model, Kernels kernels, Scratch scratch, int members) {
        this.model = model;
        this.kernels = kernels;
        this.scratch = scratch;
        this.tables = new PositionTables(model, Forward.pairing(model), members);
        this.shares = new AttentionShares(model.heads(), model.kvHeads(), members);
        this.scale = (float) (1 / Math.sqrt(model.headDim()));
        this.queryHeads = new MemorySegment[model.heads()];
        for (int head = 0; head < queryHeads.length; head++) {
            queryHeads[head] = scratch.q.asSlice(4L * head * model.headDim());
        }
    }

    /** Makes room for positions below {@code positions}; not while a pass runs. */
    void reserve(int positions) {
        tables.reserve(positions);
    }

    /** Rotates the keys of tokens [begin, end) and stores them with their values. */
    void store(KvLayer kv, int position, int begin, int end) {
        kernels.rope(scratch.k, scratch.pairs, model.kvHeads(), model.headDim(), tables.rope(), position, begin, end);
        kernels.storeKv(kv, scratch.k, scratch.v, scratch.pairs, position, begin, end);
    }

    /** Rotates all query heads of tokens [begin, end). */
    void rotate(int position, int begin, int end) {
        kernels.rope(scratch.q, scratch.queries, model.heads(), model.headDim(), tables.rope(), position, begin, end);
    }

    /** Shares of the attention of {@code count} tokens. */
    int shares(int count) {
        return shares.count(count);
    }

    /**
     * Share {@code i} of {@code n} of the attention of tokens [first, first + count) of the batch.
     *
     * @param rotate whether its queries are still to be rotated; of the batch's only token
     */
    void attend(int member, KvLayer kv, int position, int first, int count, int i, int n, boolean rotate) {
        int heads = model.heads();
        int begin = first * heads + shares.begin(count, position + first, i, n);
        int end = first * heads + shares.begin(count, position + first, i + 1, n);
        if (begin >= end) {
            return;
        }
        if (rotate) {
            kernels.rope(
                    queryHeads[begin],
                    scratch.queries - (long) begin * model.headDim(),
                    end - begin,
                    model.headDim(),
                    tables.rope(),
                    position,
                    0,
                    1);
        }
        kernels.attention(
                kv,
                scratch.q,
                scratch.queries,
                heads,
                position,
                begin,
                end,
                scale,
                tables.scores(member),
                scratch.mixed,
                scratch.queries);
    }
}
