package dev.tern.model;

import static dev.tern.model.RowShares.ROW_UNIT;
import static dev.tern.model.RowShares.SHARES;
import static dev.tern.model.RowShares.attentionShare;
import static dev.tern.model.RowShares.rowUnit;
import static dev.tern.model.RowShares.share;

import dev.tern.kernels.Activations;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.KvLayer;
import dev.tern.kernels.RopePairing;
import dev.tern.kernels.LutWeights;
import dev.tern.kernels.Projection;
import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The forward pass of all graphs (BitNet b1.58 with sub-norms, Llama without), for one batch of consecutive tokens of one
 * sequence. Every member of the team executes {@link #run}; in each stage the members take shares of its rows, tokens or
 * heads until none is left, and the next stage begins when all are computed: a thread that the operating system holds up
 * keeps nobody waiting but for the share it has. Which member computes an element never changes how it is summed up, so
 * the result does not depend on the number of threads or on how a prompt is cut into batches.
 *
 * <pre>
 * x = embedding[id]
 * per block:  norm, quantize | q, k, v | rope, store k and v | attention | sub-norm, quantize | output
 *             add to x, norm, quantize | gate, up, activation | sub-norm, quantize | down
 * head:       add to x, norm | logits, for the tokens asked for
 * </pre>
 *
 * <p>Where projections have low-rank corrections, a stage in front of theirs computes Vᵀ · x ({@link LowRankPass}).
 *
 * <p>All memory is allocated once; a pass allocates nothing. Not thread-safe: {@link Engine} lets one pass run at a time.
 */
final class Forward implements ThreadTeam.Program {
    private static final int[] NONE = {};

    private final ModelHyperparameters model;
    private final LayerWeights[] layers;
    private final ModelWeights weights;
    private final Kernels kernels;
    private final ThreadTeam team;
    private final PositionTables tables;
    private final int members;

    private final int hidden;
    private final int intermediate;
    private final int queries; // width of all query heads together
    private final int pairs; // width of all key (or value) heads together
    private final float attentionScale;

    private final MemorySegment x; // [batch][hidden]: the residual stream
    private final MemorySegment delta; // [batch][hidden]: what the last sub-layer adds to it
    private final MemorySegment normed; // [batch][widest]
    private final Activations quantized;
    private final @Nullable LutMultiplier lut; // where there are packed weights
    private final LowRankPass lowRank;
    private final MemorySegment q;
    private final MemorySegment k;
    private final MemorySegment v;
    private final MemorySegment mixed; // [batch][queries]: the attention's output
    private final MemorySegment gate;
    private final MemorySegment up;
    private final MemorySegment[] headInputs; // normed, from token t on

    // The pass at hand; published to the members by the team.
    private @Nullable KvCache cache;
    private int[] ids = NONE;
    private int firstId;
    private int tokens;
    private int position;
    private int firstLogits;
    private @Nullable MemorySegment logits;
    private @Nullable ScreenedHead screened;
    private @Nullable ForwardTrace trace;

    Forward(ModelHyperparameters model, ModelWeights weights, Kernels kernels, ThreadTeam team, int batch) {
        this.model = model;
        this.weights = weights;
        this.layers = weights.layers().toArray(LayerWeights[]::new);
        this.kernels = kernels;
        this.team = team;
        this.members = team.size();
        this.hidden = model.hiddenSize();
        this.intermediate = model.intermediateSize();
        this.queries = Math.multiplyExact(model.heads(), model.headDim());
        this.pairs = Math.multiplyExact(model.kvHeads(), model.headDim());
        this.attentionScale = (float) (1 / Math.sqrt(model.headDim()));
        this.tables = new PositionTables(model, pairing(model), members);

        // Every call of a native kernel holds the arenas of its segments for its duration. That costs nothing for a
        // garbage-collected arena, but 200 ns for a shared one when two threads do it at once.
        Arena arena = Arena.ofAuto();
        int widest = Math.max(Math.max(hidden, queries), intermediate);
        this.x = floats(arena, batch, hidden);
        this.delta = floats(arena, batch, hidden);
        this.normed = floats(arena, batch, widest);
        this.quantized = Activations.allocate(arena, batch, widest);
        List<LutWeights> packed = weights.projections().stream()
                .filter(LutWeights.class::isInstance)
                .map(LutWeights.class::cast)
                .toList();
        this.lut = packed.isEmpty() ? null : new LutMultiplier(packed, batch, widest, members, arena);
        this.lowRank = new LowRankPass(model, batch, widest, kernels, team, arena);
        this.q = floats(arena, batch, queries);
        this.k = floats(arena, batch, pairs);
        this.v = floats(arena, batch, pairs);
        this.mixed = floats(arena, batch, queries);
        this.gate = floats(arena, batch, intermediate);
        this.up = floats(arena, batch, intermediate);
        this.headInputs = new MemorySegment[batch];
        for (int token = 0; token < batch; token++) {
            headInputs[token] = normed.asSlice(4L * token * hidden);
        }
    }

    /** Puts other weights in a block's place, of the same shapes and in the plain layout; not while a pass runs. */
    void replace(int layer, LayerWeights other) {
        layers[layer] = other;
    }

    /** Hugging Face's pairing, which the bitnet architectures keep; files of {@code llama} are permuted to the other. */
    static RopePairing pairing(ModelHyperparameters model) {
        return model.architecture().equals("llama") ? RopePairing.NEIGHBOURS : RopePairing.HALVES;
    }

    private static MemorySegment floats(Arena arena, int batch, int width) {
        return arena.allocate(Math.multiplyExact(4L * batch, (long) width), 64);
    }

    /**
     * Evaluates {@code count} tokens {@code ids[first ..]} at {@code position}; everything has been checked.
     *
     * @param firstLogits logits are wanted from this token of the batch on; {@code count} for none
     * @param logits float32 {@code [count - firstLogits][vocab]}
     * @param screened what has been prepared to compute the head's largest; null for the whole head
     */
    void evaluate(
            KvCache sequence,
            int position,
            int[] ids,
            int first,
            int count,
            int firstLogits,
            MemorySegment logits,
            @Nullable ScreenedHead screened,
            @Nullable ForwardTrace trace) {
        tables.reserve(position + count);
        this.cache = sequence;
        this.position = position;
        this.ids = ids;
        this.firstId = first;
        this.tokens = count;
        this.firstLogits = firstLogits;
        this.logits = logits;
        this.screened = screened;
        this.trace = trace;
        try {
            team.run(this);
        } finally {
            this.cache = null;
            this.ids = NONE;
            this.logits = null;
            this.screened = null;
            this.trace = null;
        }
    }

    @Override
    public void run(int member) {
        KvCache kv = Objects.requireNonNull(cache);
        int n = tokenShares();
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            for (int t = share(tokens, 1, i, n); t < share(tokens, 1, i + 1, n); t++) {
                kernels.floatRow(weights.embedding(), ids[firstId + t], x, (long) t * hidden);
            }
        }
        team.endStage(member);
        traced(member, -1, "inp_embd", x, hidden);
        for (int layer = 0; layer < layers.length; layer++) {
            attentionBlock(member, layer, layers[layer], kv.layer(layer));
            feedForwardBlock(member, layer, layers[layer]);
        }
        addDelta(member, layers.length - 1, "l_out");
        if (firstLogits < tokens) {
            head(member);
        }
    }

    private void attentionBlock(int member, int layer, LayerWeights w, KvLayer kv) {
        if (layer > 0) {
            addDelta(member, layer - 1, "l_out");
        }
        normAndQuantize(member, layer, "attn_norm", x, hidden, w.attnNorm(), w.q());
        LowRankWeights side = w.lowRank();
        lowRank.reduce(member, normed, hidden, tokens, side.q(), side.k(), side.v());

        int rows = queries + 2 * pairs;
        int unit = rowUnit(w.k(), members); // divides q's in any sensible plan; else a tile is cut, which is only slower
        int n = rowShares(rows, unit);
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            int begin = share(rows, unit, i, n);
            int end = share(rows, unit, i + 1, n);
            multiply(member, w.q(), side.q(), 0, 0, begin, end, q);
            multiply(member, w.k(), side.k(), 1, queries, begin, end, k);
            multiply(member, w.v(), side.v(), 2, queries + pairs, begin, end, v);
        }
        team.endStage(member);
        traced(member, layer, "q", q, queries);
        traced(member, layer, "k", k, pairs);
        traced(member, layer, "v", v, pairs);

        n = tokenShares();
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            int begin = share(tokens, 1, i, n);
            int end = share(tokens, 1, i + 1, n);
            kernels.rope(q, queries, model.heads(), model.headDim(), tables.rope(), position, begin, end);
            kernels.rope(k, pairs, model.kvHeads(), model.headDim(), tables.rope(), position, begin, end);
            kernels.storeKv(kv, k, v, pairs, position, begin, end);
        }
        team.endStage(member);

        n = Math.min(tokens * model.heads(), shares());
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            attend(
                    member,
                    kv,
                    attentionShare(tokens, model.heads(), position, i, n),
                    attentionShare(tokens, model.heads(), position, i + 1, n));
        }
        team.endStage(member);
        traced(member, layer, "kqv_out", mixed, queries);

        normAndQuantize(member, layer, "attn_sub_norm", mixed, queries, w.attnSubNorm(), w.attnOutput());
        lowRank.reduce(
                member, w.attnSubNorm() == null ? mixed : normed, queries, tokens, side.attnOutput(), null, null);
        multiplyAll(member, w.attnOutput(), side.attnOutput(), delta);
        traced(member, layer, "attn_out", delta, hidden);
    }

    private void attend(int member, KvLayer kv, int begin, int end) {
        if (begin < end) {
            kernels.attention(
                    kv,
                    q,
                    queries,
                    model.heads(),
                    position,
                    begin,
                    end,
                    attentionScale,
                    tables.scores(member),
                    mixed,
                    queries);
        }
    }

    private void feedForwardBlock(int member, int layer, LayerWeights w) {
        addDelta(member, layer, "ffn_inp");
        normAndQuantize(member, layer, "ffn_norm", x, hidden, w.ffnNorm(), w.gate());
        LowRankWeights side = w.lowRank();
        lowRank.reduce(member, normed, hidden, tokens, side.gate(), side.up(), null);

        boolean separate = trace != null; // the gate is to be seen before it is overwritten
        int unit = rowUnit(w.gate(), members);
        int n = rowShares(intermediate, unit);
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            int begin = share(intermediate, unit, i, n);
            int end = share(intermediate, unit, i + 1, n);
            multiply(member, w.gate(), side.gate(), 0, 0, begin, end, gate);
            multiply(member, w.up(), side.up(), 1, 0, begin, end, up);
            if (!separate) {
                activateColumns(begin, end);
            }
        }
        team.endStage(member);
        if (separate) {
            traced(member, layer, "ffn_gate", gate, intermediate);
            traced(member, layer, "ffn_up", up, intermediate);
            for (int i; (i = team.claim(member, 1)) >= 0; team.complete(1)) {
                activateColumns(0, intermediate);
            }
            team.endStage(member);
        }
        traced(member, layer, "ffn_act", gate, intermediate);

        normAndQuantize(member, layer, "ffn_sub_norm", gate, intermediate, w.ffnSubNorm(), w.down());
        lowRank.reduce(
                member, w.ffnSubNorm() == null ? gate : normed, intermediate, tokens, side.down(), null, null);
        multiplyAll(member, w.down(), side.down(), delta);
        traced(member, layer, "ffn_down", delta, hidden);
    }

    private void head(int member) {
        for (int i; (i = team.claim(member, 1)) >= 0; team.complete(1)) {
            kernels.rmsNorm(
                    x, hidden, weights.outputNorm(), model.normEps(), hidden, firstLogits, tokens, normed, hidden);
        }
        team.endStage(member);
        traced(member, -1, "result_norm", normed, hidden);
        FloatWeights head = weights.head();
        MemorySegment out = Objects.requireNonNull(logits);
        ScreenedHead shortcut = screened;
        if (shortcut != null && shortcut.run(member, headInputs[firstLogits], out)) {
            return;
        }
        int n = rowShares(head.rows(), ROW_UNIT);
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            int begin = share(head.rows(), ROW_UNIT, i, n);
            int end = share(head.rows(), ROW_UNIT, i + 1, n);
            kernels.floatMatmul(
                    head, headInputs[firstLogits], hidden, tokens - firstLogits, begin, end, out, head.rows());
        }
        team.endStage(member);
    }

    /** The residual connection, x += delta. */
    private void addDelta(int member, int layer, String name) {
        int n = tokenShares();
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            long begin = share(tokens, 1, i, n);
            long end = share(tokens, 1, i + 1, n);
            kernels.add(x, delta, begin * hidden, (end - begin) * hidden);
        }
        team.endStage(member);
        traced(member, layer, name, x, hidden);
    }

    /** Norm (where the graph has one) and quantization of all tokens, and tables where the consumer looks up in them. */
    private void normAndQuantize(
            int member,
            int layer,
            String name,
            MemorySegment in,
            int width,
            @Nullable MemorySegment norm,
            Projection consumer) {
        int n = tokenShares();
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            int begin = share(tokens, 1, i, n);
            int end = share(tokens, 1, i + 1, n);
            MemorySegment source = in;
            if (norm != null) {
                kernels.rmsNorm(in, width, norm, model.normEps(), width, begin, end, normed, width);
                source = normed;
            }
            kernels.quantize(source, width, width, begin, end, quantized);
            if (lut != null) {
                lut.buildTables(consumer, quantized, tokens, begin, end);
            }
        }
        team.endStage(member);
        if (norm != null) {
            traced(member, layer, name, normed, width);
        }
    }

    private void multiplyAll(int member, Projection w, @Nullable LowRank side, MemorySegment y) {
        int unit = rowUnit(w, members);
        int n = rowShares(w.rows(), unit);
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            multiply(member, w, side, 0, 0, share(w.rows(), unit, i, n), share(w.rows(), unit, i + 1, n), y);
        }
        team.endStage(member);
    }

    /**
     * The rows of {@code w} that fall into [begin, end) when the matrix starts at row {@code base} of the stage.
     *
     * @param side its correction, which {@link LowRankPass#reduce} has prepared in this slot
     */
    private void multiply(
            int member,
            Projection w,
            @Nullable LowRank side,
            int slot,
            int base,
            int begin,
            int end,
            MemorySegment y) {
        int from = Math.max(begin - base, 0);
        int to = Math.min(end - base, w.rows());
        if (from < to) {
            switch (w) {
                case TernaryWeights plain -> kernels.ternaryMatmul(plain, quantized, tokens, from, to, y, w.rows());
                case LutWeights packed ->
                    Objects.requireNonNull(lut).multiply(member, packed, kernels, quantized, tokens, from, to, y);
            }
            if (side != null) {
                lowRank.add(side, slot, tokens, from, to, y);
            }
        }
    }

    /** The gate of columns [begin, end) of all tokens. */
    private void activateColumns(int begin, int end) {
        for (int t = 0; t < tokens; t++) {
            activate((long) t * intermediate + begin, end - begin);
        }
    }

    private void activate(long offset, int n) {
        switch (model.activation()) {
            case RELU_SQUARED -> kernels.reluSquaredGate(gate, up, gate, offset, n);
            case SILU -> kernels.siluGate(gate, up, gate, offset, n);
        }
    }

    /** Into how many shares a stage is cut: several a member, so that one that is held up leaves the rest to others. */
    private int shares() {
        return members == 1 ? 1 : SHARES * members;
    }

    private int tokenShares() {
        return Math.min(tokens, shares());
    }

    private int rowShares(int rows, int unit) {
        return RowShares.rowShares(rows, unit, members);
    }

    private void traced(int member, int layer, String name, MemorySegment values, int width) {
        ForwardTrace hook = trace;
        if (hook != null) {
            for (int i; (i = team.claim(member, 1)) >= 0; team.complete(1)) {
                hook.computed(layer, name, values, tokens, width);
            }
            team.endStage(member);
        }
    }
}
