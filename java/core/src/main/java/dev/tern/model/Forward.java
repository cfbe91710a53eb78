package dev.tern.model;

import static dev.tern.model.RowShares.rowShares;
import static dev.tern.model.RowShares.rowUnit;
import static dev.tern.model.RowShares.share;

import dev.tern.kernels.DemandPages;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.Projection;
import dev.tern.kernels.RopePairing;
import dev.tern.kernels.Tier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The forward pass of all graphs (BitNet b1.58 with sub-norms, Llama without), for a batch of tokens: consecutive ones
 * of one sequence, or of several. Products take all tokens at once, so that weights are read once for all sequences;
 * what has to do with positions goes by sequence ({@link AttentionStage}). Every member of the team executes
 * {@link #run}; in each stage the members take shares of its rows, tokens or heads until none is left, and the next
 * stage begins when all are computed: a thread that the operating system holds up keeps nobody waiting but for the
 * share it has. Which member computes an element never changes how it is summed up, so the result does not depend on
 * the number of threads, on how a prompt is cut into batches, or on what is computed beside it.
 *
 * <pre>
 * x = embedding[id]; norm, quantize
 * per block:  q, k, v, store | attention; sub-norm, quantize | output; add to x, norm, quantize
 *             gate, up, activation; sub-norm, quantize | down; add to x, norm, quantize
 * head:       logits, for the tokens asked for; or their states in front of it
 * </pre>
 *
 * <p>Five stages a block for one token: what follows a semicolon takes a microsecond then, less than sharing it out,
 * and is done by the member that completes the last share, before it opens the next stage. Of several tokens that work
 * is shared out, each token being one piece ({@link TokenStep}), in a stage of its own. Where projections have low-rank
 * corrections, a stage in front of theirs computes Vᵀ · x ({@link LowRankPass}). Tokens without logits leave the pass
 * once the last block has their keys and values.
 *
 * <p>All memory is allocated once; a pass allocates nothing. Not thread-safe: {@link Engine} lets one pass run at a
 * time.
 */
final class Forward implements ThreadTeam.Program {
    private final ModelHyperparameters model;
    private final ModelWeights weights;
    private final Kernels kernels;
    private final ThreadTeam team;
    private final int members;
    private final Scratch scratch;
    private final Block[] blocks;
    private final TokenStep entryWithoutBlocks; // the output norm; nothing has been computed that would be added
    private final TokenStep exit; // behind the last block
    private final TokenStep exitWithoutLogits;
    private final Products products;
    private final TokenStep.Executor steps;
    private final AttentionStage attention;
    private final HeadStage head;

    // The pass at hand; published to the members by the team.
    private final PassTokens pass = new PassTokens();
    private boolean states;
    private @Nullable ScreenedHead screened;
    private @Nullable ForwardTrace trace;
    private final PassRoute route;
    private int next; // place of a pass that is made in parts
    private @Nullable PassMeter meter;
    private @Nullable StageClock clock; // the meter's

    Forward(ModelHyperparameters model, ModelWeights weights, Kernels kernels, ThreadTeam team, int batch) {
        this.model = model;
        this.weights = weights;
        this.kernels = kernels;
        this.team = team;
        this.members = team.size();

        // Every call of a native kernel holds the arenas of its segments for its duration. That costs nothing for a
        // garbage-collected arena, but 200 ns for a shared one when two threads do it at once.
        Arena arena = Arena.ofAuto();
        SegmentAllocator memory = kernels.tier() == Tier.JAVA ? arena : DemandPages.in(arena); // a batch may stay small
        this.scratch = new Scratch(model, batch, memory);
        this.blocks = new Block[weights.layers().size()];
        for (int layer = 0; layer < blocks.length; layer++) {
            blocks[layer] = Block.of(layer, weights.layers().get(layer), scratch);
        }
        this.entryWithoutBlocks = Block.entryWithoutBlocks(weights.outputNorm(), scratch);
        this.exit = Block.exit(blocks.length, weights.outputNorm(), scratch);
        this.exitWithoutLogits = Block.exit(blocks.length, null, scratch);
        this.products = new Products(model, weights, kernels, team, batch, scratch, memory);
        this.steps = new TokenStep.Executor(kernels, model.normEps(), scratch, products.lut());
        this.attention = new AttentionStage(model, kernels, scratch, members, batch);
        this.route = new PassRoute(blocks.length, team);
        this.head = new HeadStage(weights, kernels, team, scratch.normed, scratch.hidden, batch);
    }

    /** Puts other weights in a block's place, of the same shapes and in the plain layout; not while a pass runs. */
    void replace(int layer, LayerWeights other) {
        blocks[layer] = Block.of(layer, other, scratch);
    }

    /** Measures the passes from now on, or none; not while a pass runs. */
    void measure(@Nullable PassMeter passes) {
        meter = passes;
        clock = passes == null ? null : passes.clock();
    }

    /**
     * Hugging Face's pairing, which the bitnet architectures keep; files of {@code llama} are permuted to the other.
     */
    static RopePairing pairing(ModelHyperparameters model) {
        return model.architecture().equals("llama") ? RopePairing.NEIGHBOURS : RopePairing.HALVES;
    }

    /**
     * Evaluates tokens; everything has been checked.
     *
     * @param spans of sequences that differ
     * @param screened what has been prepared to compute the head's largest; null for the whole head
     * @param trace sees all tokens in all blocks, whether logits are wanted or not
     */
    void evaluate(List<TokenSpan> spans, @Nullable ScreenedHead screened, @Nullable ForwardTrace trace) {
        evaluate(spans, false, screened, trace);
    }

    /** As {@link #evaluate}, where float32 {@code [hidden]} of the last norm is wanted in the place of logits. */
    void states(List<TokenSpan> spans) {
        evaluate(spans, true, null, null);
    }

    private void evaluate(
            List<TokenSpan> spans, boolean states, @Nullable ScreenedHead screened, @Nullable ForwardTrace trace) {
        PassMeter passes = meter;
        try {
            set(spans, states, trace);
            if (passes != null) {
                passes.begin(pass, !states, screened == null);
            }
            route.toTheEnd(PassRoute.EMBEDDING);
            run(screened);
        } finally {
            clear();
            if (passes != null) {
                passes.clock().end();
            }
        }
    }

    /**
     * Begins a pass that {@link #evaluateBlocks} and {@link #evaluateHead} make: no other may be made until that is
     * done, or {@link #clear} has given it up. It is not measured.
     */
    void begin(List<TokenSpan> spans) {
        set(spans, false, null);
        next = PassRoute.EMBEDDING;
    }

    /**
     * Goes on with the pass that was begun, up to the head. It stops between two stages once {@code pause} says so,
     * which whichever member comes first asks twice a block; each time it has gone on by half a block at least.
     *
     * @return whether the head is next
     */
    boolean evaluateBlocks(BooleanSupplier pause) {
        if (next < route.head()) {
            route.toTheHead(next, pause);
            run(null);
        }
        return next == route.head();
    }

    /** Makes the rest of the pass that was begun, which is over then; {@link #clear} is the caller's. */
    void evaluateHead(@Nullable ScreenedHead screened) {
        route.toTheEnd(next);
        run(screened);
    }

    private void set(List<TokenSpan> spans, boolean states, @Nullable ForwardTrace trace) {
        this.states = states;
        this.trace = trace;
        pass.set(spans, states ? scratch.hidden : weights.head().rows());
        attention.plan(pass);
        if (!states) {
            head.reserve(pass.output());
        }
    }

    /** Forgets the pass at hand. */
    void clear() {
        pass.clear();
        trace = null;
    }

    /** The pass at hand, as far as its route goes. */
    private void run(@Nullable ScreenedHead screened) {
        this.screened = screened;
        try {
            team.run(this);
        } finally {
            this.screened = null;
            this.next = route.end();
        }
    }

    @Override
    public void run(int member) {
        if (!route.isBehind(PassRoute.EMBEDDING)) {
            embed(member);
        }
        for (int layer = route.firstBlock(); layer < blocks.length; layer++) {
            SpanView computed = layer + 1 < blocks.length ? pass.all() : leaving();
            int attention = PassRoute.attention(layer);
            if (!route.isBehind(attention)) {
                if (route.pauses(member, attention)) {
                    return;
                }
                attend(member, layer, blocks[layer], computed);
            }
            if (computed.tokens() > 0) {
                if (route.pauses(member, PassRoute.feedForward(layer))) {
                    return;
                }
                feedForward(member, layer, blocks[layer], computed.tokens());
            }
        }
        if (route.hasHead()) {
            output(member);
        }
    }

    /** The tokens that go through the last block and leave it. */
    private SpanView leaving() {
        return blocks.length > 0 && trace == null ? pass.wanted() : pass.all();
    }

    /** Logits or states of the tokens asked for. */
    private void output(int member) {
        if (pass.wanted().tokens() == 0) {
            return;
        }
        boolean moved = leaving() == pass.wanted(); // to the front
        if (states) {
            handOut(member, moved);
        } else if (head.run(member, pass, moved, screened)) {
            mark(member, PassStage.HEAD);
        } else {
            end(member, PassStage.HEAD);
        }
    }

    /** The states behind the last norm, of the tokens asked for. */
    private void handOut(int member, boolean moved) {
        SpanView view = pass.wanted();
        int n = tokenShares(view.tokens());
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            for (int t = share(view.tokens(), 1, i, n); t < share(view.tokens(), 1, i + 1, n); t++) {
                int s = view.spanOf(t);
                long row = moved ? t : view.row(s) + t - view.index(s);
                pass.output().set(t, 0, scratch.normed, 4 * row * scratch.hidden, scratch.hidden);
            }
        }
        end(member, PassStage.TOKENS);
    }

    private void embed(int member) {
        TokenStep entry = blocks.length == 0 ? entryWithoutBlocks : blocks[0].entry();
        int tokens = pass.all().tokens();
        int n = tokenShares(tokens);
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            int begin = share(tokens, 1, i, n);
            int end = share(tokens, 1, i + 1, n);
            for (int t = begin; t < end; t++) {
                kernels.floatRow(weights.embedding(), pass.id(t), scratch.x, (long) t * scratch.hidden);
            }
            steps.run(entry, tokens, begin, end);
        }
        end(member, PassStage.TOKENS);
        traced(member, -1, "inp_embd", scratch.x, scratch.hidden, tokens);
        traced(member, entry, tokens);
    }

    /**
     * The attention of some of the tokens, which are moved to the front afterwards, where they are not all, with its
     * projections.
     */
    private void attend(int member, int layer, Block block, SpanView computed) {
        int tokens = pass.all().tokens();
        boolean only = tokens == 1 && trace == null;
        project(member, layer, block, only);
        if (!only) {
            int n = tokenShares(tokens);
            for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
                attention.enter(pass, layer, share(tokens, 1, i, n), share(tokens, 1, i + 1, n));
            }
            end(member, PassStage.ATTENTION);
        }
        int count = computed.tokens();
        if (count == 0) {
            return;
        }
        int n = attention.shares(pass, computed);
        for (int i; (i = team.claim(member, n)) >= 0; ) {
            attention.attend(member, pass, computed, layer, i, only);
            if (team.finish(n)) {
                if (count < tokens) {
                    scratch.moveToFront(computed);
                }
                follow(member, PassStage.ATTENTION, count, block.output().input());
            }
        }
        end(member, PassStage.ATTENTION);
        traced(member, layer, "kqv_out", scratch.mixed, scratch.queries, count);
        deal(member, count, block.output().input());
        multiply(member, layer, block.output(), count, block.middle());
    }

    private void feedForward(int member, int layer, Block block, int count) {
        gate(member, layer, block, count);
        boolean last = layer + 1 == blocks.length;
        TokenStep next = !last ? blocks[layer + 1].entry() : pass.wanted().tokens() > 0 ? exit : exitWithoutLogits;
        multiply(member, layer, block.down(), count, next);
    }

    /** q, k and v of all tokens; of the only token the key is rotated and stored then, with the value. */
    private void project(int member, int layer, Block block, boolean only) {
        LayerWeights w = block.weights();
        LowRankWeights side = w.lowRank();
        int tokens = pass.all().tokens();
        products.reduce(member, scratch.normed, scratch.hidden, tokens, side.q(), side.k(), side.v());
        int queries = scratch.queries;
        int pairs = scratch.pairs;
        int rows = queries + 2 * pairs;
        int unit = rowUnit(w.k(), members); // divides q's in any sensible plan; else a tile is cut, which is only slower
        int n = rowShares(w.k(), tokens, rows, unit, members);
        for (int i; (i = team.claim(member, n)) >= 0; ) {
            int begin = share(rows, unit, i, n);
            int end = share(rows, unit, i + 1, n);
            products.multiply(member, w.q(), side.q(), 0, 0, begin, end, tokens, scratch.q);
            products.multiply(member, w.k(), side.k(), 1, queries, begin, end, tokens, scratch.k);
            products.multiply(member, w.v(), side.v(), 2, queries + pairs, begin, end, tokens, scratch.v);
            if (team.finish(n)) {
                if (only) {
                    mark(member, PassStage.QKV);
                    attention.store(pass, layer, 0, 0, 1);
                    mark(member, PassStage.ATTENTION);
                }
                team.open();
            }
        }
        end(member, PassStage.QKV);
        traced(member, layer, "q", scratch.q, queries, tokens);
        traced(member, layer, "k", scratch.k, pairs, tokens);
        traced(member, layer, "v", scratch.v, pairs, tokens);
    }

    private void gate(int member, int layer, Block block, int count) {
        LayerWeights w = block.weights();
        LowRankWeights side = w.lowRank();
        products.reduce(member, scratch.normed, scratch.hidden, count, side.gate(), side.up(), null);
        int width = scratch.intermediate;
        boolean separate = trace != null; // the gate is to be seen before it is overwritten
        int unit = rowUnit(w.gate(), members);
        int n = rowShares(w.gate(), count, width, unit, members);
        for (int i; (i = team.claim(member, n)) >= 0; ) {
            int begin = share(width, unit, i, n);
            int end = share(width, unit, i + 1, n);
            products.multiply(member, w.gate(), side.gate(), 0, 0, begin, end, count, scratch.gate);
            products.multiply(member, w.up(), side.up(), 1, 0, begin, end, count, scratch.up);
            if (!separate) {
                activate(count, begin, end);
            }
            if (team.finish(n)) {
                follow(member, PassStage.GATE_UP, count, block.down().input());
            }
        }
        end(member, PassStage.GATE_UP);
        if (separate) {
            traced(member, layer, "ffn_gate", scratch.gate, width, count);
            traced(member, layer, "ffn_up", scratch.up, width, count);
            for (int i; (i = team.claim(member, 1)) >= 0; team.complete(1)) {
                activate(count, 0, width);
            }
            end(member, PassStage.GATE_UP);
            traced(member, layer, "ffn_act", scratch.gate, width, count);
        }
        deal(member, count, block.down().input());
    }

    /** Columns [begin, end) of the gate's activation of all tokens. */
    private void activate(int count, int begin, int end) {
        for (int t = 0; t < count; t++) {
            long offset = (long) t * scratch.intermediate + begin;
            switch (model.activation()) {
                case RELU_SQUARED ->
                    kernels.reluSquaredGate(scratch.gate, scratch.up, scratch.gate, offset, end - begin);
                case SILU -> kernels.siluGate(scratch.gate, scratch.up, scratch.gate, offset, end - begin);
            }
        }
    }

    /** A projection into delta, and what follows it. */
    private void multiply(int member, int layer, Block.Output output, int count, TokenStep next) {
        Projection w = output.w();
        products.reduce(member, output.x(scratch), w.cols(), count, output.side(), null, null);
        int unit = rowUnit(w, members);
        int n = rowShares(w, count, w.rows(), unit, members);
        for (int i; (i = team.claim(member, n)) >= 0; ) {
            int begin = share(w.rows(), unit, i, n);
            int end = share(w.rows(), unit, i + 1, n);
            products.multiply(member, w, output.side(), 0, 0, begin, end, count, scratch.delta);
            if (team.finish(n)) {
                follow(member, output.kind(), count, next);
            }
        }
        end(member, output.kind());
        traced(member, layer, output.name(), scratch.delta, scratch.hidden, count);
        deal(member, count, next);
    }

    /** Whether the member that completes a stage does what follows by itself; else all share it out. */
    private boolean alone(int count) {
        return count == 1 && trace == null;
    }

    /**
     * The last share of a stage is computed: does the step that follows, if it is one member's, and opens what is next.
     */
    private void follow(int member, PassStage kind, int count, TokenStep step) {
        if (alone(count)) {
            mark(member, kind);
            steps.run(step, 1, 0, 1);
            mark(member, PassStage.TOKENS);
        }
        team.open();
    }

    /** The step that follows a stage, as a stage of its own where it is not one member's. */
    private void deal(int member, int count, TokenStep step) {
        if (alone(count)) {
            return;
        }
        int n = tokenShares(count);
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            steps.run(step, count, share(count, 1, i, n), share(count, 1, i + 1, n));
        }
        end(member, PassStage.TOKENS);
        traced(member, step, count);
    }

    private int tokenShares(int count) {
        return Math.min(count, members == 1 ? 1 : RowShares.SHARES * members);
    }

    /** Ends a stage. */
    private void end(int member, PassStage kind) {
        mark(member, kind);
        team.endStage(member);
        mark(member, PassStage.WAITING);
    }

    private void mark(int member, PassStage kind) {
        StageClock stages = clock;
        if (stages != null) {
            stages.mark(member, kind);
        }
    }

    private void traced(int member, TokenStep step, int count) {
        if (step.sum() != null) {
            int of = step.sum().equals("l_out") ? step.layer() - 1 : step.layer();
            traced(member, of, step.sum(), scratch.x, scratch.hidden, count);
        }
        if (step.norm() != null) {
            int of = step.layer() == blocks.length ? -1 : step.layer();
            traced(member, of, step.name(), scratch.normed, step.width(), count);
        }
    }

    private void traced(int member, int layer, String name, MemorySegment values, int width, int count) {
        ForwardTrace hook = trace;
        if (hook != null) {
            for (int i; (i = team.claim(member, 1)) >= 0; team.complete(1)) {
                hook.computed(layer, name, values, count, width);
            }
            team.endStage(member);
        }
    }
}
