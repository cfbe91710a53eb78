package dev.tern.cli;

import dev.tern.kernels.FloatType;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The words of {@code --cache-type}. */
final class CacheTypeConverter implements ITypeConverter<FloatType> {
    @Override
    public FloatType convert(String value) {
        return switch (value) {
            case "f16" -> FloatType.F16;
            case "f32" -> FloatType.F32;
            case "q8_0" -> FloatType.Q8_0;
            default -> throw new TypeConversionException("expected f16, f32 or q8_0, found '" + value + "'");
        };
    }
}
