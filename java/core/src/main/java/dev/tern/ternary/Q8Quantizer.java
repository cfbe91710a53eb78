package dev.tern.ternary;

import dev.tern.gguf.GgmlType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Q8_0: d = max|x| / 127 in float, q = round(x * (1 / d)), halves away from zero; then d is rounded to fp16. */
final class Q8Quantizer extends BlockQuantizer {
    private static final int COLUMNS = 32;
    private static final int BYTES = 34;

    /** 65519.99 is the largest float that rounds to a finite fp16. */
    private static final float LIMIT = 65519f * 127;

    private final byte[] block = new byte[BYTES];

    Q8Quantizer() {
        super(GgmlType.Q8_0);
    }

    @Override
    float limit() {
        return LIMIT;
    }

    @Override
    void quantizeBlocks(float[] values, int from, int count, MemorySegment out, long at) {
        for (int v = from; v < from + count; v += COLUMNS, at += BYTES) {
            int largest = 0;
            for (int i = 0; i < COLUMNS; i++) {
                largest = Math.max(largest, Float.floatToRawIntBits(values[v + i]) & 0x7FFF_FFFF);
            }
            float d = Float.intBitsToFloat(largest) / 127;
            float inverse = d == 0 ? 0 : 1 / d;
            short half = Float.floatToFloat16(d);
            block[0] = (byte) half;
            block[1] = (byte) (half >> 8);
            for (int i = 0; i < COLUMNS; i++) {
                float x = values[v + i] * inverse;
                block[2 + i] = (byte) (int) (x + Math.copySign(0.5, x)); // exact in double
            }
            MemorySegment.copy(block, 0, out, ValueLayout.JAVA_BYTE, at, BYTES);
        }
    }

    @Override
    public void dequantize(MemorySegment in, long at, int count, float[] out, int to) {
        requireWholeBlocks(count);
        for (int o = to; o < to + count; o += COLUMNS, at += BYTES) {
            float d = BlockFormat.half(in, at);
            for (int i = 0; i < COLUMNS; i++) {
                out[o + i] = d * in.get(ValueLayout.JAVA_BYTE, at + 2 + i);
            }
        }
    }
}
