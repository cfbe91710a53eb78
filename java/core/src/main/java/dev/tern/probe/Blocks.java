package dev.tern.probe;

import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.Projection;
import dev.tern.kernels.TernaryWeights;
import dev.tern.model.LayerWeights;
import dev.tern.model.LowRank;
import dev.tern.model.LowRankWeights;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryMatrix;
import dev.tern.ternary.TernaryRows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A model whose weights are read piece by piece, from whatever file they lie in. */
public interface Blocks {
    /** Rows of the head in a piece: of 2560 columns in fp32, 40 MiB. */
    int HEAD_PIECE = 4096;

    /** Weights of the rows that are unpacked at a time. */
    int BAND = 1 << 20;

    /** The graph. */
    ModelHyperparameters model();

    /**
     * Reads one block.
     *
     * @param arena holds the weights
     */
    LayerWeights layer(int index, Arena arena);

    /** Reads the last norm, {@code [hidden]} float32. */
    MemorySegment outputNorm(Arena arena);

    /** Writes the embeddings of tokens, float32 {@code [ids.length][hidden]}. */
    void embed(int[] ids, MemorySegment states);

    /** Hands over the head in pieces of consecutive rows, first to last; a piece is gone after the call. */
    void head(HeadSink sink);

    /** Receives the head. */
    @FunctionalInterface
    interface HeadSink {
        /**
         * A piece.
         *
         * @param firstRow the vocabulary's id of its first row
         */
        void accept(FloatWeights piece, int firstRow);
    }

    /** The matrices of a block, largest first, by what follows {@code blk.N.} in their names. */
    List<String> MATRICES = List.of(
            "ffn_gate.weight",
            "ffn_up.weight",
            "ffn_down.weight",
            "attn_q.weight",
            "attn_output.weight",
            "attn_k.weight",
            "attn_v.weight");

    /**
     * Reads a block.
     *
     * @param rewrite where its weights move, matrices are read one after the other, since each is unpacked whole;
     *     otherwise on all processors
     * @param matrix reads a projection by its GGUF name, such as {@code blk.0.attn_q.weight}; called from several
     *     threads
     * @param norm reads a norm, {@code [width]} float32
     * @param lowRank reads the correction beside a projection, such as {@code blk.0.attn_q}
     */
    static LayerWeights assemble(
            ModelHyperparameters model,
            int index,
            Rewrite rewrite,
            Function<String, TernaryWeights> matrix,
            Function<String, MemorySegment> norm,
            Function<String, LowRank> lowRank) {
        String block = "blk." + index + ".";
        List<String> names = MATRICES.stream().map(rest -> block + rest).toList();
        boolean moves = names.stream().anyMatch(rewrite::moves);
        Map<String, TernaryWeights> matrices = (moves ? names.stream() : names.parallelStream())
                .collect(Collectors.toConcurrentMap(Function.identity(), matrix));
        Function<String, Projection> projection = rest -> Objects.requireNonNull(matrices.get(block + rest));
        return new LayerWeights(
                norm.apply(block + "attn_norm.weight"),
                projection.apply("attn_q.weight"),
                projection.apply("attn_k.weight"),
                projection.apply("attn_v.weight"),
                optional(model, norm, block + "attn_sub_norm.weight"),
                projection.apply("attn_output.weight"),
                norm.apply(block + "ffn_norm.weight"),
                projection.apply("ffn_gate.weight"),
                projection.apply("ffn_up.weight"),
                optional(model, norm, block + "ffn_sub_norm.weight"),
                projection.apply("ffn_down.weight"),
                LowRankWeights.of(model.lowRank(), (module, rank) -> lowRank.apply(block + module)));
    }

    /**
     * Packs a matrix into the run-time layout, in bands of rows. Where its weights move, it lies unpacked meanwhile,
     * outside the heap and for no longer than that.
     *
     * @param codes of {@link TernaryCodec#packedSize}
     */
    static void pack(String name, TernaryRows matrix, Rewrite rewrite, MemorySegment codes) {
        int rows = matrix.rows();
        int cols = matrix.cols();
        int step = Math.clamp(BAND / cols, 1, rows);
        byte[] band = new byte[step * cols];
        boolean moves = rewrite.moves(name);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stored = moves ? arena.allocate((long) rows * cols) : MemorySegment.NULL;
            for (int row = 0; moves && row < rows; row += step) {
                int count = Math.min(step, rows - row);
                matrix.read(row, count, band);
                MemorySegment.copy(band, 0, stored, ValueLayout.JAVA_BYTE, (long) row * cols, count * cols);
            }
            for (int row = 0; row < rows; row += step) {
                int count = Math.min(step, rows - row);
                byte[] t = count == step ? band : new byte[count * cols];
                if (moves) {
                    rewrite.move(name, stored, rows, cols, row, count, t);
                } else {
                    matrix.read(row, count, t);
                }
                MemorySegment target = codes.asSlice(row * TernaryCodec.packedSize(1, cols));
                new TernaryMatrix(count, cols, t, matrix.scale()).pack(target);
            }
        }
    }

    private static @Nullable MemorySegment optional(
            ModelHyperparameters model, Function<String, MemorySegment> norm, String subNorm) {
        return model.subNorms() ? norm.apply(subNorm) : null;
    }
}
