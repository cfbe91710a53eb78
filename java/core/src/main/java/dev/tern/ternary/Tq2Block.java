package dev.tern.ternary;

import java.lang.foreign.MemorySegment;

/**
 * A block of TQ2_0: byte 32h+m (h = 0, 1; m below 32) holds the codes T+1 of columns 128h + m, +32, +64, +96 from the
 * lowest bits up. The run-time layout is the same from the highest bits down, so that a byte is translated by reversing
 * its four bit pairs.
 */
final class Tq2Block {
    /** Byte of the scale. */
    static final int SCALE = 64;

    private static final int BYTES = 66;
    private static final int CODE_BYTES = 64;

    private Tq2Block() {}

    static void encode(byte[] values, int v, byte[] out, int o) {
        for (int half = 0; half < 2; half++, v += 128, o += 32) {
            for (int m = 0; m < 32; m++) {
                out[o + m] = (byte) (values[v + m] + 1
                        | values[v + 32 + m] + 1 << 2
                        | values[v + 64 + m] + 1 << 4
                        | values[v + 96 + m] + 1 << 6);
            }
        }
    }

    /** As {@link BlockFormat#packRow}. */
    static int packRow(MemorySegment in, long at, int blocks, float s, MemorySegment runtime, long to) {
        for (int b = 0; b < blocks; b++, at += BYTES, to += 2 * RuntimeLayout.GROUP_BYTES) {
            if (pack(in, at, runtime, to) != 0
                    || !RuntimeLayout.hasScale(BlockFormat.half(in, at + SCALE), s, runtime, to)) {
                return b;
            }
        }
        return -1;
    }

    /** Whether a code is 3. */
    static boolean isDamaged(MemorySegment in, long at) {
        return pack(in, at, MemorySegment.ofArray(new byte[CODE_BYTES]), 0) != 0;
    }

    /** Translates one block; the result is not zero when a code is invalid. */
    static long pack(MemorySegment in, long at, MemorySegment runtime, long to) {
        long invalid = 0;
        for (int i = 0; i < CODE_BYTES; i += 8) {
            long codes = in.get(RuntimeLayout.LONG, at + i);
            invalid |= RuntimeLayout.invalid(codes);
            runtime.set(RuntimeLayout.LONG, to + i, reversePairs(codes));
        }
        return invalid;
    }

    /** Reverses the four bit pairs of each of eight bytes. */
    private static long reversePairs(long x) {
        x = (x & 0x0F0F_0F0F_0F0F_0F0FL) << 4 | x >>> 4 & 0x0F0F_0F0F_0F0F_0F0FL;
        return (x & 0x3333_3333_3333_3333L) << 2 | x >>> 2 & 0x3333_3333_3333_3333L;
    }
}
