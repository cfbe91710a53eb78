package dev.tern.measure;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.tern.kernels.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;

/** Calls of {@link Kernels#dotPeak}, each member of a team with sums of its own; and whether these are right. */
final class ProductPeak {
    /** Repetitions come in multiples of this. */
    static final long UNIT = 16 * Kernels.PEAK_UNIT;

    /** Of a repetition: 64 multiplications, 64 additions. */
    static final int OPERATIONS = 128;

    private final Kernels kernels;
    private final MemorySegment codes;
    private final MemorySegment values;
    private final List<MemorySegment> sums;

    ProductPeak(Kernels kernels, Arena arena, int members) {
        this.kernels = kernels;
        codes = arena.allocate(64, 64);
        for (int i = 0; i < 64; i++) {
            codes.set(JAVA_BYTE, i, (byte) (i % 3));
        }
        values = arena.allocate(4, 64).copyFrom(MemorySegment.ofArray(new byte[] {1, -7, 127, -128}));
        sums = IntStream.range(0, members).mapToObj(member -> arena.allocate(64, 128)).toList(); // lines of its own
    }

    void run(int member, long repetitions) {
        kernels.dotPeak(codes, values, repetitions, sums.get(member));
    }

    /** Whether the last run of each of the first members gave what so many repetitions give. */
    boolean isRight(int members, long repetitions) {
        for (int i = 0; i < 16; i++) {
            int dot = 0;
            for (int j = 0; j < 4; j++) {
                dot += codes.get(JAVA_BYTE, 4 * i + j) * values.get(JAVA_BYTE, j);
            }
            for (int member = 0; member < members; member++) {
                if (sums.get(member).getAtIndex(JAVA_INT, i) != (int) (repetitions * dot)) {
                    return false;
                }
            }
        }
        return true;
    }
}
