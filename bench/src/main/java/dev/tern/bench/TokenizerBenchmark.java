package dev.tern.bench;

import dev.tern.convert.Converter;
import dev.tern.gguf.GgufFile;
import dev.tern.ternary.Outtype;
import dev.tern.tokenizer.TokenStream;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * A text into tokens and back. {@code file} is a GGUF file whose vocabulary is used, by default the repository's
 * trained model; {@code text} a file of text, by default English prose that this model has not seen. Read {@code
 * textBytes} and {@code tokens}, a second.
 *
 * <p>{@code characters} is how much of the text is taken: 200 are a question in a chat, which costs what looking up its
 * words costs; all of the prose is long enough that whatever was kept of earlier words pays.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class TokenizerBenchmark {
    @Param("")
    public String file;

    @Param("")
    public String text;

    @Param({"200", "1000000"})
    public int characters;

    /** Work done, from which JMH derives rates. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Work {
        public long textBytes;
        public long tokens;
    }

    Tokenizer tokenizer;
    String taken;
    int[] ids;
    private int bytes;

    @Setup
    public void read() throws IOException {
        tokenizer = file.isEmpty() ? ofTrainedModel() : of(Path.of(file));
        Path prose = text.isEmpty() ? Folders.repository().resolve("testdata/golden/heldout_text.txt") : Path.of(text);
        String all = Files.readString(prose);
        taken = all.substring(0, Math.min(characters, all.length()));
        bytes = taken.getBytes(StandardCharsets.UTF_8).length;
        ids = tokenizer.encode(taken, false, false);
    }

    private static Tokenizer ofTrainedModel() throws IOException {
        Path folder = Files.createTempDirectory("tern-bench");
        try {
            Path model = folder.resolve("model.gguf");
            Converter.from(Folders.repository().resolve("testdata/tiny-bitnet/packed-u8"))
                    .outtype(Outtype.TQ1_0)
                    .to(model);
            return of(model);
        } finally {
            Folders.delete(folder);
        }
    }

    private static Tokenizer of(Path model) {
        try (GgufFile gguf = GgufFile.open(model)) {
            return Tokenizer.of(Vocabulary.ofGguf(gguf.metadata(), model));
        }
    }

    @Benchmark
    public int[] encode(Work work) {
        int[] encoded = tokenizer.encode(taken, false, false);
        work.textBytes += bytes;
        work.tokens += encoded.length;
        return encoded;
    }

    @Benchmark
    public String decode(Work work) {
        work.textBytes += bytes;
        work.tokens += ids.length;
        return tokenizer.decode(ids, false);
    }

    /** Token by token, as a generation is printed. */
    @Benchmark
    public int stream(Work work) {
        TokenStream stream = tokenizer.stream(false);
        int length = 0;
        for (int id : ids) {
            length += stream.push(id).length();
        }
        work.textBytes += bytes;
        work.tokens += ids.length;
        return length + stream.finish().length();
    }
}
