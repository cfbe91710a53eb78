package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/** {@code ternary_decode} weight by weight, as {@code tern_kernels.h} describes the encodings. */
final class ReferenceDecoding {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int NONE = 3; // no code of a ternary weight
    private static final int LAST_TRITS = 48; // bytes of TQ1_0 from here on have four

    private ReferenceDecoding() {}

    /** The first row that is not ternary, or -1. */
    static int decode(
            TernaryEncoding encoding, MemorySegment in, int rows, int cols, float scale, MemorySegment codes) {
        byte[] row = new byte[Math.toIntExact(TernaryWeights.rowBytes(cols))];
        for (int r = 0; r < rows; r++) {
            Arrays.fill(row, (byte) 0b01_01_01_01);
            for (int c = 0; c < cols; c += encoding.blockSize()) {
                long at = r * encoding.rowBytes(cols) + (long) c / encoding.blockSize() * encoding.blockBytes();
                if (!block(encoding, in, at, scale, row, c)) {
                    return r;
                }
            }
            MemorySegment.copy(row, 0, codes, JAVA_BYTE, (long) r * row.length, row.length);
        }
        return -1;
    }

    private static boolean block(
            TernaryEncoding encoding, MemorySegment in, long at, float scale, byte[] row, int first) {
        boolean zeros = true;
        for (int i = 0; i < encoding.blockSize(); i++) {
            int code = switch (encoding) {
                case TQ1_0 -> trit(in, at, i);
                case TQ2_0 -> pair(in, at, i);
                default -> code(weight(encoding, in, at, i), scale);
            };
            if (code == NONE) {
                return false;
            }
            zeros &= code == 1;
            int c = first + i;
            int place = c / TernaryWeights.GROUP * TernaryWeights.GROUP_BYTES + c % 32;
            int shift = 6 - 2 * (c % TernaryWeights.GROUP / 32);
            row[place] = (byte) (row[place] & ~(3 << shift) | code << shift);
        }
        return switch (encoding) {
            case TQ1_0, TQ2_0 -> {
                float d = half(in, at + encoding.blockBytes() - 2);
                yield d == scale || zeros && Float.isFinite(d);
            }
            default -> true;
        };
    }

    private static int code(float weight, float scale) {
        return weight == 0 ? 1 : weight == scale ? 2 : weight == -scale ? 0 : NONE;
    }

    /** Two bits, the first of 32 columns' lowest. */
    private static int pair(MemorySegment in, long at, int i) {
        return in.get(JAVA_BYTE, at + i / 128 * 32 + i % 32) >> 2 * (i % 128 / 32) & 3;
    }

    private static int trit(MemorySegment in, long at, int i) {
        int place = i < 160 ? i % 32 : i < 240 ? 32 + i % 16 : LAST_TRITS + i % 4;
        int digit = i < 160 ? i / 32 : i < 240 ? (i - 160) / 16 : (i - 240) / 4;
        int value = in.get(JAVA_BYTE, at + place) & 255;
        int q = value * 243 >> 8; // of ceil(256 q / 243)
        if ((256 * q + 242) / 243 != value || place >= LAST_TRITS && q % 3 != 0) {
            return NONE;
        }
        for (int k = 4; k > digit; k--) {
            q /= 3;
        }
        return q % 3;
    }

    private static float weight(TernaryEncoding encoding, MemorySegment in, long at, int i) {
        return switch (encoding) {
            case Q2_K -> {
                int factors = in.get(JAVA_BYTE, at + i / 16);
                float product = half(in, at + 80) * (factors & 15) * pair(in, at + 16, i);
                yield product - half(in, at + 82) * (factors >> 4 & 15);
            }
            case Q4_0 -> half(in, at) * ((in.get(JAVA_BYTE, at + 2 + i % 16) >> 4 * (i / 16) & 15) - 8);
            case Q8_0 -> half(in, at) * in.get(JAVA_BYTE, at + 2 + i);
            case F16 -> half(in, at);
            case BF16 -> Float.intBitsToFloat(in.get(SHORT, at) << 16);
            case F32 -> Float.intBitsToFloat(in.get(INT, at));
            case TQ1_0, TQ2_0 -> throw new IllegalArgumentException(encoding + " has codes");
        };
    }

    private static float half(MemorySegment in, long at) {
        return Float.float16ToFloat(in.get(SHORT, at));
    }
}
