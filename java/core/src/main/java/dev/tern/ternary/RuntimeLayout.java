package dev.tern.ternary;

import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The layout of {@link TernaryWeights}, which is also I2_S's: byte p of a group of 128 columns holds the codes T+1 of
 * columns p, p+32, p+64, p+96 from the highest bits down.
 */
final class RuntimeLayout {
    static final int GROUP = TernaryWeights.GROUP;
    static final int GROUP_BYTES = TernaryWeights.GROUP_BYTES;

    /** Eight codes of padding or zero a 16-bit half: 01 everywhere. */
    static final long ZEROS = 0x5555_5555_5555_5555L;

    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Eight bytes of an array. */
    private static final VarHandle BYTES = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private RuntimeLayout() {}

    static long byteSize(int rows, int cols) {
        return Math.multiplyExact(rows, TernaryWeights.rowBytes(cols));
    }

    /** Non-zero when one of the 32 codes is the invalid 3. */
    static long invalid(long codes) {
        return codes & codes >>> 1 & ZEROS;
    }

    /** Whether two groups translated from a block of scale d belong to a matrix of scale s: d = s, or all are zero. */
    static boolean hasScale(float d, float s, MemorySegment runtime, long to) {
        return d == s || Float.isFinite(d) && isZero(runtime, to);
    }

    private static boolean isZero(MemorySegment runtime, long to) {
        for (int i = 0; i < 2 * GROUP_BYTES; i += 8) {
            if (runtime.get(LONG, to + i) != ZEROS) {
                return false;
            }
        }
        return true;
    }

    /** Packs one row of T; {@code out} has the row's bytes and is overwritten whole. */
    static void packRow(byte[] values, int from, int cols, byte[] out) {
        int whole = cols / GROUP * GROUP;
        for (int c = 0, o = 0; c < whole; c += GROUP, o += GROUP_BYTES) {
            packGroup(values, from + c, out, o);
        }
        if (whole < cols) {
            byte[] last = new byte[GROUP];
            System.arraycopy(values, from + whole, last, 0, cols - whole);
            packGroup(last, 0, out, whole / 4);
        }
    }

    private static void packGroup(byte[] values, int v, byte[] out, int o) {
        for (int p = 0; p < GROUP_BYTES; p++) {
            out[o + p] = (byte) (values[v + p] + 1 << 6
                    | values[v + 32 + p] + 1 << 4
                    | values[v + 64 + p] + 1 << 2
                    | values[v + 96 + p] + 1);
        }
    }

    /** Packs one row of codes T+1, one a byte, padded to whole groups; {@code out} has the row's bytes. */
    static void packCodes(byte[] codes, int from, byte[] out) {
        for (int o = 0, c = from; o < out.length; o += GROUP_BYTES, c += GROUP) {
            for (int p = 0; p < GROUP_BYTES; p += 8) {
                long packed = (long) BYTES.get(codes, c + p) << 6
                        | (long) BYTES.get(codes, c + 32 + p) << 4
                        | (long) BYTES.get(codes, c + 64 + p) << 2
                        | (long) BYTES.get(codes, c + 96 + p);
                BYTES.set(out, o + p, packed);
            }
        }
    }

    /** Reads T from valid codes. */
    static void unpack(MemorySegment runtime, int rows, int cols, byte[] values) {
        int rowBytes = Math.toIntExact(TernaryWeights.rowBytes(cols));
        byte[] codes = new byte[rowBytes];
        byte[] padded = new byte[rowBytes * 4];
        for (int row = 0; row < rows; row++) {
            MemorySegment.copy(runtime, ValueLayout.JAVA_BYTE, (long) row * rowBytes, codes, 0, rowBytes);
            for (int o = 0, v = 0; o < rowBytes; o += GROUP_BYTES, v += GROUP) {
                unpackGroup(codes, o, padded, v);
            }
            System.arraycopy(padded, 0, values, row * cols, cols);
        }
    }

    private static void unpackGroup(byte[] codes, int o, byte[] values, int v) {
        for (int p = 0; p < GROUP_BYTES; p++) {
            int code = codes[o + p];
            values[v + p] = (byte) ((code >> 6 & 3) - 1);
            values[v + 32 + p] = (byte) ((code >> 4 & 3) - 1);
            values[v + 64 + p] = (byte) ((code >> 2 & 3) - 1);
            values[v + 96 + p] = (byte) ((code & 3) - 1);
        }
    }
}
