package dev.tern.probe;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.TernaryWeights;
import dev.tern.model.LayerWeights;
import dev.tern.model.LowRank;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.TensorShape;
import dev.tern.model.TensorTypes;
import dev.tern.ternary.BlockQuantizer;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryRows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The blocks of a GGUF file. What was read is released from memory after each piece. Throws {@link InputException} where
 * a tensor is missing, of another shape or of a type that cannot be read.
 */
public final class GgufBlocks implements Blocks {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final GgufFile file;
    private final ModelHyperparameters model;
    private final LutTiles tiles;
    private final Rewrite rewrite;

    /**
     * A file's model.
     *
     * @param model the graph that is to be run, the file's own or another
     * @param tiles of its TL1 and TL2 matrices
     * @param rewrite how the matrices are read
     */
    public GgufBlocks(GgufFile file, ModelHyperparameters model, LutTiles tiles, Rewrite rewrite) {
        this.file = file;
        this.model = model;
        this.tiles = tiles;
        this.rewrite = rewrite;
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
                name -> matrix(name, arena, small),
                name -> vector(name, small),
                name -> LowRank.of(file, file.require(name + ".lrc_u"), file.require(name + ".lrc_v"), arena, small));
    }

    private TernaryWeights matrix(String name, Arena arena, Arena small) {
        GgufTensor tensor = file.require(name);
        TensorTypes.require(file, tensor, TensorShape.Kind.PROJECTION);
        TernaryCodec codec = TernaryCodec.of(tensor, tiles).orElseThrow();
        int rows = Math.toIntExact(tensor.rows());
        int cols = Math.toIntExact(tensor.cols());
        MemorySegment codes = arena.allocate(TernaryCodec.packedSize(rows, cols), 64);
        float scale;
        if (rewrite.moves(name)) {
            TernaryRows stored = TernaryRows.of(file, tensor, tiles).orElseThrow();
            Blocks.pack(name, stored, rewrite, codes);
            scale = stored.scale();
        } else {
            scale = codec.pack(file.data(tensor), rows, cols, codes, file.where(tensor));
        }
        scale = rewrite.scale(scale);
        file.release(tensor);
        String factor = name.substring(0, name.length() - "weight".length()) + "scale";
        if (file.find(factor).isPresent()) { // multiplies the projection's output
            scale *= vector(factor, small).get(ValueLayout.JAVA_FLOAT, 0);
        }
        return TernaryWeights.of(small, codes, rows, cols, scale);
    }

    private MemorySegment vector(String name, Arena arena) {
        GgufTensor tensor = file.require(name);
        TensorTypes.require(file, tensor, TensorShape.Kind.NORM);
        return arena.allocate(tensor.byteSize(), 64).copyFrom(file.data(tensor));
    }

    @Override
    public MemorySegment outputNorm(Arena arena) {
        return vector("output_norm.weight", arena);
    }

    @Override
    public void embed(int[] ids, MemorySegment states) {
        GgufTensor tensor = file.require("token_embd.weight");
        int cols = Math.toIntExact(tensor.cols());
        MemorySegment data = file.data(tensor);
        float[] row = new float[cols];
        for (int t = 0; t < ids.length; t++) {
            read(data, floatType(tensor), ids[t], row);
            MemorySegment.copy(row, 0, states, ValueLayout.JAVA_FLOAT, 4L * t * cols, cols);
        }
        file.release(tensor);
    }

    private static void read(MemorySegment data, FloatType type, long index, float[] row) {
        long from = index * row.length;
        switch (type) {
            case F32 -> MemorySegment.copy(data, FLOAT, 4 * from, row, 0, row.length);
            case F16 -> {
                for (int c = 0; c < row.length; c++) {
                    row[c] = Float.float16ToFloat(data.get(SHORT, 2 * (from + c)));
                }
            }
            case BF16 -> {
                for (int c = 0; c < row.length; c++) {
                    row[c] = Float.intBitsToFloat(data.get(SHORT, 2 * (from + c)) << 16);
                }
            }
            case Q8_0, Q6_K -> BlockQuantizer.of(type == FloatType.Q8_0 ? GgmlType.Q8_0 : GgmlType.Q6_K)
                    .dequantize(data, type.bytes(from), row.length, row, 0);
        }
    }

    @Override
    public void head(HeadSink sink) {
        GgufTensor tensor = file.require(model.tiedHead() ? "token_embd.weight" : "output.weight");
        FloatType type = floatType(tensor);
        int rows = Math.toIntExact(tensor.rows());
        int cols = Math.toIntExact(tensor.cols());
        MemorySegment data = file.data(tensor);
        long rowBytes = type.bytes(cols);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment buffer = arena.allocate(Math.min(rows, HEAD_PIECE) * rowBytes, 64);
            for (int first = 0; first < rows; first += HEAD_PIECE) {
                int count = Math.min(HEAD_PIECE, rows - first);
                MemorySegment piece = data.asSlice(first * rowBytes, count * rowBytes);
                MemorySegment.copy(piece, 0, buffer, 0, piece.byteSize()); // aligned, whatever the file's alignment
                piece.unload();
                sink.accept(FloatWeights.of(Arena.ofAuto(), buffer, count, cols, type), first);
            }
        }
    }

    private FloatType floatType(GgufTensor tensor) {
        return TensorTypes.floatType(file, tensor, TensorShape.Kind.EMBEDDING);
    }
}
