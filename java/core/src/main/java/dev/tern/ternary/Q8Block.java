package dev.tern.ternary;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A block of Q8_0: d as fp16, then 32 signed bytes q, w = d * q. Ternary: d = s, q = T. {@link SmallBlocks} reads rows.
 */
final class Q8Block {
    private static final int COLUMNS = 32;

    private Q8Block() {}

    /** Everything but d. */
    static void encode(byte[] values, int v, byte[] out, int o) {
        System.arraycopy(values, v, out, o + 2, COLUMNS);
    }

    /** Weight {@code i}: a product of 11 and 7 significant bits, which a float holds exactly. */
    static float value(MemorySegment in, long at, int i) {
        return BlockFormat.half(in, at) * in.get(ValueLayout.JAVA_BYTE, at + 2 + i);
    }
}
