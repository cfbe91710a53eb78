package dev.tern.ternary;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Rows of ternary floats into the run-time layout. A weight is a magnitude, 0 or that of s, and a sign, which counts
 * where the magnitude is not 0; so one bit that s has tells which it is, and the others are checked. Lanes of a long
 * hold four 16-bit floats or two of 32 bits. A code is 1 + set - 2 * negative: what is taken from a lane never exceeds
 * the ones it starts with.
 */
final class FloatPacking {
    private static final long ONE_16 = 0x0001_0001_0001_0001L;
    private static final long MAGNITUDE_16 = 0x7FFF_7FFF_7FFF_7FFFL;
    /** The code 1 four times. */
    private static final long CODES_16 = 0x0055_0055_0055_0055L;

    private static final long CODES_32 = 0x0000_0055_0000_0055L;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final long ONE_32 = 0x0000_0001_0000_0001L;
    private static final long MAGNITUDE_32 = 0x7FFF_FFFF_7FFF_FFFFL;

    private FloatPacking() {}

    /**
     * Translates a row, padded to whole groups.
     *
     * @param bytes of a weight: 2 or 4
     * @param magnitude bits of s in the type, without sign; 0 when all weights of the tensor are zero
     * @return false when a weight is neither 0 nor s nor -s
     */
    static boolean pack(MemorySegment in, long at, int cols, int bytes, int magnitude, MemorySegment runtime, long to) {
        int whole = cols / RuntimeLayout.GROUP * RuntimeLayout.GROUP;
        long other = 0;
        for (int c = 0; c < whole; c += RuntimeLayout.GROUP, to += RuntimeLayout.GROUP_BYTES) {
            other |= packGroup(in, at + (long) c * bytes, bytes, magnitude, runtime, to);
        }
        if (whole < cols) {
            MemorySegment last = MemorySegment.ofArray(new byte[RuntimeLayout.GROUP * bytes]);
            MemorySegment.copy(in, at + (long) whole * bytes, last, 0, (long) (cols - whole) * bytes);
            other |= packGroup(last, 0, bytes, magnitude, runtime, to);
        }
        return other == 0;
    }

    private static long packGroup(MemorySegment in, long at, int bytes, int magnitude, MemorySegment runtime, long to) {
        return bytes == 2
                ? packGroup16(in, at, magnitude, runtime, to)
                : packGroup32(in, at, magnitude, runtime, to);
    }

    /** Four columns of each quarter at a time; quarter q ends in bits 7-2q and 6-2q of a lane's low byte. */
    private static long packGroup16(MemorySegment in, long at, int magnitude, MemorySegment runtime, long to) {
        int bit = Integer.numberOfTrailingZeros(magnitude | 1 << 14);
        long other = 0;
        for (int p = 0; p < RuntimeLayout.GROUP_BYTES; p += 8) {
            long a = CODES_16;
            long b = CODES_16;
            for (int quarter = 0; quarter < 4; quarter++) {
                long x = in.get(RuntimeLayout.LONG, at + 64 * quarter + 2 * p);
                long y = in.get(RuntimeLayout.LONG, at + 64 * quarter + 2 * p + 8);
                long xSet = x >>> bit & ONE_16;
                long ySet = y >>> bit & ONE_16;
                other |= (x & MAGNITUDE_16) ^ xSet * magnitude | (y & MAGNITUDE_16) ^ ySet * magnitude;
                int shift = 6 - 2 * quarter;
                a += xSet - ((x >>> 15 & xSet) << 1) << shift;
                b += ySet - ((y >>> 15 & ySet) << 1) << shift;
            }
            runtime.set(RuntimeLayout.LONG, to + p, bytesOf16(a) | bytesOf16(b) << 32);
        }
        return other;
    }

    /** The low bytes of four lanes. */
    private static long bytesOf16(long lanes) {
        long x = (lanes | lanes >>> 8) & 0x0000_FFFF_0000_FFFFL;
        return (x | x >>> 16) & 0xFFFF_FFFFL;
    }

    private static long packGroup32(MemorySegment in, long at, int magnitude, MemorySegment runtime, long to) {
        int bit = Integer.numberOfTrailingZeros(magnitude | 1 << 30);
        long other = 0;
        for (int p = 0; p < RuntimeLayout.GROUP_BYTES; p += 4) {
            long a = CODES_32;
            long b = CODES_32;
            for (int quarter = 0; quarter < 4; quarter++) {
                long x = in.get(RuntimeLayout.LONG, at + 128 * quarter + 4 * p);
                long y = in.get(RuntimeLayout.LONG, at + 128 * quarter + 4 * p + 8);
                long xSet = x >>> bit & ONE_32;
                long ySet = y >>> bit & ONE_32;
                other |= (x & MAGNITUDE_32) ^ xSet * magnitude | (y & MAGNITUDE_32) ^ ySet * magnitude;
                int shift = 6 - 2 * quarter;
                a += xSet - ((x >>> 31 & xSet) << 1) << shift;
                b += ySet - ((y >>> 31 & ySet) << 1) << shift;
            }
            int two = (int) (a | a >>> 24) & 0xFFFF;
            runtime.set(INT, to + p, two | (int) (b | b >>> 24) << 16);
        }
        return other;
    }
}
