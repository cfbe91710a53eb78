package dev.tern.kernels;

/**
 * A ternary matrix W = scale * T that can be multiplied with quantized activations, in one of the layouts that kernels read.
 * Both give the same results to the bit.
 */
public sealed interface Projection permits TernaryWeights, LutWeights {
    /** Outputs. */
    int rows();

    /** Inputs. */
    int cols();

    /** s, by which an integer product is multiplied. */
    float scale();

    /** Bytes of the weights as they lie in memory. */
    long byteSize();
}
