package dev.tern.ternary;

import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The blocks that {@link BlockCodec} writes and reads. TQ1_0 and TQ2_0 store codes T+1 and s, and nothing else is
 * accepted. Q2_K, Q4_0 and Q8_0 are types for continuous weights that can hold ternary ones exactly; whoever wrote them
 * may have chosen other steps than {@link #encode} does, so there the values decide: a tensor is ternary when every
 * weight, as ggml computes it, is 0, s or -s.
 */
enum BlockFormat {
    TQ1_0(GgmlType.TQ1_0),
    TQ2_0(GgmlType.TQ2_0),
    Q2_K(GgmlType.Q2_K),
    Q4_0(GgmlType.Q4_0),
    Q8_0(GgmlType.Q8_0);

    static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final GgmlType type;

    BlockFormat(GgmlType type) {
        this.type = type;
    }

    GgmlType type() {
        return type;
    }

    /** Whether T is stored as such, whatever s is: then s may be zero or negative. */
    boolean storesCodes() {
        return this == TQ1_0 || this == TQ2_0;
    }

    /** Writes one block: T from {@code values[v]} on, and s as fp16. */
    void encode(byte[] values, int v, short d, byte[] out, int o) {
        switch (this) {
            case TQ1_0 -> {
                Tq1Block.encode(values, v, out, o);
                put(d, out, o + Tq1Block.SCALE);
            }
            case TQ2_0 -> {
                Tq2Block.encode(values, v, out, o);
                put(d, out, o + Tq2Block.SCALE);
            }
            case Q2_K -> {
                Q2kBlock.encode(values, v, out, o);
                put(d, out, o + Q2kBlock.D);
                put(d, out, o + Q2kBlock.D_MIN);
            }
            case Q4_0 -> {
                put(d, out, o);
                Q4Block.encode(values, v, out, o);
            }
            case Q8_0 -> {
                put(d, out, o);
                Q8Block.encode(values, v, out, o);
            }
        }
    }

    private static void put(short d, byte[] out, int o) {
        out[o] = (byte) d;
        out[o + 1] = (byte) (d >> 8);
    }

    static float half(MemorySegment in, long at) {
        return Float.float16ToFloat(in.get(SHORT, at));
    }

    /** s as the block at {@code at} has it; zero when it says nothing about s; not finite when it is damaged. */
    float scale(MemorySegment in, long at) {
        if (storesCodes()) {
            return half(in, at + type.blockBytes() - 2);
        }
        for (int i = 0; i < type.blockSize(); i++) {
            float value = value(in, at, i);
            if (value != 0) {
                return Math.abs(value);
            }
        }
        return 0;
    }

    /** Weight {@code i} of a block of Q2_K, Q4_0 or Q8_0. */
    private float value(MemorySegment in, long at, int i) {
        return switch (this) {
            case Q2_K -> Q2kBlock.value(in, at, i);
            case Q4_0 -> Q4Block.value(in, at, i);
            case Q8_0 -> Q8Block.value(in, at, i);
            case TQ1_0, TQ2_0 -> throw new IllegalStateException(this + " stores codes");
        };
    }

    /**
     * Translates a row's blocks into the run-time layout, padded to whole groups.
     *
     * @param s of the tensor
     * @return the first block that is not ternary or has another scale, or -1
     */
    int packRow(MemorySegment in, long at, int blocks, float s, MemorySegment runtime, long to) {
        return switch (this) {
            case TQ1_0 -> Tq1Block.packRow(in, at, blocks, s, runtime, to);
            case TQ2_0 -> Tq2Block.packRow(in, at, blocks, s, runtime, to);
            case Q2_K -> Q2kBlock.packRow(in, at, blocks, s, runtime, to);
            case Q4_0 -> SmallBlocks.packRow(true, in, at, blocks, s, runtime, to);
            case Q8_0 -> SmallBlocks.packRow(false, in, at, blocks, s, runtime, to);
        };
    }

    /** What is wrong with a block that {@link #packRow} refused. */
    InputException fault(MemorySegment in, long at, float s, int row, int block, String where) {
        if (storesCodes()) {
            boolean damaged = this == TQ1_0 ? Tq1Block.isDamaged(in, at) : Tq2Block.isDamaged(in, at);
            return damaged
                    ? damagedCodes(row, block, where)
                    : differentScales(s, half(in, at + type.blockBytes() - 2), row, block, where);
        }
        for (int i = 0; i < type.blockSize(); i++) {
            float value = value(in, at, i);
            if (value != 0 && Math.abs(value) != s) { // a NaN is neither
                InputException fault = InputException.at(where)
                        .problem("holds ordinary weights as " + type + ", not ternary ones")
                        .expected("0, " + s + " or " + -s)
                        .found(value + " in row " + row + ", column " + ((long) block * type.blockSize() + i))
                        .cure("Convert the original checkpoint with `tern convert`.")
                        .exception();
                return Float.isFinite(value) ? new NotTernaryException(fault) : fault;
            }
        }
        throw new IllegalStateException(where + ": block " + block + " of row " + row + " is ternary");
    }

    private InputException damagedCodes(int row, int block, String where) {
        return InputException.at(where)
                .problem("block " + block + " of row " + row
                        + (this == TQ1_0 ? " holds a byte that encodes no five trits" : " holds the code 3"))
                .cure("The tensor is damaged; convert the checkpoint again.")
                .exception();
    }

    private static InputException differentScales(float expected, float found, int row, int block, String where) {
        return new NotTernaryException(InputException.at(where)
                .problem("its blocks have different scales, so it is no ternary matrix of one scale;"
                        + " a file quantized from continuous weights looks like this, and has lost them")
                .expected(expected)
                .found(found + " in block " + block + " of row " + row)
                .cure("Convert the original checkpoint with `tern convert`.")
                .exception());
    }
}
