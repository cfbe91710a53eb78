package dev.tern.codegen;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * The dimensions that decide which ternary matrices a model has.
 *
 * @param hiddenSize width of the residual stream
 * @param intermediateSize width of the feed-forward network
 * @param heads query heads
 * @param kvHeads key and value heads
 * @param headDim elements of a head; {@code heads * headDim} need not equal {@code hiddenSize}
 */
public record ModelShape(int hiddenSize, int intermediateSize, int heads, int kvHeads, int headDim) {

    public ModelShape {
        if (hiddenSize <= 0 || intermediateSize <= 0 || heads <= 0 || kvHeads <= 0 || headDim <= 0) {
            throw new IllegalArgumentException("dimensions must be positive, found a hidden size of " + hiddenSize
                    + ", an intermediate size of " + intermediateSize + ", " + heads + " heads, " + kvHeads
                    + " key/value heads of " + headDim + " elements");
        }
        if (heads % kvHeads != 0) {
            throw new IllegalArgumentException(kvHeads + " key/value heads do not divide " + heads + " heads");
        }
    }

    /** Shape of q_proj: hidden to heads. */
    public MatrixShape query() {
        return new MatrixShape(Math.multiplyExact(heads, headDim), hiddenSize);
    }

    /** Shape of k_proj and v_proj: hidden to key/value heads. */
    public MatrixShape keyValue() {
        return new MatrixShape(Math.multiplyExact(kvHeads, headDim), hiddenSize);
    }

    /** Shape of o_proj: heads to hidden. */
    public MatrixShape attentionOutput() {
        return new MatrixShape(hiddenSize, Math.multiplyExact(heads, headDim));
    }

    /** Shape of gate_proj and up_proj: hidden to intermediate. */
    public MatrixShape gateUp() {
        return new MatrixShape(intermediateSize, hiddenSize);
    }

    /** Shape of down_proj: intermediate to hidden. */
    public MatrixShape down() {
        return new MatrixShape(hiddenSize, intermediateSize);
    }

    /** Every distinct shape among the seven ternary matrices of a layer, in the order q, k/v, o, gate/up, down. */
    public List<MatrixShape> matrices() {
        return List.copyOf(projections().keySet());
    }

    /**
     * The seven ternary matrices of a layer ({@code q}, {@code k}, {@code v}, {@code o}, {@code gate}, {@code up},
     * {@code down}) by their shape, in the order of {@link #matrices}.
     */
    public SequencedMap<MatrixShape, List<String>> projections() {
        SequencedMap<MatrixShape, List<String>> names = new LinkedHashMap<>();
        add(names, query(), "q");
        add(names, keyValue(), "k", "v");
        add(names, attentionOutput(), "o");
        add(names, gateUp(), "gate", "up");
        add(names, down(), "down");
        return names;
    }

    private static void add(SequencedMap<MatrixShape, List<String>> names, MatrixShape shape, String... projections) {
        names.computeIfAbsent(shape, first -> new ArrayList<>()).addAll(List.of(projections));
    }

    /** Ternary weights of one layer: q, k, v, o, gate, up, down. */
    public long weightsPerLayer() {
        return query().weights()
                + 2 * keyValue().weights()
                + attentionOutput().weights()
                + 2 * gateUp().weights()
                + down().weights();
    }
}
