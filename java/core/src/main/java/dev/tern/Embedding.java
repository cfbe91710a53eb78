package dev.tern;

import dev.tern.model.Engine;
import dev.tern.model.TokenSpan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Computes the hidden states of tokens, in a session's memory, pass by pass. */
final class Embedding {
    private final Model model;
    private final Engine engine;
    private final int[] ids;
    private final int passTokens;
    private final int hidden;

    private interface StateConsumer {
        void accept(int token, MemorySegment states, long offset);
    }

    Embedding(Model model, Engine engine, int[] ids, int passTokens) {
        this.model = model;
        this.engine = engine;
        this.ids = ids;
        this.passTokens = passTokens;
        this.hidden = engine.model().hiddenSize();
    }

    /** One vector of all tokens. */
    float[] pool(Pooling pooling) {
        float[] pooled = new float[hidden];
        if (pooling == Pooling.LAST) {
            compute(ids.length - 1, (token, states, offset) -> copy(states, offset, pooled));
            return pooled;
        }
        double[] sums = new double[hidden];
        compute(0, (token, states, offset) -> {
            for (int i = 0; i < hidden; i++) {
                sums[i] += states.get(ValueLayout.JAVA_FLOAT, offset + 4L * i);
            }
        });
        for (int i = 0; i < hidden; i++) {
            pooled[i] = (float) (sums[i] / ids.length);
        }
        return pooled;
    }

    /** The vector of each token. */
    float[][] each() {
        float[][] all = new float[ids.length][hidden];
        compute(0, (token, states, offset) -> copy(states, offset, all[token]));
        return all;
    }

    private void copy(MemorySegment states, long offset, float[] to) {
        MemorySegment.copy(states, ValueLayout.JAVA_FLOAT, offset, to, 0, hidden);
    }

    /** States of the tokens from {@code first} on, in order. */
    private void compute(int first, StateConsumer consumer) {
        Session session = model.borrow();
        try (Arena arena = Arena.ofShared()) {
            int rows = Math.min(passTokens, ids.length - first);
            MemorySegment states = arena.allocate(4L * rows * hidden, 64);
            for (int begin = 0; begin < ids.length; begin += passTokens) {
                int count = Math.min(passTokens, ids.length - begin);
                int unwanted = Math.min(count, Math.max(0, first - begin));
                engine.states(List.of(
                        new TokenSpan(session.cache(), begin, ids, begin, count, unwanted, states, 0)));
                for (int t = unwanted; t < count; t++) {
                    consumer.accept(begin + t, states, 4L * (t - unwanted) * hidden);
                }
            }
        } finally {
            model.giveBack(session);
        }
    }
}
