package dev.tern.bench;

import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.convert.ConversionReport;
import dev.tern.convert.Converter;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.io.IOException;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Converting a bf16 checkpoint of BitNet 2B-4T's widths, read from the page cache. Six blocks and a quarter of the
 * vocabulary are 1 GB, of which the share of embeddings is the whole model's. {@code inputBytes} is the rate that
 * matters; the file is forced to the disk within it, so that outtypes of many bits show the disk.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 1, time = 4)
@Measurement(iterations = 3, time = 4)
@Fork(1)
public class ConvertBenchmark {

    @Param({"TQ1_0", "TQ2_0", "I2_S", "TL1", "TL2", "Q2_K", "Q4_0", "Q8_0", "F16", "BF16", "F32"})
    public Outtype outtype;

    @Param("0")
    public int threads;

    @Param("6")
    public int layers;

    Path folder;
    ConversionReport report;

    /** Work done, from which JMH derives rates. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Work {
        public double inputBytes;
    }

    @Setup
    public void synthesize() throws IOException {
        folder = Files.createTempDirectory("tern-bench");
        SyntheticCheckpoint.of(new ModelHyperparameters(
                        "bitnet-b1.58", "bench", 32_064, 4096, 2560, 6912, layers, 20, 5, 128, 128, 500_000f, 1e-5f,
                        FfnActivation.RELU_SQUARED, true, true))
                .format(WeightFormat.ONLINE)
                .to(folder.resolve("checkpoint"));
    }

    @TearDown
    public void delete() throws IOException {
        Folders.delete(folder);
    }

    @Benchmark
    public ConversionReport convert(Work work) {
        Converter converter = Converter.from(folder.resolve("checkpoint"))
                .outtype(outtype)
                .tensorHashes(false)
                .overwrite(true);
        if (threads > 0) {
            converter.threads(threads);
        }
        report = converter.to(folder.resolve("model.gguf"));
        work.inputBytes += report.checkpointBytes();
        return report;
    }
}
