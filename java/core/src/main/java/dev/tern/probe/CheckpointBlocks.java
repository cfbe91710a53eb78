package dev.tern.probe;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.TernaryWeights;
import dev.tern.model.LayerWeights;
import dev.tern.model.LowRank;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryRows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The blocks of a checkpoint, with no GGUF between: (T, s) as {@link Checkpoint#readTernary} gives them, rows in the
 * checkpoint's order and rotated in Hugging Face's pairs, norms as they are stored.
 */
public final class CheckpointBlocks implements Blocks {
    /** Any architecture whose graph pairs rows as Hugging Face does; sub-norms or not is said apart. */
    private static final String HUGGING_FACE_PAIRS = "bitnet";

    private final Checkpoint checkpoint;
    private final ModelHyperparameters model;
    private final Rounding rounding;
    private final Rewrite rewrite;
    private final Map<String, CheckpointTensor> tensors;

    /**
     * A checkpoint's model.
     *
     * @param model the graph that is to be run, the checkpoint's own or another
     * @param rounding of scales, embedding, head and low-rank corrections
     * @param rewrite how the matrices are read
     */
    public CheckpointBlocks(
            Checkpoint checkpoint, ModelHyperparameters model, Rounding rounding, Rewrite rewrite) {
        this.checkpoint = checkpoint;
        this.model = model.withArchitecture(HUGGING_FACE_PAIRS);
        this.rounding = rounding;
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
        Arena small = Arena.ofAuto();
        return Blocks.assemble(
                model,
                index,
                rewrite,
                name -> matrix(name, arena),
                name -> vector(name, small),
                name -> lowRank(name, arena, small));
    }

    /** U follows the rows of its projection, V has none of them. */
    private LowRank lowRank(String projection, Arena arena, Arena small) {
        FloatWeights stored = floats(projection + ".lrc_u", arena, small);
        long rowBytes = stored.type().bytes(stored.cols());
        MemorySegment rows = arena.allocate(stored.rows() * rowBytes, 64);
        for (int row = 0; row < stored.rows(); row++) {
            long from = rewrite.rowOfU(projection, row) * rowBytes;
            MemorySegment.copy(stored.values(), from, rows, row * rowBytes, rowBytes);
        }
        FloatWeights u = FloatWeights.of(small, rows, stored.rows(), stored.cols(), stored.type());
        return LowRank.of(u, floats(projection + ".lrc_v", arena, small), arena, small);
    }

    /** A matrix in the run-time layout; as it lies, it passes through in bands of rows. */
    private TernaryWeights matrix(String name, Arena arena) {
        TernaryRows rows = checkpoint.ternaryRows(tensor(name));
        int cols = rows.cols();
        MemorySegment codes = arena.allocate(TernaryCodec.packedSize(rows.rows(), cols), 64);
        Blocks.pack(name, rows, rewrite, codes);
        float scale = rounding.scale(name, rewrite.scale(rows.scale()));
        return TernaryWeights.of(Arena.ofAuto(), codes, rows.rows(), cols, scale);
    }

    private FloatWeights floats(String name, Arena arena, Arena small) {
        CheckpointTensor tensor = tensor(name);
        MemorySegment values = vector(name, arena);
        rounding.floats(name, values, (int) tensor.elements());
        return FloatWeights.of(small, values, tensor.rows(), tensor.cols(), FloatType.F32);
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
            rounding.floats(tensor.name(), row, cols);
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
                rounding.floats(tensor.name(), buffer, count * cols);
                sink.accept(FloatWeights.of(Arena.ofAuto(), buffer, count, cols, FloatType.F32), first);
            }
        }
    }
}
