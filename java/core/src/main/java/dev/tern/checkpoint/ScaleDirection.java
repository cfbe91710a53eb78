package dev.tern.checkpoint;

/**
 * What a packed matrix's {@code weight_scale} is. It follows from {@code quantization_config.linear_class}; a reader
 * that mixes the two up is off by a factor of s squared.
 */
public enum ScaleDirection {
    /** s = weight_scale: class {@code autobitlinear}, the outputs are multiplied. */
    DIRECT,
    /** s = 1 / weight_scale: class {@code bitlinear} (transformers' default), the outputs are divided. */
    INVERSE;

    /** The matrix's scale s. */
    float scale(float weightScale) {
        return this == DIRECT ? weightScale : 1f / weightScale;
    }
}
