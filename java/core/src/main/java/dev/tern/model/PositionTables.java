package dev.tern.model;

import dev.tern.kernels.KvLayer;
import dev.tern.kernels.RopePairing;
import dev.tern.kernels.RopeTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * What grows with the longest sequence and is shared by all: the rotation table, and each thread's scratch for
 * attention scores. Not thread-safe; {@link #reserve} must not run beside a forward pass.
 *
 * <p>Rotation as Hugging Face computes it: frequency i is {@code 1 / theta^(2i / dims)} in float32, the angle is
 * {@code (float) position * frequency} in float32, and the table holds the cosine and sine of that float, rounded once.
 */
final class PositionTables {
    /**
     * Positions of a first, short sequence: tables double as they are outgrown, which costs no more in all than large
     * ones.
     */
    private static final int FIRST_CAPACITY = 64;

    private final ModelHyperparameters model;
    private final RopePairing pairing;
    private final int members;
    private Tables tables;

    /** @param cosines {@code [positions][dims / 2]}, as the sines; the rope's own */
    private record Tables(RopeTable rope, MemorySegment cosines, MemorySegment sines, MemorySegment[] scores) {}

    PositionTables(ModelHyperparameters model, RopePairing pairing, int members) {
        this.model = model;
        this.pairing = pairing;
        this.members = members;
        this.tables = allocate(FIRST_CAPACITY, null);
    }

    /** Makes room for positions below {@code positions}. */
    void reserve(int positions) {
        int capacity = tables.rope.positions();
        if (positions > capacity) {
            tables = allocate((int) Math.min(Integer.MAX_VALUE, Math.max(positions, 2L * capacity)), tables);
        }
    }

    RopeTable rope() {
        return tables.rope;
    }

    /** Scratch of a member: enough for any number of items that attend to the positions reserved. */
    MemorySegment scores(int member) {
        return tables.scores[member];
    }

    /** @param before has the first positions; null for none */
    private Tables allocate(int positions, @Nullable Tables before) {
        Arena arena = Arena.ofAuto(); // see Forward: what is passed to kernels in every pass is in no shared arena
        MemorySegment[] scores = new MemorySegment[members];
        for (int member = 0; member < members; member++) {
            scores[member] = arena.allocate(4 * KvLayer.attentionScores(KvLayer.ATTENTION_ROWS, positions), 64);
        }
        int half = model.ropeDims() / 2;
        MemorySegment cosines = arena.allocate(4L * positions * half, 64);
        MemorySegment sines = arena.allocate(4L * positions * half, 64);
        int filled = 0;
        if (before != null) {
            filled = before.rope.positions();
            MemorySegment.copy(before.cosines, 0, cosines, 0, 4L * filled * half);
            MemorySegment.copy(before.sines, 0, sines, 0, 4L * filled * half);
        }
        fill(cosines, sines, filled, positions);
        RopeTable rope = RopeTable.of(arena, cosines, sines, positions, model.ropeDims(), pairing);
        return new Tables(rope, cosines, sines, scores);
    }

    private void fill(MemorySegment cosines, MemorySegment sines, int first, int end) {
        int half = model.ropeDims() / 2;
        float[] frequencies = frequencies(model.ropeTheta(), model.ropeDims());
        for (int position = first; position < end; position++) {
            for (int i = 0; i < half; i++) {
                double angle = (float) position * frequencies[i];
                long index = (long) position * half + i;
                cosines.setAtIndex(ValueLayout.JAVA_FLOAT, index, (float) StrictMath.cos(angle));
                sines.setAtIndex(ValueLayout.JAVA_FLOAT, index, (float) StrictMath.sin(angle));
            }
        }
    }

    /** {@code 1 / theta^(2i / dims)}: the power rounded to float32, then its reciprocal. */
    static float[] frequencies(float theta, int dims) {
        float[] frequencies = new float[dims / 2];
        for (int i = 0; i < frequencies.length; i++) {
            float exponent = (float) (2 * i) / dims;
            frequencies[i] = 1f / (float) StrictMath.pow(theta, exponent);
        }
        return frequencies;
    }
}
