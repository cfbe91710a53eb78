package dev.tern.probe;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.Projection;
import dev.tern.kernels.TernaryWeights;
import dev.tern.model.LayerWeights;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Bfloat16;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The blocks of a checkpoint, with no GGUF between: (T, s) as {@link Checkpoint#readTernary} gives them, rows in the
 * checkpoint's order and rotated in Hugging Face's pairs, norms and embedding as they are stored.
 */
public final class CheckpointBlocks implements Blocks {
    /** Any architecture whose graph pairs rows as Hugging Face does; sub-norms or not is said apart. */
    private static final String HUGGING_FACE_PAIRS = "bitnet";

    private final Checkpoint checkpoint;
    private final ModelHyperparameters model;
    private final FloatType embeddingType;
    private final Rewrite rewrite;
    private final Map<String, CheckpointTensor> tensors;

    /**
     * A checkpoint's model.
     *
     * @param model the graph that is to be run, the checkpoint's own or another
     * @param embeddingType what embedding and head are rounded to; F32 holds all as they are stored
     * @param rewrite how the matrices are read
     */
    public CheckpointBlocks(
            Checkpoint checkpoint, ModelHyperparameters model, FloatType embeddingType, Rewrite rewrite) {
        this.checkpoint = checkpoint;
        this.model = model.withArchitecture(HUGGING_FACE_PAIRS);
        this.embeddingType = embeddingType;
        this.rewrite = rewrite;
        this.tensors = checkpoint.tensors().stream()
                .collect(Collectors.toMap(CheckpointTensor::name, Function.identity()));
    }

    @Override
    public ModelHyperparameters model() {
        return model;
    }

    @Override
    public LayerWeights layer(int index, Arena arena) {
        Map<String, TernaryWeights> matrices = Blocks.inParallel(
                index, name -> pack(rewrite.apply(name, checkpoint.readTernary(tensor(name))), arena));
        return layer(index, name -> Objects.requireNonNull(matrices.get(name)));
    }

    /** A block with matrices from elsewhere, by their GGUF names. */
    public LayerWeights layer(int index, Function<String, TernaryWeights> matrices) {
        Arena small = Arena.ofAuto();
        return Blocks.assemble(model, index, new Tensors() {
            @Override
            public Projection projection(String name) {
                return matrices.apply(name);
            }

            @Override
            public MemorySegment norm(String name) {
                return vector(name, small);
            }
        });
    }

    /** A matrix in the run-time layout. */
    public static TernaryWeights pack(TernaryMatrix matrix, Arena arena) {
        MemorySegment codes = arena.allocate(TernaryCodec.packedSize(matrix.rows(), matrix.cols()), 64);
        matrix.pack(codes);
        return TernaryWeights.of(Arena.ofAuto(), codes, matrix.rows(), matrix.cols(), matrix.scale());
    }

    private CheckpointTensor tensor(String name) {
        CheckpointTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalStateException("a checkpoint that was opened has " + name);
        }
        return tensor;
    }

    private MemorySegment vector(String name, Arena arena) {
        CheckpointTensor tensor = tensor(name);
        MemorySegment out = arena.allocate(4L * tensor.elements(), 64);
        checkpoint.readFloats(tensor, 0, (int) tensor.elements(), out);
        return out;
    }

    @Override
    public MemorySegment outputNorm(Arena arena) {
        return vector("output_norm.weight", arena);
    }

    @Override
    public void embed(int[] ids, MemorySegment states) {
        CheckpointTensor tensor = tensor("token_embd.weight");
        int cols = tensor.cols();
        for (int t = 0; t < ids.length; t++) {
            MemorySegment row = states.asSlice(4L * t * cols, 4L * cols);
            checkpoint.readFloats(tensor, (long) ids[t] * cols, cols, row);
            round(row, cols);
        }
    }

    @Override
    public void head(HeadSink sink) {
        CheckpointTensor tensor = tensor(model.tiedHead() ? "token_embd.weight" : "output.weight");
        int cols = tensor.cols();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment buffer = arena.allocate(4L * Math.min(tensor.rows(), HEAD_PIECE) * cols, 64);
            for (int first = 0; first < tensor.rows(); first += HEAD_PIECE) {
                int count = Math.min(HEAD_PIECE, tensor.rows() - first);
                checkpoint.readFloats(tensor, (long) first * cols, count * cols, buffer);
                round(buffer, count * cols);
                sink.accept(FloatWeights.of(Arena.ofAuto(), buffer, count, cols, FloatType.F32), first);
            }
        }
    }

    /** To the nearest value of the embedding's type, and back to float32: kernels widen exactly. */
    private void round(MemorySegment values, int count) {
        if (embeddingType == FloatType.F32) {
            return;
        }
        for (int i = 0; i < count; i++) {
            float value = values.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            values.setAtIndex(
                    ValueLayout.JAVA_FLOAT,
                    i,
                    embeddingType == FloatType.F16
                            ? Float.float16ToFloat(Float.floatToFloat16(value))
                            : Float.intBitsToFloat(Bfloat16.of(value) << 16));
        }
    }
}
