package dev.tern.bench;

import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.convert.Converter;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** An I2_S file of random weights of width 1024, for benchmarks that are given none. */
final class SyntheticModel implements AutoCloseable {
    static final int CONTEXT = 1024;

    private static final int VOCABULARY = 4096;

    private final Path folder;

    SyntheticModel(int layers) throws IOException {
        folder = Files.createTempDirectory("tern-bench");
        SyntheticCheckpoint.of(new ModelHyperparameters(
                        "bitnet-b1.58", "bench", VOCABULARY, CONTEXT, 1024, 2816, layers, 16, 4, 64, 64, 500_000f,
                        1e-5f, FfnActivation.RELU_SQUARED, true, true))
                .format(WeightFormat.PACKED)
                .to(folder.resolve("checkpoint"));
        Converter.from(folder.resolve("checkpoint")).outtype(Outtype.I2_S).to(file());
    }

    Path folder() {
        return folder;
    }

    Path file() {
        return folder.resolve("model.gguf");
    }

    /** Deletes it. */
    @Override
    public void close() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(path -> {
                try {
                    Files.delete(path);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
