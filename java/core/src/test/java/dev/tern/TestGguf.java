package dev.tern;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.codegen.MatrixShape;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufLayout;
import dev.tern.gguf.GgufValue;
import dev.tern.gguf.GgufWriter;
import dev.tern.io.AtomicFile;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryMatrix;
import dev.tern.ternary.TestTiles;
import dev.tern.tokenizer.Vocabulary;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;

/** A GGUF file in the making, whose keys and tensors a test may change before it is written. */
public final class TestGguf {
    /** A tensor's type, dimensions ({@code ne[0]} first) and bytes. */
    public record Entry(GgmlType type, long[] dims, byte[] bytes) {}

    public final SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
    public final SequencedMap<String, Entry> tensors = new LinkedHashMap<>();

    private final LutTiles tiles;

    private TestGguf(LutTiles tiles) {
        this.tiles = tiles;
    }

    /** The checkpoint with its tokenizer; embeddings in F32, which holds bf16 exactly. */
    public static TestGguf of(Checkpoint checkpoint, Outtype outtype) {
        return of(checkpoint, outtype, LutTiles.none());
    }

    /** The checkpoint with its tokenizer, where the outtype needs tiles with these or, failing them, legal ones. */
    public static TestGguf of(Checkpoint checkpoint, Outtype outtype, LutTiles tiles) {
        TestGguf gguf = new TestGguf(tiles);
        gguf.hyperparameters(checkpoint.hyperparameters());
        gguf.metadata.put("general.file_type", GgufValue.u32(outtype.fileType()));
        gguf.metadata.putAll(Vocabulary.ofCheckpoint(
                        checkpoint.folder(), checkpoint.hyperparameters().vocabSize())
                .toGguf());
        for (CheckpointTensor tensor : checkpoint.tensors()) {
            if (tensor.ternary()) {
                gguf.ternary(tensor.name(), outtype, checkpoint.readTernary(tensor));
            } else {
                byte[] bytes = new byte[Math.toIntExact(4 * tensor.elements())];
                MemorySegment floats = MemorySegment.ofArray(bytes);
                checkpoint.readFloats(tensor, 0, (int) tensor.elements(), floats);
                long[] dims = tensor.vector() ? new long[] {tensor.cols()} : new long[] {tensor.cols(), tensor.rows()};
                gguf.tensors.put(tensor.name(), new Entry(GgmlType.F32, dims, bytes));
            }
        }
        return gguf;
    }

    /** Random weights of a graph, no tokenizer. */
    public static TestGguf random(ModelHyperparameters model, Outtype outtype, long seed) {
        return random(model, outtype, seed, LutTiles.none());
    }

    /** Random weights of a graph, no tokenizer, where the outtype needs tiles with these or, failing them, legal ones. */
    public static TestGguf random(ModelHyperparameters model, Outtype outtype, long seed, LutTiles tiles) {
        Random random = new Random(seed);
        TestGguf gguf = new TestGguf(tiles);
        gguf.hyperparameters(model);
        gguf.metadata.put("general.file_type", GgufValue.u32(outtype.fileType()));
        int hidden = model.hiddenSize();
        int queries = model.heads() * model.headDim();
        int pairs = model.kvHeads() * model.headDim();
        gguf.floats("token_embd.weight", random, 0, 0.5f, hidden, model.vocabSize());
        gguf.floats("output_norm.weight", random, 1, 0.2f, hidden);
        if (!model.tiedHead()) {
            gguf.floats("output.weight", random, 0, 0.5f, hidden, model.vocabSize());
        }
        for (int i = 0; i < model.layers(); i++) {
            String blk = "blk." + i + ".";
            gguf.floats(blk + "attn_norm.weight", random, 1, 0.2f, hidden);
            gguf.ternary(blk + "attn_q.weight", outtype, matrix(random, queries, hidden));
            gguf.lowRank(blk + "attn_q", random, queries, hidden, model.lowRank().q());
            gguf.ternary(blk + "attn_k.weight", outtype, matrix(random, pairs, hidden));
            gguf.lowRank(blk + "attn_k", random, pairs, hidden, model.lowRank().k());
            gguf.ternary(blk + "attn_v.weight", outtype, matrix(random, pairs, hidden));
            gguf.lowRank(blk + "attn_v", random, pairs, hidden, model.lowRank().v());
            if (model.subNorms()) {
                gguf.floats(blk + "attn_sub_norm.weight", random, 1, 0.2f, queries);
            }
            gguf.ternary(blk + "attn_output.weight", outtype, matrix(random, hidden, queries));
            gguf.lowRank(blk + "attn_output", random, hidden, queries, model.lowRank().attnOutput());
            gguf.floats(blk + "ffn_norm.weight", random, 1, 0.2f, hidden);
            gguf.ternary(blk + "ffn_gate.weight", outtype, matrix(random, model.intermediateSize(), hidden));
            gguf.lowRank(blk + "ffn_gate", random, model.intermediateSize(), hidden, model.lowRank().gate());
            gguf.ternary(blk + "ffn_up.weight", outtype, matrix(random, model.intermediateSize(), hidden));
            gguf.lowRank(blk + "ffn_up", random, model.intermediateSize(), hidden, model.lowRank().up());
            if (model.subNorms()) {
                gguf.floats(blk + "ffn_sub_norm.weight", random, 1, 0.2f, model.intermediateSize());
            }
            gguf.ternary(blk + "ffn_down.weight", outtype, matrix(random, hidden, model.intermediateSize()));
            gguf.lowRank(blk + "ffn_down", random, hidden, model.intermediateSize(), model.lowRank().down());
        }
        return gguf;
    }

    private void lowRank(String name, Random random, int out, int in, int rank) {
        if (rank > 0) {
            floats(name + ".lrc_u", random, 0, 0.3f / (float) Math.sqrt(rank), rank, out);
            floats(name + ".lrc_v", random, 0, 1 / (float) Math.sqrt(in), rank, in);
        }
    }

    private static TernaryMatrix matrix(Random random, int rows, int cols) {
        byte[] values = new byte[rows * cols];
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) (random.nextInt(3) - 1);
        }
        return new TernaryMatrix(rows, cols, values, (float) (0.5 + random.nextDouble()) / (float) Math.sqrt(cols));
    }

    public void hyperparameters(ModelHyperparameters m) {
        String arch = m.architecture();
        metadata.put("general.architecture", GgufValue.of(arch));
        metadata.put("general.name", GgufValue.of(m.name()));
        metadata.put(arch + ".vocab_size", GgufValue.u32(m.vocabSize()));
        metadata.put(arch + ".context_length", GgufValue.u32(m.contextLength()));
        metadata.put(arch + ".embedding_length", GgufValue.u32(m.hiddenSize()));
        metadata.put(arch + ".block_count", GgufValue.u32(m.layers()));
        metadata.put(arch + ".feed_forward_length", GgufValue.u32(m.intermediateSize()));
        metadata.put(arch + ".attention.head_count", GgufValue.u32(m.heads()));
        metadata.put(arch + ".attention.head_count_kv", GgufValue.u32(m.kvHeads()));
        metadata.put(arch + ".attention.layer_norm_rms_epsilon", GgufValue.of(m.normEps()));
        metadata.put(arch + ".rope.freq_base", GgufValue.of(m.ropeTheta()));
        metadata.put(arch + ".rope.dimension_count", GgufValue.u32(m.ropeDims()));
        if (m.headDim() * m.heads() != m.hiddenSize()) {
            metadata.put(arch + ".attention.key_length", GgufValue.u32(m.headDim()));
            metadata.put(arch + ".attention.value_length", GgufValue.u32(m.headDim()));
        }
    }

    public void ternary(String name, Outtype outtype, TernaryMatrix m) {
        MatrixShape shape = new MatrixShape(m.rows(), m.cols());
        LutTiles known = outtype.lutFormat().flatMap(format -> tiles.tile(format, shape)).isPresent()
                ? tiles
                : TestTiles.of(outtype, shape);
        metadata.putAll(known.metadata());
        TernaryCodec codec = outtype.codec(shape, known);
        MemorySegment bytes = MemorySegment.ofArray(new byte[(int) codec.byteSize(m.rows(), m.cols())]);
        codec.encode(m, bytes);
        tensors.put(
                name,
                new Entry(outtype.type(), new long[] {m.cols(), m.rows()}, bytes.toArray(ValueLayout.JAVA_BYTE)));
    }

    public void floats(String name, Random random, float mean, float deviation, long... dims) {
        long n = 1;
        for (long dim : dims) {
            n *= dim;
        }
        float[] values = new float[(int) n];
        for (int i = 0; i < n; i++) {
            values[i] = mean + deviation * (float) random.nextGaussian();
        }
        floats(name, values, dims);
    }

    public void floats(String name, float[] values, long... dims) {
        tensors.put(
                name, new Entry(GgmlType.F32, dims, MemorySegment.ofArray(values).toArray(ValueLayout.JAVA_BYTE)));
    }

    public Path write(Path file) {
        GgufLayout.Builder builder = GgufLayout.builder();
        metadata.forEach((key, value) -> {
            if (key.equals("general.alignment")) {
                builder.alignment((Integer) value.value());
            } else {
                builder.metadata(key, value);
            }
        });
        tensors.forEach((name, entry) -> builder.tensor(name, entry.type(), entry.dims()));
        try (AtomicFile out = AtomicFile.create(file, true)) {
            GgufWriter writer = new GgufWriter(builder.build(), out);
            for (Map.Entry<String, Entry> tensor : tensors.entrySet()) {
                writer.write(tensor.getKey(), MemorySegment.ofArray(tensor.getValue().bytes()));
            }
            writer.finish();
            out.commit();
        }
        return file;
    }
}
