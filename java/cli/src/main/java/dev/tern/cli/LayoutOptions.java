package dev.tern.cli;

import dev.tern.ModelOptions;
import dev.tern.kernels.TernaryLayout;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Where and how the weights lie in memory. */
final class LayoutOptions {
    @Option(
            names = "--layout",
            paramLabel = "auto|rows|panels2|panels5|mixed",
            converter = Converter.class,
            description = "How multiplied weights lie in memory: rows of 2 bits, panels of 32 rows with 2 bits,"
                    + " with five weights a byte, or mixed, which AVX-512 looks up in part; auto (default) is the fastest here. The result does not depend on"
                    + " it.")
    private @Nullable Layout layout;

    @Option(
            names = "--mmap",
            description = "Use the head and the matrices of i2_s files where they lie in the mapped file, in pages that"
                    + " processes share and the system can reclaim; decoding may be slower.")
    private boolean mapped;

    /** A word of {@code --layout}. */
    private record Layout(Optional<TernaryLayout> layout) {}

    static final class Converter implements ITypeConverter<Layout> {
        @Override
        public Layout convert(String value) {
            return new Layout(switch (value) {
                case "auto" -> Optional.empty();
                case "rows" -> Optional.of(TernaryLayout.ROWS);
                case "panels2" -> Optional.of(TernaryLayout.PANELS_2BIT);
                case "panels5" -> Optional.of(TernaryLayout.PANELS_5TRIT);
                case "mixed" -> Optional.of(TernaryLayout.PANELS_MIXED);
                default ->
                    throw new TypeConversionException("expected auto, rows, panels2, panels5 or mixed, found '" + value + "'");
            });
        }
    }

    /** The word of {@code --layout} for a layout. */
    static String word(TernaryLayout layout) {
        return switch (layout) {
            case ROWS -> "rows";
            case PANELS_2BIT -> "panels2";
            case PANELS_5TRIT -> "panels5";
            case PANELS_MIXED -> "mixed";
        };
    }

    /** The layout asked for; empty for the fastest. */
    Optional<TernaryLayout> asked() {
        return layout == null ? Optional.empty() : layout.layout();
    }

    /** Whether weights are to be used where they lie in the mapped file. */
    boolean mapped() {
        return mapped;
    }

    void applyTo(ModelOptions.Builder options) {
        options.mapped(mapped);
        asked().ifPresent(options::layout);
    }
}
