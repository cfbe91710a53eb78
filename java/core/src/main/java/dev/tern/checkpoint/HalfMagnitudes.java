package dev.tern.checkpoint;

import dev.tern.safetensors.SafetensorsType;
import dev.tern.ternary.Bfloat16;

/** |w| as a double by the lower 15 bits of a 16-bit float; infinite or NaN where it is. Not to be changed. */
final class HalfMagnitudes {
    private static final int COUNT = 1 << 15;

    private HalfMagnitudes() {}

    private static final class OfBfloat16 {
        static final double[] TABLE = new double[COUNT];

        static {
            for (int bits = 0; bits < COUNT; bits++) {
                TABLE[bits] = Bfloat16.toFloat((short) bits);
            }
        }
    }

    private static final class OfFloat16 {
        static final double[] TABLE = new double[COUNT];

        static {
            for (int bits = 0; bits < COUNT; bits++) {
                TABLE[bits] = Float.float16ToFloat((short) bits);
            }
        }
    }

    /** The table of BF16 or F16. */
    static double[] of(SafetensorsType type) {
        return switch (type) {
            case BF16 -> OfBfloat16.TABLE;
            case F16 -> OfFloat16.TABLE;
            default -> throw new IllegalArgumentException(type + " has no 16 bits");
        };
    }
}
