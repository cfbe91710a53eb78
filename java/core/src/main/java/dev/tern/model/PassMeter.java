package dev.tern.model;

import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.Projection;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Measures passes: their {@link StageClock}, and what the matrices and the cache make them read and compute. The
 * additions of a token's norms and the like are not counted.
 */
final class PassMeter {
    private final ModelHyperparameters model;
    private final ModelWeights weights;
    private final FloatType cacheType;
    private final int threads;
    private final StageClock clock;
    private boolean headUnknown;
    private final long[] bytes = new long[PassStage.values().length];
    private final long[] operations = new long[bytes.length];
    private long passes;
    private long tokens;

    PassMeter(ModelHyperparameters model, ModelWeights weights, FloatType cacheType, int threads) {
        this.model = model;
        this.weights = weights;
        this.cacheType = cacheType;
        this.threads = threads;
        this.clock = new StageClock(threads);
    }

    StageClock clock() {
        return clock;
    }

    /**
     * A pass begins. Behind the last block's keys and values it computes only those tokens whose logits are wanted.
     * What a screened head reads is not known, and then nothing is said of the head's bytes and operations.
     */
    void begin(PassTokens pass, boolean withHead, boolean wholeHead) {
        int count = pass.all().tokens();
        int wanted = pass.wanted().tokens();
        passes++;
        tokens += count;
        int layers = weights.layers().size();
        for (int layer = 0; layer < layers; layer++) {
            int through = layer + 1 < layers ? count : wanted;
            LayerWeights w = weights.layers().get(layer);
            LowRankWeights side = w.lowRank();
            add(PassStage.QKV, w.q(), side.q(), count);
            add(PassStage.QKV, w.k(), side.k(), count);
            add(PassStage.QKV, w.v(), side.v(), count);
            SpanView attending = layer + 1 < layers ? pass.all() : pass.wanted();
            for (int span = 0; span < attending.spans(); span++) {
                attention(attending.position(span), attending.count(span));
            }
            add(PassStage.OUTPUT, w.attnOutput(), side.attnOutput(), through);
            add(PassStage.GATE_UP, w.gate(), side.gate(), through);
            add(PassStage.GATE_UP, w.up(), side.up(), through);
            add(PassStage.DOWN, w.down(), side.down(), through);
        }
        FloatWeights head = weights.head();
        long elements = (long) head.rows() * head.cols();
        add(PassStage.HEAD, elements, head.type().bytes(elements), withHead ? wanted : 0);
        headUnknown |= !wholeHead;
        clock.begin();
    }

    private void add(PassStage stage, Projection w, @Nullable LowRank side, int count) {
        add(stage, (long) w.rows() * w.cols(), w.byteSize(), count);
        if (side != null) {
            add(stage, (long) side.rank() * (w.rows() + w.cols()), side.byteSize(), count);
        }
    }

    private void add(PassStage stage, long elements, long size, int count) {
        if (count > 0) {
            bytes[stage.ordinal()] += size;
            operations[stage.ordinal()] += 2 * elements * count;
        }
    }

    /** Every query head has a product with each key, and adds up each value. */
    private void attention(int position, int count) {
        int attention = PassStage.ATTENTION.ordinal();
        long attended = count * (long) position + count * (count + 1L) / 2;
        operations[attention] += 4L * model.heads() * model.headDim() * attended;
        if (count > 0) {
            bytes[attention] += cacheType.bytes(2L * model.kvHeads() * model.headDim() * (position + count));
        }
    }

    PassProfile profile() {
        double[] nanos = clock.averages();
        List<PassProfile.Entry> stages = Arrays.stream(PassStage.values())
                .map(stage -> {
                    int i = stage.ordinal();
                    boolean known = stage != PassStage.HEAD || !headUnknown;
                    return new PassProfile.Entry(stage, nanos[i], known ? bytes[i] : 0, known ? operations[i] : 0);
                })
                .toList();
        return new PassProfile(passes, tokens, threads, stages);
    }
}
