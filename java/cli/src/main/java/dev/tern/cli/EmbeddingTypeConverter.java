package dev.tern.cli;

import dev.tern.gguf.GgmlType;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The words of {@code --embedding-type}. */
final class EmbeddingTypeConverter implements ITypeConverter<GgmlType> {
    /** What the option is for; its default is told by the command. */
    static final String DESCRIPTION = "Type of the embedding and of an untied head: f16, bf16, f32, q8_0, q6_k"
            + " (default: ";

    @Override
    public GgmlType convert(String value) {
        return switch (value) {
            case "f16" -> GgmlType.F16;
            case "bf16" -> GgmlType.BF16;
            case "f32" -> GgmlType.F32;
            case "q8_0" -> GgmlType.Q8_0;
            case "q6_k" -> GgmlType.Q6_K;
            default ->
                throw new TypeConversionException("expected f16, bf16, f32, q8_0 or q6_k, found '" + value + "'");
        };
    }
}
