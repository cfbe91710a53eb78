package dev.tern.model;

import dev.tern.kernels.Activations;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.KvLayer;
import dev.tern.kernels.RopePairing;
import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The forward pass of all graphs (BitNet b1.58 with sub-norms, Llama without), for one batch of consecutive tokens of one
 * sequence. Every member of the team executes {@link #run}; a stage ends with a barrier, and each member computes its own
 * rows, tokens or heads in it. Which member computes an element never changes how it is summed up, so the result does
 * not depend on the number of threads or on how a prompt is cut into batches.
 *
 * <pre>
 * x = embedding[id]
 * per block:  norm, quantize | q, k, v | rope, store k and v | attention | sub-norm, quantize | output
 *             add to x, norm, quantize | gate, up, activation | sub-norm, quantize | down
 * head:       add to x, norm | logits, for the tokens asked for
 * </pre>
 *
 * <p>All memory is allocated once; a pass allocates nothing. Not thread-safe: {@link Engine} lets one pass run at a time.
 */
final class Forward implements ThreadTeam.Program {
    private static final int ROW_UNIT = 32; // rows of a matrix are dealt out in multiples of this

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
     */
    void evaluate(
            KvCache sequence,
            int position,
            int[] ids,
            int first,
            int count,
            int firstLogits,
            MemorySegment logits,
            @Nullable ForwardTrace trace) {
        tables.reserve(position + count);
        this.cache = sequence;
        this.position = position;
        this.ids = ids;
        this.firstId = first;
        this.tokens = count;
        this.firstLogits = firstLogits;
        this.logits = logits;
        this.trace = trace;
        try {
            team.run(this);
        } finally {
            this.cache = null;
            this.ids = NONE;
            this.logits = null;
            this.trace = null;
        }
    }

    @Override
    public void run(int member) {
        KvCache kv = Objects.requireNonNull(cache);
        int begin = share(tokens, 1, member);
        int end = share(tokens, 1, member + 1);
        for (int t = begin; t < end; t++) {
            kernels.floatRow(weights.embedding(), ids[firstId + t], x, (long) t * hidden);
        }
        traced(member, -1, "inp_embd", x, hidden);
        for (int i = 0; i < layers.length; i++) {
            attentionBlock(member, i, layers[i], kv.layer(i), begin, end);
            feedForwardBlock(member, i, layers[i], begin, end);
        }
        head(member, begin, end);
    }

    private void attentionBlock(int member, int index, LayerWeights w, KvLayer kv, int begin, int end) {
        if (index > 0) {
            addDelta(begin, end);
            traced(member, index - 1, "l_out", x, hidden);
        }
        normAndQuantize(member, index, "attn_norm", x, hidden, w.attnNorm(), begin, end);

        int rows = queries + 2 * pairs;
        int rowBegin = share(rows, ROW_UNIT, member);
        int rowEnd = share(rows, ROW_UNIT, member + 1);
        multiply(w.q(), 0, rowBegin, rowEnd, q);
        multiply(w.k(), queries, rowBegin, rowEnd, k);
        multiply(w.v(), queries + pairs, rowBegin, rowEnd, v);
        team.barrier(member);
        traced(member, index, "q", q, queries);
        traced(member, index, "k", k, pairs);
        traced(member, index, "v", v, pairs);

        if (begin < end) {
            kernels.rope(q, queries, model.heads(), model.headDim(), tables.rope(), position, begin, end);
            kernels.rope(k, pairs, model.kvHeads(), model.headDim(), tables.rope(), position, begin, end);
            kernels.storeKv(kv, k, v, pairs, position, begin, end);
        }
        team.barrier(member);

        int itemBegin = attentionShare(member);
        int itemEnd = attentionShare(member + 1);
        if (itemBegin < itemEnd) {
            kernels.attention(
                    kv,
                    q,
                    queries,
                    model.heads(),
                    position,
                    itemBegin,
                    itemEnd,
                    attentionScale,
                    tables.scores(member),
                    mixed,
                    queries);
        }
        team.barrier(member);
        traced(member, index, "kqv_out", mixed, queries);

        normAndQuantize(member, index, "attn_sub_norm", mixed, queries, w.attnSubNorm(), begin, end);
        multiply(w.attnOutput(), 0, share(hidden, ROW_UNIT, member), share(hidden, ROW_UNIT, member + 1), delta);
        team.barrier(member);
        traced(member, index, "attn_out", delta, hidden);
    }

    private void feedForwardBlock(int member, int index, LayerWeights w, int begin, int end) {
        addDelta(begin, end);
        normAndQuantize(member, index, "ffn_norm", x, hidden, w.ffnNorm(), begin, end);

        int rowBegin = share(intermediate, ROW_UNIT, member);
        int rowEnd = share(intermediate, ROW_UNIT, member + 1);
        multiply(w.gate(), 0, rowBegin, rowEnd, gate);
        multiply(w.up(), 0, rowBegin, rowEnd, up);
        if (trace != null) {
            team.barrier(member);
            traced(member, index, "ffn_gate", gate, intermediate);
            traced(member, index, "ffn_up", up, intermediate);
        }
        for (int t = 0; t < tokens && rowBegin < rowEnd; t++) {
            activate((long) t * intermediate + rowBegin, rowEnd - rowBegin);
        }
        team.barrier(member);
        traced(member, index, "ffn_act", gate, intermediate);

        normAndQuantize(member, index, "ffn_sub_norm", gate, intermediate, w.ffnSubNorm(), begin, end);
        multiply(w.down(), 0, share(hidden, ROW_UNIT, member), share(hidden, ROW_UNIT, member + 1), delta);
        team.barrier(member);
        traced(member, index, "ffn_down", delta, hidden);
    }

    private void head(int member, int begin, int end) {
        addDelta(begin, end);
        traced(member, layers.length - 1, "l_out", x, hidden);
        if (firstLogits == tokens) {
            return;
        }
        int from = Math.max(begin, firstLogits);
        if (from < end) {
            kernels.rmsNorm(x, hidden, weights.outputNorm(), model.normEps(), hidden, from, end, normed, hidden);
        }
        team.barrier(member);
        traced(member, -1, "result_norm", normed, hidden);
        FloatWeights head = weights.head();
        int rowBegin = share(head.rows(), ROW_UNIT, member);
        int rowEnd = share(head.rows(), ROW_UNIT, member + 1);
        if (rowBegin < rowEnd) {
            kernels.floatMatmul(
                    head,
                    headInputs[firstLogits],
                    hidden,
                    tokens - firstLogits,
                    rowBegin,
                    rowEnd,
                    Objects.requireNonNull(logits),
                    head.rows());
        }
    }

    /** The residual connection: x += delta, for this member's tokens, which it also reads next. */
    private void addDelta(int begin, int end) {
        if (begin < end) {
            kernels.add(x, delta, (long) begin * hidden, (long) (end - begin) * hidden);
        }
    }

    /** Norm (where the graph has one) and quantization of this member's tokens; ends with a barrier. */
    private void normAndQuantize(
            int member,
            int index,
            String name,
            MemorySegment in,
            int width,
            @Nullable MemorySegment norm,
            int begin,
            int end) {
        MemorySegment source = in;
        if (begin < end) {
            if (norm != null) {
                kernels.rmsNorm(in, width, norm, model.normEps(), width, begin, end, normed, width);
                source = normed;
            }
            kernels.quantize(source, width, width, begin, end, quantized);
        }
        team.barrier(member);
        if (norm != null) {
            traced(member, index, name, normed, width);
        }
    }

    /** The rows of {@code w} that fall into [begin, end) when the matrix starts at row {@code base} of the stage. */
    private void multiply(TernaryWeights w, int base, int begin, int end, MemorySegment y) {
        int from = Math.max(begin - base, 0);
        int to = Math.min(end - base, w.rows());
        if (from < to) {
            kernels.ternaryMatmul(w, quantized, tokens, from, to, y, w.rows());
        }
    }

    private void activate(long offset, int n) {
        switch (model.activation()) {
            case RELU_SQUARED -> kernels.reluSquaredGate(gate, up, gate, offset, n);
            case SILU -> kernels.siluGate(gate, up, gate, offset, n);
        }
    }

    /** Where the share of {@code member} begins when {@code n} things are dealt out in multiples of {@code unit}. */
    private int share(int n, int unit, int member) {
        long units = (n + unit - 1L) / unit;
        return (int) Math.min(n, units * member / members * unit);
    }

    /**
     * Where the share of {@code member} of the items (token, head) begins, so that all have about the same number of
     * positions to attend to: token t has {@code position + t + 1} of them.
     */
    private int attentionShare(int member) {
        int heads = model.heads();
        if (tokens == 1) {
            return (int) ((long) heads * member / members);
        }
        double all = tokens * (position + (tokens + 1) / 2.0);
        double wanted = all * member / members;
        // The first t tokens attend to t * position + t * (t + 1) / 2 positions; solve for t.
        double b = position + 0.5;
        double t = Math.sqrt(b * b + 2 * wanted) - b;
        return (int) Math.min((long) tokens * heads, Math.round(t * heads));
    }

    private void traced(int member, int index, String name, MemorySegment values, int width) {
        ForwardTrace hook = trace;
        if (hook != null) {
            team.barrier(member);
            if (member == 0) {
                hook.computed(index, name, values, tokens, width);
            }
            team.barrier(member);
        }
    }
}
