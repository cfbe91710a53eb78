package dev.tern.checkpoint;

import dev.tern.safetensors.SafetensorsType;

/**
 * A tensor of the model, with its logical shape {@code [rows][cols]} (row-major, cols fastest), however it is stored.
 *
 * @param name under GGUF, such as {@code blk.0.attn_q.weight}
 * @param source under Hugging Face, such as {@code model.layers.0.self_attn.q_proj.weight}
 * @param ternary whether it is one of the seven projections, read by {@link Checkpoint#readTernary}
 * @param vector whether it has one dimension; then {@code rows} is 1
 * @param rows output features, or rows of an embedding
 * @param cols input features
 * @param storedAs element type in the file: U8 for packed matrices
 */
public record CheckpointTensor(
        String name, String source, boolean ternary, boolean vector, int rows, int cols, SafetensorsType storedAs) {

    /** Number of elements. */
    public long elements() {
        return (long) rows * cols;
    }
}
