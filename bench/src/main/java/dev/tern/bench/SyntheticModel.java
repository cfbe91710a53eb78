package dev.tern.bench;

import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.convert.Converter;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** An I2_S file of random weights, for benchmarks that are given none. */
public final class SyntheticModel implements AutoCloseable {
    static final int CONTEXT = 1024;

    private static final int VOCABULARY = 4096;

    private final Path folder;

    private SyntheticModel(ModelHyperparameters model) throws IOException {
        folder = Files.createTempDirectory("tern-bench");
        SyntheticCheckpoint.of(model).format(WeightFormat.PACKED).to(folder.resolve("checkpoint"));
        Converter.from(folder.resolve("checkpoint")).outtype(Outtype.I2_S).to(file());
    }

    /** Of width 1024, in which a layer's weights are 3 MB. */
    public SyntheticModel(int layers) throws IOException {
        this(layers, VOCABULARY);
    }

    /** With a head of another size. */
    public SyntheticModel(int layers, int vocabulary) throws IOException {
        this(new ModelHyperparameters(
                "bitnet-b1.58", "bench", vocabulary, CONTEXT, 1024, 2816, layers, 16, 4, 64, 64, 500_000f,
                1e-5f, FfnActivation.RELU_SQUARED, true, true));
    }

    /** One narrow layer under a vocabulary, which is then most of the file's header. */
    static SyntheticModel ofVocabulary(int vocabulary) throws IOException {
        return new SyntheticModel(new ModelHyperparameters(
                "bitnet-b1.58", "bench", vocabulary, CONTEXT, 256, 256, 1, 4, 4, 64, 64, 500_000f, 1e-5f,
                FfnActivation.RELU_SQUARED, true, true));
    }

    Path folder() {
        return folder;
    }

    public Path file() {
        return folder.resolve("model.gguf");
    }

    /** Deletes it. */
    @Override
    public void close() throws IOException {
        Folders.delete(folder);
    }
}
