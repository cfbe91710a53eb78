package dev.tern.model;

import dev.tern.kernels.KvLayer;
import dev.tern.kernels.RopePairing;
import dev.tern.kernels.RopeTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What grows with the longest sequence and is shared by all: the rotation table, and each thread's scratch for attention
 * scores. Not thread-safe; {@link #reserve} must not run beside a forward pass.
 *
 * <p>Rotation as Hugging Face computes it: frequency i is {@code 1 / theta^(2i / dims)} in float32, the angle is
 * {@code (float) position * frequency} in float32, and the table holds the cosine and sine of that float, rounded once.
 */
final class PositionTables {
    /** Positions of a first, short sequence: tables double as they are outgrown, which costs no more in all than large ones. */
    private static final int FIRST_CAPACITY = 64;

    private final ModelHyperparameters model;
    private final RopePairing pairing;
    private final int members;
    private Tables tables;

    private record Tables(RopeTable rope, MemorySegment[] scores) {}

    PositionTables(ModelHyperparameters model, RopePairing pairing, int members) {
        this.model = model;
        this.pairing = pairing;
        this.members = members;
        this.tables = allocate(FIRST_CAPACITY);
    }

    /** Makes room for positions below {@code positions}. */
    void reserve(int positions) {
        int capacity = tables.rope.positions();
        if (positions > capacity) {
            tables = allocate((int) Math.min(Integer.MAX_VALUE, Math.max(positions, 2L * capacity)));
        }
    }

    RopeTable rope() {
        return tables.rope;
    }

    /** Scratch of a member: enough for any number of items that attend to the positions reserved. */
    MemorySegment scores(int member) {
        return tables.scores[member];
    }

    private Tables allocate(int positions) {
        Arena arena = Arena.ofAuto(); // see Forward: what is passed to kernels in every pass is in no shared arena
        MemorySegment[] scores = new MemorySegment[members];
        for (int member = 0; member < members; member++) {
            scores[member] = arena.allocate(4 * KvLayer.attentionScores(KvLayer.ATTENTION_ROWS, positions), 64);
        }
        return new Tables(fill(arena, positions), scores);
    }

    private RopeTable fill(Arena arena, int positions) {
        int half = model.ropeDims() / 2;
        MemorySegment cosines = arena.allocate(4L * positions * half, 64);
        MemorySegment sines = arena.allocate(4L * positions * half, 64);
        float[] frequencies = frequencies(model.ropeTheta(), model.ropeDims());
        for (int position = 0; position < positions; position++) {
            for (int i = 0; i < half; i++) {
                double angle = (float) position * frequencies[i];
                long index = (long) position * half + i;
                cosines.setAtIndex(ValueLayout.JAVA_FLOAT, index, (float) StrictMath.cos(angle));
                sines.setAtIndex(ValueLayout.JAVA_FLOAT, index, (float) StrictMath.sin(angle));
            }
        }
        return RopeTable.of(arena, cosines, sines, positions, model.ropeDims(), pairing);
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
