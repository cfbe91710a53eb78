package dev.tern.ternary;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.Optional;

/**
 * The canonical form (T, s) of a ternary matrix: W = scale * T.
 *
 * @param rows output features M
 * @param cols input features K
 * @param values T, row-major {@code [rows][cols]}, each -1, 0 or +1; not copied, and not to be changed
 * @param scale s, finite
 */
public record TernaryMatrix(int rows, int cols, byte[] values, float scale) {

    public TernaryMatrix {
        Objects.requireNonNull(values);
        if (rows <= 0 || cols <= 0 || (long) rows * cols != values.length) {
            throw new IllegalArgumentException(rows + " x " + cols + " values expected, found " + values.length);
        }
        if (!Float.isFinite(scale)) {
            throw new IllegalArgumentException("scale is " + scale);
        }
    }

    /** Whether all of T is zero. */
    private boolean isZero() {
        int any = 0;
        for (byte value : values) {
            any |= value;
        }
        return any == 0;
    }

    /** @throws IllegalArgumentException as {@link TernaryCodec#encode} says */
    void requireHeldBy(TernaryCodec codec) {
        Optional<String> obstacle = codec.obstacle(rows, cols)
                .or(() -> codec.scaleObstacle(scale).filter(reason -> scale != 0 || !isZero()));
        if (obstacle.isPresent()) {
            throw new IllegalArgumentException(obstacle.get());
        }
    }

    /**
     * Writes T in the run-time layout of {@link dev.tern.kernels.TernaryWeights}.
     *
     * @param runtime {@link TernaryCodec#packedSize} bytes
     */
    public void pack(MemorySegment runtime) {
        byte[] row = new byte[Math.toIntExact(RuntimeLayout.byteSize(1, cols))];
        for (int r = 0; r < rows; r++) {
            RuntimeLayout.packRow(values, r * cols, cols, row);
            MemorySegment.copy(row, 0, runtime, ValueLayout.JAVA_BYTE, (long) r * row.length, row.length);
        }
    }
}
