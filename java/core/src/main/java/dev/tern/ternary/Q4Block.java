package dev.tern.ternary;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A block of Q4_0: d as fp16, then 16 bytes; byte j holds q of column j in its low and of column j+16 in its high half,
 * w = d * (q - 8). Ternary: d = s, q = T + 8. {@link SmallBlocks} reads rows.
 *
 * <p>ggml's own quantizer takes d = -w / 8 for the first weight w of largest magnitude, so that w is q = 0; the
 * opposite sign would be q = 16 and is cut to 15, 7/8 of its value. It loses ternary blocks that hold both signs; this
 * layout does not.
 */
final class Q4Block {
    private static final int HALF = 16;

    private Q4Block() {}

    /** Everything but d. */
    static void encode(byte[] values, int v, byte[] out, int o) {
        for (int j = 0; j < HALF; j++) {
            out[o + 2 + j] = (byte) (values[v + j] + 8 | values[v + HALF + j] + 8 << 4);
        }
    }

    /** Weight {@code i}: exact in float. */
    static float value(MemorySegment in, long at, int i) {
        int q = in.get(ValueLayout.JAVA_BYTE, at + 2 + i % HALF) >> 4 * (i / HALF) & 15;
        return BlockFormat.half(in, at) * (q - 8);
    }
}
