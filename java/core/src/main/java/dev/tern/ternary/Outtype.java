package dev.tern.ternary;

import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Tensor types a user can ask for. All of them hold T exactly; they differ in size, in how s is rounded, in who reads them. */
public enum Outtype {
    I2_S(GgmlType.I2_S, 40),
    TQ1_0(GgmlType.TQ1_0, 36),
    TQ2_0(GgmlType.TQ2_0, 37),
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

    /** The value of {@code general.file_type} (llama.cpp's {@code llama_ftype}; 40 as in Microsoft's I2_S file). */
    public int fileType() {
        return fileType;
    }

    /** What encodes and decodes this type. */
    public TernaryCodec codec() {
        return TernaryCodec.of(type).orElseThrow();
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
