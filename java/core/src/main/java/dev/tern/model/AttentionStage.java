package dev.tern.model;

import dev.tern.kernels.Kernels;
import dev.tern.kernels.KvLayer;
import java.lang.foreign.MemorySegment;

/**
 * The attention of one block: rotation, the cache, and the heads, dealt out to the members of a team. Between
 * {@link #plan}s any number of threads may compute shares that do not overlap.
 */
final class AttentionStage {
    private final ModelHyperparameters model;
    private final Kernels kernels;
    private final Scratch scratch;
    private final PositionTables tables;
    private final AttentionShares shares;
    private final float scale;
    private final MemorySegment[] queryHeads; // of the first token, from head h on
    private final MemorySegment[] q; // from row r on
    private final MemorySegment[] k;
    private final MemorySegment[] v;
    private final MemorySegment[] mixed;

    // Of the pass at hand: where the shares of the attention of all tokens, and of those with logits, begin.
    private int[] all = {};
    private int[] wanted = {};
    private int allShares;
    private int wantedShares;

    AttentionStage(ModelHyperparameters model, Kernels kernels, Scratch scratch, int members, int batch) {
        this.model = model;
        this.kernels = kernels;
        this.scratch = scratch;
        this.tables = new PositionTables(model, Forward.pairing(model), members);
        this.shares = new AttentionShares(model.heads(), model.kvHeads(), members);
        this.scale = (float) (1 / Math.sqrt(model.headDim()));
        this.queryHeads = slices(scratch.q, model.heads(), model.headDim());
        this.q = slices(scratch.q, batch, scratch.queries);
        this.k = slices(scratch.k, batch, scratch.pairs);
        this.v = slices(scratch.v, batch, scratch.pairs);
        this.mixed = slices(scratch.mixed, batch, scratch.queries);
    }

    private static MemorySegment[] slices(MemorySegment values, int count, int width) {
        MemorySegment[] slices = new MemorySegment[count];
        for (int i = 0; i < count; i++) {
            slices[i] = values.asSlice(4L * i * width);
        }
        return slices;
    }

    /** Makes room for a pass, and cuts its attention into shares; not while one runs. */
    void plan(PassTokens pass) {
        int positions = 0;
        for (int s = 0; s < pass.all().spans(); s++) {
            positions = Math.max(positions, pass.all().position(s) + pass.all().count(s));
        }
        tables.reserve(positions);
        allShares = shares.count(pass.all());
        all = shares.cut(pass.all(), allShares, all);
        wantedShares = shares.count(pass.wanted());
        wanted = shares.cut(pass.wanted(), wantedShares, wanted);
    }

    /** Rotates queries and keys of rows [begin, end), and stores the keys with their values. */
    void enter(PassTokens pass, int layer, int begin, int end) {
        SpanView view = pass.all();
        for (int row = begin, s = view.spanOf(begin); row < end; s++) {
            int first = view.row(s);
            int from = row - first;
            int to = Math.min(end - first, view.count(s));
            store(pass, layer, s, from, to);
            rotate(q[first], scratch.queries, model.heads(), view.position(s), from, to);
            row = first + to;
        }
    }

    /** Rotates the keys of tokens [from, to) of a span and stores them with their values. */
    void store(PassTokens pass, int layer, int s, int from, int to) {
        int first = pass.all().row(s);
        int position = pass.all().position(s);
        KvLayer kv = pass.span(s).cache().layer(layer);
        rotate(k[first], scratch.pairs, model.kvHeads(), position, from, to);
        kernels.storeKv(kv, k[first], v[first], scratch.pairs, position, from, to);
    }

    private void rotate(MemorySegment x, long stride, int heads, int position, int from, int to) {
        kernels.rope(x, stride, heads, model.headDim(), tables.rope(), position, from, to);
    }

    /** Shares of the attention of a view of the pass. */
    int shares(PassTokens pass, SpanView view) {
        return view == pass.all() ? allShares : wantedShares;
    }

    /**
     * Share {@code i} of the attention of a view of the pass.
     *
     * @param rotate whether its queries are still to be rotated; of the pass's only token
     */
    void attend(int member, PassTokens pass, SpanView view, int layer, int i, boolean rotate) {
        int heads = model.heads();
        int[] cuts = view == pass.all() ? all : wanted;
        int end = cuts[i + 1];
        int begin = cuts[i];
        if (begin >= end) {
            return;
        }
        if (rotate) {
            long fromThere = scratch.queries - (long) begin * model.headDim();
            rotate(queryHeads[begin], fromThere, end - begin, view.position(0), 0, 1);
        }
        for (int item = begin, s = view.spanOf(begin / heads); item < end; s++) {
            int first = view.index(s) * heads;
            int to = Math.min(end, view.index(s + 1) * heads);
            if (item < to) {
                kernels.attention(
                        pass.span(s).cache().layer(layer),
                        q[view.row(s)],
                        scratch.queries,
                        heads,
                        view.position(s),
                        item - first,
                        to - first,
                        scale,
                        tables.scores(member),
                        mixed[view.row(s)],
                        scratch.queries);
                item = to;
            }
        }
    }
}
