package dev.tern.convert;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.probe.Rounding;
import dev.tern.ternary.Bfloat16;
import dev.tern.ternary.BlockQuantizer;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.TernaryCodec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What the types of a GGUF file's tensors make of the numbers of the checkpoint it was made from. */
record FileRounding(GgufFile file, LutTiles tiles) implements Rounding {

    @Override
    public float scale(String projection, float scale) {
        return TernaryCodec.of(file.require(projection), tiles)
                .orElseThrow(() -> new IllegalStateException(projection + " has been compared"))
                .storedScale(scale);
    }

    @Override
    public void floats(String tensor, MemorySegment values, int count) {
        GgmlType type = file.require(tensor).type();
        switch (type) {
            case F32 -> { }
            case F16, BF16 -> halves(values, count, type == GgmlType.F16);
            case Q8_0, Q6_K -> blocks(values, count, type);
            default -> throw new IllegalStateException(tensor + " is " + type);
        }
    }

    private static void halves(MemorySegment values, int count, boolean fp16) {
        for (int i = 0; i < count; i++) {
            float value = values.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            values.setAtIndex(
                    ValueLayout.JAVA_FLOAT,
                    i,
                    fp16
                            ? Float.float16ToFloat(Float.floatToFloat16(value))
                            : Float.intBitsToFloat(Bfloat16.of(value) << 16));
        }
    }

    private static void blocks(MemorySegment values, int count, GgmlType type) {
        BlockQuantizer quantizer = BlockQuantizer.of(type);
        int piece = Math.min(count, type.blockSize() * 64);
        float[] floats = new float[piece];
        MemorySegment bytes = MemorySegment.ofArray(new byte[Math.toIntExact(type.bytes(piece, 1))]);
        for (int from = 0; from < count; from += piece) {
            int now = Math.min(piece, count - from);
            MemorySegment.copy(values, ValueLayout.JAVA_FLOAT, 4L * from, floats, 0, now);
            quantizer.quantize(floats, 0, now, bytes, 0);
            quantizer.dequantize(bytes, 0, now, floats, 0);
            MemorySegment.copy(floats, 0, values, ValueLayout.JAVA_FLOAT, 4L * from, now);
        }
    }
}
