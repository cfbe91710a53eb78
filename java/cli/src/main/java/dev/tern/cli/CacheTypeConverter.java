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
            default -> throw new TypeConversionException("expected f16 or f32, found '" + value + "'");
        };
    }
}
