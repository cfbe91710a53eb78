package dev.tern.bench;

import dev.tern.Model;
import dev.tern.Session;
import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.convert.Converter;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One decode step of a whole model. With {@code -prof gc}, the bytes allocated per step must not depend on the number of
 * layers, which is why there are two: the engine allocates nothing that grows with the model.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class DecodeBenchmark {
    private static final int VOCABULARY = 4096;
    private static final int CONTEXT = 1024;

    @Param({"4", "8"})
    public int layers;

    Path folder;
    Model model;
    Session session;
    int[] token;

    @Setup
    public void load() throws IOException {
        folder = Files.createTempDirectory("tern-bench");
        SyntheticCheckpoint.of(new ModelHyperparameters(
                        "bitnet-b1.58", "bench", VOCABULARY, CONTEXT, 1024, 2816, layers, 16, 4, 64, 64, 500_000f, 1e-5f,
                        FfnActivation.RELU_SQUARED, true, true))
                .format(WeightFormat.PACKED)
                .to(folder.resolve("checkpoint"));
        Path file = folder.resolve("model.gguf");
        Converter.from(folder.resolve("checkpoint")).outtype(Outtype.I2_S).to(file);
        model = Model.load(file);
        session = model.session();
        token = new int[] {1};
    }

    @TearDown
    public void delete() throws IOException {
        model.close();
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

    @Benchmark
    public MemorySegment step() {
        if (session.position() == CONTEXT) {
            session.rewind(0);
        }
        session.feed(token);
        return session.logits();
    }
}
