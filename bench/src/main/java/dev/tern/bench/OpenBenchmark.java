package dev.tern.bench;

import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.gguf.GgufFile;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
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
 * Opening a GGUF file that lies in the page cache: its header alone, with a tokenizer, as a model; of the file {@code
 * -p file=MODEL.gguf -p vocabulary=0}, or of a model with hardly a weight and a vocabulary of the trained tiny model's
 * size or of BitNet-b1.58-2B-4T's, whose header is 3 MB. In a warm JVM: what a cold one adds is in {@code tern run}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class OpenBenchmark {
    @Param("")
    public String file;

    @Param({"4096", "128256"})
    public int vocabulary;

    SyntheticModel synthetic;
    private Path path;

    @Setup
    public void write() throws IOException {
        synthetic = file.isEmpty() ? SyntheticModel.ofVocabulary(vocabulary) : null;
        path = file.isEmpty() ? synthetic.file() : Path.of(file);
    }

    @TearDown
    public void delete() throws IOException {
        if (synthetic != null) {
            synthetic.close();
        }
    }

    /** Number of tensors. */
    @Benchmark
    public int header() {
        try (GgufFile gguf = GgufFile.open(path)) {
            return gguf.tensors().size();
        }
    }

    @Benchmark
    public Tokenizer tokenizer() {
        try (GgufFile gguf = GgufFile.open(path)) {
            return Tokenizer.of(Vocabulary.ofGguf(gguf.metadata(), path));
        }
    }

    /** On one thread; the size of the vocabulary. */
    @Benchmark
    public int model() {
        try (Model model = Model.load(path, ModelOptions.builder().threads(1).contextLength(64).build())) {
            return model.hyperparameters().vocabSize();
        }
    }
}
