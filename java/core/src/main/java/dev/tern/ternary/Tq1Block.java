package dev.tern.ternary;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * A block of TQ1_0: five trits T+1 in a byte, as a fraction. With v = the trits as a number to base 3, first trit
 * highest, the byte is ceil(256 v / 243); multiplying it by 3 five times pushes the trits out over bit 8, first trit
 * first.
 *
 * <p>Bytes 0..31: byte m holds columns m, m+32, m+64, m+96, m+128. Bytes 32..47: byte 32+m holds columns 160+m, +16,
 * +32, +48, +64. Bytes 48..51: byte 48+j holds columns 240+j, +4, +8, +12 and a trit 0.
 */
final class Tq1Block {
    /** Byte of the scale. */
    static final int SCALE = 52;

    private static final int BYTES = 54;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Eight bytes of an array. */
    private static final VarHandle EIGHT = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** The low byte of both 32-bit lanes. */
    private static final long WIDE = 0x0000_00FF_0000_00FFL;

    /** The low byte of each of four 16-bit lanes. */
    private static final long LOW = 0x00FF_00FF_00FF_00FFL;

    private static final long TRIT = 0x0003_0003_0003_0003L;

    /** 13 in each lane: carries a byte above 242 into bit 8. */
    private static final long ABOVE_242 = 0x000D_000D_000D_000DL;

    private static final long BIT_8 = 0x0100_0100_0100_0100L;

    private Tq1Block() {}

    static void encode(byte[] values, int v, byte[] out, int o) {
        five(values, v, 32, out, o);
        five(values, v + 160, 16, out, o + 32);
        for (int j = 0; j < 4; j++) {
            int at = v + 240 + j;
            out[o + 48 + j] = fraction(
                    ((values[at] * 3 + values[at + 4]) * 3 + values[at + 8]) * 9 + values[at + 12] * 3 + 120);
        }
    }

    /**
     * {@code count} bytes of five trits, whose columns lie {@code count} apart: eight bytes side by side in a long,
     * where five trits are at most 242, so that no byte overflows.
     */
    private static void five(byte[] values, int v, int count, byte[] out, int o) {
        for (int m = 0; m < count; m += 8) {
            int at = v + m;
            long x = trits(values, at);
            x = 3 * x + trits(values, at + count);
            x = 3 * x + trits(values, at + 2 * count);
            x = 3 * x + trits(values, at + 3 * count);
            x = 3 * x + trits(values, at + 4 * count);
            EIGHT.set(out, o + m, fractions(x)
                    | fractions(x >>> 8) << 8
                    | fractions(x >>> 16) << 16
                    | fractions(x >>> 24) << 24);
        }
    }

    /** Eight trits T+1, without a carry from byte to byte. */
    private static long trits(byte[] values, int at) {
        long t = (long) EIGHT.get(values, at);
        return (t & 0x7F7F_7F7F_7F7F_7F7FL) + 0x0101_0101_0101_0101L ^ t & 0x8080_8080_8080_8080L;
    }

    /** {@link #fraction} of bytes 0 and 4. */
    private static long fractions(long x) {
        return ((x & WIDE) * 8631 + 8158 * 0x0000_0001_0000_0001L) >>> 13 & WIDE;
    }

    /** ceil(256 v / 243) for v from 0 to 242, without a division. */
    private static byte fraction(int v) {
        return (byte) (v * 8631 + 8158 >> 13);
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

    /** Whether a byte encodes no trits. */
    static boolean isDamaged(MemorySegment in, long at) {
        return pack(in, at, MemorySegment.ofArray(new byte[2 * RuntimeLayout.GROUP_BYTES]), 0) != 0;
    }

    /**
     * Translates one block into two groups of 32 bytes, eight source bytes at a time in two words of four lanes; the
     * result is not zero when a byte is none that an encoder writes.
     */
    static long pack(MemorySegment in, long at, MemorySegment runtime, long to) {
        long invalid = 0;
        long h = spread(in.get(INT, at + 48));
        long h0 = (h *= 3) >>> 8 & TRIT;
        long h1 = (h = (h & LOW) * 3) >>> 8 & TRIT;
        long h2 = (h = (h & LOW) * 3) >>> 8 & TRIT;
        long h3 = (h = (h & LOW) * 3) >>> 8 & TRIT;
        invalid |= (h = (h & LOW) * 3) >>> 8 & TRIT; // the fifth trit is always 0
        invalid |= (h & LOW) + ABOVE_242 & BIT_8;
        long upper0 = gather(h0) | gather(h1) << 32;
        long upper1 = gather(h2) | gather(h3) << 32;
        for (int i = 0; i < 16; i += 8) {
            // Bytes i.. and 16+i.. of the first 32: four trits fill group 0, the fifth opens group 1.
            long a = in.get(RuntimeLayout.LONG, at + i);
            long b = in.get(RuntimeLayout.LONG, at + 16 + i);
            long c = in.get(RuntimeLayout.LONG, at + 32 + i);
            long ae = a & LOW;
            long ao = a >>> 8 & LOW;
            long be = b & LOW;
            long bo = b >>> 8 & LOW;
            long ga = 0;
            long gb = 0;
            for (int n = 0; n < 4; n++) {
                ae = (ae & LOW) * 3;
                ao = (ao & LOW) * 3;
                be = (be & LOW) * 3;
                bo = (bo & LOW) * 3;
                ga = ga << 2 | ae >>> 8 & TRIT | ao & TRIT << 8;
                gb = gb << 2 | be >>> 8 & TRIT | bo & TRIT << 8;
            }
            ae = (ae & LOW) * 3;
            ao = (ao & LOW) * 3;
            be = (be & LOW) * 3;
            bo = (bo & LOW) * 3;
            long fifthA = ae >>> 8 & TRIT | ao & TRIT << 8;
            long fifthB = be >>> 8 & TRIT | bo & TRIT << 8;
            invalid |= ((ae & LOW) + ABOVE_242 | (ao & LOW) + ABOVE_242 | (be & LOW) + ABOVE_242 | (bo & LOW) + ABOVE_242)
                    & BIT_8;
            // Byte 32+i..: trits 0, 2, 4 belong to bytes i.. of group 1, trits 1, 3 to its bytes 16+i...
            long ce = (c & LOW) * 3;
            long co = (c >>> 8 & LOW) * 3;
            long c0 = ce >>> 8 & TRIT | co & TRIT << 8;
            ce = (ce & LOW) * 3;
            co = (co & LOW) * 3;
            long c1 = ce >>> 8 & TRIT | co & TRIT << 8;
            ce = (ce & LOW) * 3;
            co = (co & LOW) * 3;
            long c2 = ce >>> 8 & TRIT | co & TRIT << 8;
            ce = (ce & LOW) * 3;
            co = (co & LOW) * 3;
            long c3 = ce >>> 8 & TRIT | co & TRIT << 8;
            ce = (ce & LOW) * 3;
            co = (co & LOW) * 3;
            long c4 = ce >>> 8 & TRIT | co & TRIT << 8;
            invalid |= ((ce & LOW) + ABOVE_242 | (co & LOW) + ABOVE_242) & BIT_8;
            runtime.set(RuntimeLayout.LONG, to + i, ga);
            runtime.set(RuntimeLayout.LONG, to + 16 + i, gb);
            runtime.set(RuntimeLayout.LONG, to + 32 + i, fifthA << 6 | c0 << 4 | c2 << 2 | c4);
            runtime.set(RuntimeLayout.LONG, to + 48 + i, fifthB << 6 | c1 << 4 | c3 << 2 | (i == 0 ? upper0 : upper1));
        }
        return invalid;
    }

    /** Four bytes into four 16-bit lanes. */
    private static long spread(int bytes) {
        long x = bytes & 0xFFFF_FFFFL;
        x = (x | x << 16) & 0x0000_FFFF_0000_FFFFL;
        return (x | x << 8) & LOW;
    }

    /** The low bytes of four lanes into four bytes. */
    private static long gather(long lanes) {
        long x = (lanes | lanes >>> 8) & 0x0000_FFFF_0000_FFFFL;
        return (x | x >>> 16) & 0xFFFF_FFFFL;
    }
}
