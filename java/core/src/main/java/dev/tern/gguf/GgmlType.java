package dev.tern.gguf;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Element types of GGUF tensors (ggml's {@code enum ggml_type}), with the numbers that files store. Numbers 36 to 39 mean
 * different things in llama.cpp and in bitnet.cpp; here 36 is bitnet.cpp's {@link #I2_S}, 38 its {@link #TL1}, and 39 is
 * both its {@link #TL2} and llama.cpp's {@link #MXFP4}: the file as a whole tells which ({@link GgufHeader}). What else a
 * number may be, {@link #describe} says.
 */
public enum GgmlType {
    F32(0, 1, 4),
    F16(1, 1, 2),
    Q4_0(2, 32, 18),
    Q4_1(3, 32, 20),
    Q5_0(6, 32, 22),
    Q5_1(7, 32, 24),
    Q8_0(8, 32, 34),
    Q8_1(9, 32, 36),
    Q2_K(10, 256, 84),
    Q3_K(11, 256, 110),
    Q4_K(12, 256, 144),
    Q5_K(13, 256, 176),
    Q6_K(14, 256, 210),
    Q8_K(15, 256, 292),
    IQ2_XXS(16, 256, 66),
    IQ2_XS(17, 256, 74),
    IQ3_XXS(18, 256, 98),
    IQ1_S(19, 256, 50),
    IQ4_NL(20, 32, 18),
    IQ3_S(21, 256, 110),
    IQ2_S(22, 256, 82),
    IQ4_XS(23, 256, 136),
    I8(24, 1, 1),
    I16(25, 1, 2),
    I32(26, 1, 4),
    I64(27, 1, 8),
    F64(28, 1, 8),
    IQ1_M(29, 256, 56),
    BF16(30, 1, 2),
    TQ1_0(34, 256, 54),
    TQ2_0(35, 256, 66),
    /** 2-bit codes in groups of 128 over the whole tensor, then a 32-byte tail that starts with the float32 scale. */
    I2_S(36, 128, 32),
    /** Pairs of weights for tables, tile by tile, then a 32-byte tail that starts with the float32 scale. */
    TL1(38, 4, 1),
    /**
     * Triples of weights for tables and their signs, then pairs, tile by tile; zeros up to the size that bitnet.cpp computes
     * without knowing the tile; a 32-byte tail that starts with the float32 scale. 5/3 bits a weight, so no block has whole
     * bytes.
     */
    TL2(39, 8, 0),
    MXFP4(39, 32, 17),
    NVFP4(40, 64, 36),
    Q1_0(41, 128, 18),
    Q2_0(42, 64, 18),
    /** ik_llama.cpp: an fp16 scale per row, then blocks of 13 bytes. */
    IQ1_BN(134, 64, 13),
    /** ik_llama.cpp: a float32 scale per row, then blocks of 16 bytes. */
    IQ2_BN(135, 64, 16),
    /** ik_llama.cpp: four rows interleaved; sizes as {@link #IQ2_BN}. */
    IQ2_BN_R4(335, 64, 16);

    /** Bytes after the weights of an {@link #I2_S}, {@link #TL1} or {@link #TL2} tensor: the float32 scale, 28 unused bytes. */
    public static final int SCALE_TAIL = 32;

    private final int id;
    private final int blockSize;
    private final int blockBytes;

    GgmlType(int id, int blockSize, int blockBytes) {
        this.id = id;
        this.blockSize = blockSize;
        this.blockBytes = blockBytes;
    }

    /** The number that files store. */
    public int id() {
        return id;
    }

    /** Elements of a block; a row holds whole blocks. */
    public int blockSize() {
        return blockSize;
    }

    /** Bytes of a block, without what rows or the tensor add; 0 for {@link #TL2}. */
    public int blockBytes() {
        return blockBytes;
    }

    /** Whether it is F32, F16 or BF16: floats one by one, no blocks. */
    public boolean isFloat() {
        return this == F32 || this == F16 || this == BF16;
    }

    /**
     * Where in a block its scale d lies, an fp16 that multiplies all its weights ({@code ggml-common.h}); empty for
     * types without one, and for those that Tern never looks into.
     */
    public OptionalInt scaleOffset() {
        return switch (this) {
            case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, IQ4_NL, IQ4_XS -> OptionalInt.of(0);
            case TQ1_0, TQ2_0, Q3_K, Q6_K -> OptionalInt.of(blockBytes - 2);
            case Q2_K -> OptionalInt.of(blockBytes - 4); // dmin is behind it
            default -> OptionalInt.empty();
        };
    }

    /**
     * Bytes of a tensor (ggml's {@code ggml_nbytes}).
     *
     * @param ne0 elements of a row, a multiple of {@link #blockSize}
     * @param rows rows, the product of all other dimensions
     * @throws IllegalArgumentException when {@code ne0} is no multiple of the block
     * @throws ArithmeticException when the size exceeds a long
     */
    public long bytes(long ne0, long rows) {
        if (ne0 % blockSize != 0) {
            throw new IllegalArgumentException(this + ": " + ne0 + " is no multiple of " + blockSize);
        }
        long rowBytes = Math.multiplyExact(ne0 / blockSize, (long) blockBytes);
        return switch (this) {
            case I2_S, TL1 -> Math.addExact(Math.multiplyExact(rows, rowBytes), (long) SCALE_TAIL);
            case TL2 -> tl2Bytes(ne0, rows);
            case IQ1_BN -> Math.multiplyExact(rows, Math.addExact(rowBytes, 2L));
            case IQ2_BN, IQ2_BN_R4 -> Math.multiplyExact(rows, Math.addExact(rowBytes, 4L));
            default -> Math.multiplyExact(rows, rowBytes);
        };
    }

    /**
     * The size of TL2 in bitnet.cpp's {@code ggml_nbytes}, C's divisions in their order: 5 bits for each triple of K - 256
     * columns, 2 bits for each weight of 256, in multiples of 32 bytes, and the tail. A tile leaves at most 224 columns to
     * pairs, so this holds the weights of every legal tile: M * (256 - 224) / 24 bytes, or more, are to spare.
     */
    private static long tl2Bytes(long ne0, long rows) {
        long triples = Math.multiplyExact(ne0 - 256, rows) / 3;
        long weights = Math.addExact(Math.multiplyExact(triples, 5L) / 8, Math.multiplyExact(rows, 64L));
        return Math.addExact(Math.addExact(weights, 31L) & -32L, (long) SCALE_TAIL);
    }

    /** The type with this number, empty for numbers that are unknown or were removed from ggml; MXFP4 for 39. */
    public static Optional<GgmlType> ofId(int id) {
        if (id == MXFP4.id) {
            return Optional.of(MXFP4);
        }
        return Arrays.stream(values()).filter(type -> type.id == id).findFirst();
    }

    /** What a number means, for errors: every system that used it and what became of it. */
    public static String describe(int id) {
        return switch (id) {
            case 4, 5 -> "Q4_2 or Q4_3, removed from ggml in 2023";
            case 31, 32, 33 -> "Q4_0_4_4, Q4_0_4_8 or Q4_0_8_8, removed from llama.cpp in 2024 in favour of Q4_0";
            case 36 -> "I2_S of bitnet.cpp, or IQ4_NL_4_4, which llama.cpp removed in 2024";
            case 37 -> "I8_S of bitnet.cpp (activations, never weights), or IQ4_NL_4_8, which llama.cpp removed in 2024";
            case 38 -> "TL1 of bitnet.cpp, or IQ4_NL_8_8, which llama.cpp removed in 2024";
            case 39 -> "TL2 of bitnet.cpp, or MXFP4 of llama.cpp";
            default -> ofId(id).map(Enum::name)
                    .orElse(id >= 133 ? "a type of ik_llama.cpp or another fork" : "a type newer than this program");
        };
    }
}
