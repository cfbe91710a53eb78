package dev.tern.model;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.TernaryWeights;
import dev.tern.ternary.TernaryMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Weights straight from a checkpoint, without a GGUF file between: what the golden values are about. */
public final class CheckpointWeights {
    private final Checkpoint checkpoint;
    private final Arena arena;
    private final Map<String, CheckpointTensor> tensors;

    private CheckpointWeights(Checkpoint checkpoint, Arena arena) {
        this.checkpoint = checkpoint;
        this.arena = arena;
        this.tensors = checkpoint.tensors().stream()
                .collect(Collectors.toMap(CheckpointTensor::name, Function.identity(), (a, b) -> a, TreeMap::new));
    }

    public static ModelWeights read(Checkpoint checkpoint, Arena arena) {
        return new CheckpointWeights(checkpoint, arena).read();
    }

    private ModelWeights read() {
        List<LayerWeights> layers = new ArrayList<>();
        for (int i = 0; i < checkpoint.hyperparameters().layers(); i++) {
            String blk = "blk." + i + ".";
            layers.add(new LayerWeights(
                    vector(blk + "attn_norm.weight"),
                    matrix(blk + "attn_q.weight"),
                    matrix(blk + "attn_k.weight"),
                    matrix(blk + "attn_v.weight"),
                    optional(blk + "attn_sub_norm.weight"),
                    matrix(blk + "attn_output.weight"),
                    vector(blk + "ffn_norm.weight"),
                    matrix(blk + "ffn_gate.weight"),
                    matrix(blk + "ffn_up.weight"),
                    optional(blk + "ffn_sub_norm.weight"),
                    matrix(blk + "ffn_down.weight")));
        }
        FloatWeights embedding = floats("token_embd.weight");
        FloatWeights head = tensors.containsKey("output.weight") ? floats("output.weight") : embedding;
        return new ModelWeights(embedding, layers, vector("output_norm.weight"), head);
    }

    private TernaryWeights matrix(String name) {
        return pack(checkpoint.readTernary(tensors.get(name)), arena);
    }

    private MemorySegment vector(String name) {
        CheckpointTensor tensor = tensors.get(name);
        MemorySegment out = arena.allocate(4L * tensor.elements(), 64);
        checkpoint.readFloats(tensor, 0, (int) tensor.elements(), out);
        return out;
    }

    private @Nullable MemorySegment optional(String name) {
        return tensors.containsKey(name) ? vector(name) : null;
    }

    private FloatWeights floats(String name) {
        CheckpointTensor tensor = tensors.get(name);
        return FloatWeights.of(arena, vector(name), tensor.rows(), tensor.cols(), FloatType.F32);
    }

    /** The run-time layout, written code by code as {@code tern_kernels.h} describes it. */
    public static TernaryWeights pack(TernaryMatrix m, Arena arena) {
        long rowBytes = TernaryWeights.rowBytes(m.cols());
        MemorySegment codes = arena.allocate(m.rows() * rowBytes, 64).fill((byte) 0b01010101);
        for (int row = 0; row < m.rows(); row++) {
            for (int col = 0; col < m.cols(); col++) {
                long at = row * rowBytes + col / 128 * 32 + col % 32;
                int shift = 6 - 2 * (col % 128 / 32);
                int code = m.values()[row * m.cols() + col] + 1;
                int others = codes.get(ValueLayout.JAVA_BYTE, at) & ~(3 << shift);
                codes.set(ValueLayout.JAVA_BYTE, at, (byte) (others | code << shift));
            }
        }
        return TernaryWeights.of(arena, codes, m.rows(), m.cols(), m.scale());
    }
}
