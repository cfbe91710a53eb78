package dev.tern.ternary;

import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Tensor types a user can ask for. All of them hold T exactly; they differ in size, in how s is rounded, in who reads
 * them.
 */
public enum Outtype {
    I2_S(GgmlType.I2_S, 40),
    TQ1_0(GgmlType.TQ1_0, 36),
    TQ2_0(GgmlType.TQ2_0, 37),
    TL1(GgmlType.TL1, 38),
    TL2(GgmlType.TL2, 39),
    Q2_K(GgmlType.Q2_K, 10),
    Q4_0(GgmlType.Q4_0, 2),
    Q8_0(GgmlType.Q8_0, 7),
    F16(GgmlType.F16, 1),
    BF16(GgmlType.BF16, 32),
    F32(GgmlType.F32, 0);

    private final GgmlType type;
    private final int fileType;

    Outtype(GgmlType type, int fileType) {
        this.type = type;
        this.fileType = fileType;
    }

    /** As typed on the command line: {@code tq1_0}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The type of the ternary tensors. */
    public GgmlType type() {
        return type;
    }

    /**
     * The value of {@code general.file_type}: llama.cpp's {@code llama_ftype}, for I2_S, TL1 and TL2 bitnet.cpp's (40
     * as in Microsoft's I2_S file).
     */
    public int fileType() {
        return fileType;
    }

    /** The format whose bytes mean nothing without a tile; empty for all but TL1 and TL2. */
    public Optional<LutFormat> lutFormat() {
        return LutCodec.format(type);
    }

    /** Why no tensor of this type can hold a matrix of these dimensions, in whatever tile; or empty. */
    public Optional<String> obstacle(int rows, int cols) {
        return lutFormat()
                .map(format -> format.obstacle(new MatrixShape(rows, cols))
                        .map(reason -> type + " cuts matrices into tiles, and " + reason))
                .orElseGet(() -> codec().obstacle(rows, cols));
    }

    /**
     * Why no tensor of this type can hold s beside weights that are not zero, or empty; TL1 and TL2 hold it as it is.
     */
    public Optional<String> scaleObstacle(float scale) {
        return lutFormat().isPresent() ? Optional.empty() : codec().scaleObstacle(scale);
    }

    /**
     * What encodes and decodes this type, the same for every matrix.
     *
     * @throws IllegalStateException for TL1 and TL2, whose codec depends on the matrix:
     *     {@link #codec(MatrixShape, LutTiles)}
     */
    public TernaryCodec codec() {
        return switch (this) {
            case I2_S -> new I2sCodec();
            case TQ1_0 -> new BlockCodec(BlockFormat.TQ1_0);
            case TQ2_0 -> new BlockCodec(BlockFormat.TQ2_0);
            case Q2_K -> new BlockCodec(BlockFormat.Q2_K);
            case Q4_0 -> new BlockCodec(BlockFormat.Q4_0);
            case Q8_0 -> new BlockCodec(BlockFormat.Q8_0);
            case F16, BF16, F32 -> new FloatCodec(type);
            case TL1, TL2 -> throw new IllegalStateException(this + " needs a tile");
        };
    }

    /**
     * What encodes and decodes matrices of one shape.
     *
     * @throws IllegalArgumentException for TL1 and TL2 without a tile for the shape
     */
    public TernaryCodec codec(MatrixShape shape, LutTiles tiles) {
        Optional<LutFormat> format = lutFormat();
        if (format.isEmpty()) {
            return codec();
        }
        return tiles.tile(format.get(), shape)
                .map(tile -> new LutCodec(format.get(), tile))
                .orElseThrow(() -> new IllegalArgumentException(this + ": no tile for " + shape));
    }

    /**
     * The outtype with this label, in any case.
     *
     * @throws InputException naming the known ones
     */
    public static Outtype parse(String label) {
        return Arrays.stream(values())
                .filter(outtype -> outtype.label().equalsIgnoreCase(label))
                .findFirst()
                .orElseThrow(() -> InputException.at("outtype '" + label + "'")
                        .problem("unknown")
                        .expected("one of "
                                + Arrays.stream(values()).map(Outtype::label).collect(Collectors.joining(", ")))
                        .exception());
    }
}
