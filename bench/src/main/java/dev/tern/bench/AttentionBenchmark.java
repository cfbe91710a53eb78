package dev.tern.bench;

import dev.tern.kernels.FloatType;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.KvLayer;
import dev.tern.kernels.Tier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
 * Attention of one layer on one thread: the last {@code tokens} of {@code positions} look at all before them. Heads are
 * {@code queries/keys x dimension}: of BitNet-b1.58-2B-4T, where four heads share keys and values, and of BitNet 3B,
 * where none do.
 *
 * <p>A position of 2B-4T's layer in F16 is 2.5 KiB: 128 positions are 320 KiB and lie in an L2 cache, 4096 are 10 MiB
 * and lie in a last-level cache at best; while a model decodes each layer's come from memory. One token is decoding,
 * 128 a part of a prompt, for which keys and values are read once for many. {@code floatOps} counts the products with
 * keys and with values, {@code cacheBytes} what is read once.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class AttentionBenchmark {
    @Param({"AVX2", "SCALAR"})
    public Tier tier;

    @Param({"F16", "Q8_0", "F32"})
    public FloatType type;

    @Param({"20/5x128", "32/32x100"})
    public String heads;

    @Param({"128", "4096"})
    public int positions;

    @Param({"1", "128"})
    public int tokens;

    KvLayer cache;
    MemorySegment q;
    int queries;
    float scale;
    private final Arena arena = Arena.ofConfined();
    private Kernels kernels;
    private MemorySegment scores;
    private MemorySegment out;

    /** Work done, from which JMH derives rates. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Work {
        public double cacheBytes;
        public double floatOps;
    }

    @Setup
    public void allocate() {
        String[] numbers = heads.split("[/x]");
        queries = Integer.parseInt(numbers[0]);
        int keys = Integer.parseInt(numbers[1]);
        int headDim = Integer.parseInt(numbers[2]);
        scale = (float) (1 / Math.sqrt(headDim));
        kernels = KernelChoice.of(tier);
        RandomMemory memory = new RandomMemory(arena);
        cache = KvLayer.allocate(arena, keys, positions, headDim, type);
        MemorySegment k = memory.floats((long) positions * keys * headDim);
        MemorySegment v = memory.floats((long) positions * keys * headDim);
        kernels.storeKv(cache, k, v, (long) keys * headDim, 0, 0, positions);
        q = memory.floats((long) tokens * queries * headDim);
        scores = memory.bytes(4L * KvLayer.attentionScores(tokens * queries, positions));
        out = memory.bytes(q.byteSize());
    }

    @TearDown
    public void free() {
        arena.close();
    }

    @Benchmark
    public MemorySegment attention(Work work) {
        int stride = queries * cache.headDim();
        int first = positions - tokens;
        kernels.attention(cache, q, stride, queries, first, 0, tokens * queries, scale, scores, out, stride);
        work.cacheBytes += cache.keys().byteSize() + cache.values().byteSize();
        // Token t sees first + t + 1 positions; a product with a key and one with a value for each, of headDim each.
        work.floatOps += 4.0 * stride * (tokens * (first + 1.0) + tokens * (tokens - 1.0) / 2);
        return out;
    }
}
