package dev.tern.model;

import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.ModelShape;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.Projection;
import dev.tern.kernels.TernaryWeights;
import dev.tern.lut.KernelFamily;
import dev.tern.ternary.KernelConfigFile;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.TernaryCodec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Loads a model's weights from a GGUF file. Ternary matrices are packed once, by all threads of the team, into the
 * layout that is fastest here ({@link LayoutChoice}), in memory of large pages ({@link MatrixLoader}). TL1 and TL2
 * matrices stay in the mapping where looking up is chosen ({@link LutChoice}); so do the head, and I2_S matrices that
 * are multiplied as rows, where a copy in large pages does not pay. The embedding, if it is not the head, stays in the
 * mapping; norms are copied.
 *
 * <p>Every tensor is checked against the hyperparameters before any is read. A tensor the graph would not use is
 * refused: a model that has one computes something else than Tern would.
 */
public final class GgufWeights {
    private final GgufFile file;
    private final LutTiles tiles;
    private final ModelHyperparameters model;
    private final Kernels kernels;
    private final KernelFamily family;
    private final Consumer<String> waiting;
    private final LayoutChoice layouts;
    private final Arena arena;
    private final Arena small = Arena.ofAuto(); // descriptors and norms, for the reason given in Forward
    private final List<FileMatrix> matrices = new ArrayList<>();
    private final Set<String> used = new HashSet<>();

    private GgufWeights(GgufFile file, ModelHyperparameters model, Options options, Arena arena) {
        this.file = file;
        this.tiles = KernelConfigFile.tiles(file, options.kernelConfig());
        this.model = model;
        this.kernels = options.kernels();
        this.family = options.family();
        this.waiting = options.waiting();
        this.layouts = options.layouts();
        this.arena = arena;
    }

    /**
     * How to load.
     *
     * @param kernels who computes
     * @param family how TL1 and TL2 matrices are computed
     * @param kernelConfig the kernel_config.ini of a TL1 or TL2 file that stores no tiles, or null
     * @param layouts of what is multiplied, and whether it is copied
     * @param waiting is told, in words, before kernels are built, which takes seconds
     */
    public record Options(
            Kernels kernels,
            KernelFamily family,
            @Nullable Path kernelConfig,
            LayoutChoice layouts,
            Consumer<String> waiting) {}

    /** The weights of one block before they are packed. */
    private record Block(
            MemorySegment attnNorm,
            FileMatrix q,
            FileMatrix k,
            FileMatrix v,
            @Nullable MemorySegment attnSubNorm,
            FileMatrix output,
            MemorySegment ffnNorm,
            FileMatrix gate,
            FileMatrix up,
            @Nullable MemorySegment ffnSubNorm,
            FileMatrix down,
            LowRankWeights lowRank) {}

    /**
     * Loads all weights.
     *
     * @param model read from the same file
     * @param options who computes and how
     * @param team packs and checks
     * @param arena holds what is not used in place; must live as long as the weights, as must the file
     * @param notes to which is added what a person should know about the choice of kernels
     * @throws InputException when a tensor is missing, of another shape or of a type that cannot be used, holds an
     *     invalid code, floats that are no ternary matrix or a norm that is not finite, or is not known to the graph
     * @throws KernelUnavailableException when look-up-table kernels are demanded and cannot be had
     */
    public static ModelWeights load(
            GgufFile file,
            ModelHyperparameters model,
            Options options,
            ThreadTeam team,
            Arena arena,
            List<String> notes) {
        return new GgufWeights(file, model, options, arena).load(team, notes);
    }

    private ModelWeights load(ThreadTeam team, List<String> notes) {
        FileFloats embedding = floats("token_embd.weight");
        FileFloats head = model.tiedHead() ? embedding : floats("output.weight");
        MemorySegment outputNorm = norm("output_norm.weight", model.hiddenSize());
        List<Block> blocks = new ArrayList<>();
        for (int i = 0; i < model.layers(); i++) {
            blocks.add(block("blk." + i + "."));
        }
        requireNothingElse();
        LutChoice choice = new LutChoice(kernels, layouts, team, waiting, notes);
        Optional<LutKernels> lut = choice.choose(packedMatrices(notes), family);
        matrices.forEach(matrix -> matrix.lut = lut.orElse(null));
        new MatrixLoader(file, kernels, layouts, arena).load(matrices, head, team);
        FloatWeights rows = embedding.weights(small);
        return new ModelWeights(
                rows,
                blocks.stream().map(this::finished).toList(),
                outputNorm,
                head == embedding ? rows : head.weights(small));
    }

    /**
     * All matrices as kernels that look up would compute them; none when no matrix is packed for such kernels, or
     * nobody asks for them.
     *
     * @throws KernelUnavailableException when they are demanded and only some matrices are, or not all in one format
     */
    private List<LutChoice.Packed> packedMatrices(List<String> notes) {
        if (family == KernelFamily.MAD) {
            return List.of();
        }
        List<LutChoice.Packed> packed = new ArrayList<>();
        for (FileMatrix m : matrices) {
            m.codec.kernel(m.rows, m.cols).ifPresent(kernel -> packed.add(new LutChoice.Packed(kernel, m.data)));
        }
        boolean oneFormat = packed.stream().map(matrix -> matrix.kernel().format()).distinct().count() == 1;
        if (packed.size() == matrices.size() && oneFormat || packed.isEmpty() && family == KernelFamily.AUTO) {
            return packed;
        }
        String mixed = packed.isEmpty() ? "no matrix is TL1 or TL2" : "the matrices are not all TL1, or all TL2";
        if (family == KernelFamily.LUT) {
            throw new KernelUnavailableException("look-up-table kernels are demanded but cannot be had: " + mixed);
        }
        notes.add(mixed + "; they were repacked for multiply-add kernels, with the same results");
        return List.of();
    }

    private Block block(String blk) {
        ModelShape shape = model.shape();
        int hidden = shape.hiddenSize();
        return new Block(
                norm(blk + "attn_norm.weight", hidden),
                matrix(blk + "attn_q", shape.query()),
                matrix(blk + "attn_k", shape.keyValue()),
                matrix(blk + "attn_v", shape.keyValue()),
                model.subNorms() ? norm(blk + "attn_sub_norm.weight", shape.attentionOutput().cols()) : null,
                matrix(blk + "attn_output", shape.attentionOutput()),
                norm(blk + "ffn_norm.weight", hidden),
                matrix(blk + "ffn_gate", shape.gateUp()),
                matrix(blk + "ffn_up", shape.gateUp()),
                model.subNorms() ? norm(blk + "ffn_sub_norm.weight", shape.intermediateSize()) : null,
                matrix(blk + "ffn_down", shape.down()),
                LowRankWeights.of(model.lowRank(), (module, rank) -> lowRank(blk + module, rank)));
    }

    private LowRank lowRank(String name, int rank) {
        GgufTensor weight = file.require(name + ".weight"); // whose shape has been checked
        GgufTensor u = tensor(name + ".lrc_u", rank, (int) weight.rows());
        GgufTensor v = tensor(name + ".lrc_v", rank, (int) weight.cols());
        return LowRank.of(file, u, v, arena, small);
    }

    private FileMatrix matrix(String name, MatrixShape shape) {
        int rows = shape.rows();
        int cols = shape.cols();
        GgufTensor tensor = tensor(name + ".weight", cols, rows);
        TernaryCodec codec = TernaryCodec.of(tensor, tiles)
                .orElseThrow(() -> TensorTypes.refused(file, tensor, TensorShape.Kind.PROJECTION));
        if (cols > TernaryWeights.MAX_COLS) {
            throw wrongShape(tensor, "rows of at most " + TernaryWeights.MAX_COLS + " elements");
        }
        FileMatrix matrix = new FileMatrix(tensor, rows, cols, codec, file.data(tensor), factor(name + ".scale"));
        matrices.add(matrix);
        return matrix;
    }

    /** The optional {@code .scale} tensor of a projection, which multiplies its output. */
    private float factor(String name) {
        Optional<GgufTensor> tensor = file.find(name);
        if (tensor.isEmpty()) {
            return 1;
        }
        return vector(name, 1).get(ValueLayout.JAVA_FLOAT, 0);
    }

    private MemorySegment norm(String name, int width) {
        return vector(name, width);
    }

    private MemorySegment vector(String name, int width) {
        GgufTensor tensor = tensor(name, width, 1);
        TensorTypes.require(file, tensor, TensorShape.Kind.NORM);
        MemorySegment copy = small.allocate(4L * width, 64).copyFrom(file.data(tensor));
        float[] values = copy.toArray(ValueLayout.JAVA_FLOAT); // whose elements code that is not compiled reads sooner
        for (int i = 0; i < width; i++) {
            if (!(Math.abs(values[i]) <= Float.MAX_VALUE)) {
                throw InputException.at(file.path())
                        .tensor(name)
                        .problem("element " + i + " is " + values[i])
                        .cure("The file is damaged; convert the checkpoint again.")
                        .exception();
            }
        }
        return copy;
    }

    private FileFloats floats(String name) {
        GgufTensor tensor = tensor(name, model.hiddenSize(), model.vocabSize());
        FloatType type = TensorTypes.floatType(file, tensor, TensorShape.Kind.EMBEDDING);
        MemorySegment data = file.data(tensor);
        if (data.address() % type.alignment() != 0) {
            throw InputException.at(file.path())
                    .tensor(name)
                    .problem("not aligned to its elements, general.alignment is " + file.alignment())
                    .cure("Convert the original checkpoint with tern convert.")
                    .exception();
        }
        return new FileFloats(tensor, type, data);
    }

    private GgufTensor tensor(String name, int cols, int rows) {
        GgufTensor tensor = file.require(name);
        used.add(name);
        if (tensor.cols() != cols || tensor.rows() != rows) {
            throw wrongShape(tensor, rows == 1 ? "[" + cols + "]" : "[" + cols + ", " + rows + "]");
        }
        return tensor;
    }

    private InputException wrongShape(GgufTensor tensor, String expected) {
        return InputException.at(file.path())
                .tensor(tensor.name())
                .problem("wrong shape")
                .expected(expected)
                .found(tensor.shape())
                .exception();
    }

    private void requireNothingElse() {
        for (GgufTensor tensor : file.tensors()) {
            if (!used.contains(tensor.name())) {
                throw InputException.at(file.path())
                        .tensor(tensor.name())
                        .problem("the graph of '" + model.architecture() + "' has no place for it, so its results would be"
                                + " wrong without it")
                        .exception();
            }
        }
    }

    private LayerWeights finished(Block b) {
        return new LayerWeights(
                b.attnNorm,
                finished(b.q),
                finished(b.k),
                finished(b.v),
                b.attnSubNorm,
                finished(b.output),
                b.ffnNorm,
                finished(b.gate),
                finished(b.up),
                b.ffnSubNorm,
                finished(b.down),
                b.lowRank);
    }

    private Projection finished(FileMatrix m) {
        return m.weights(small);
    }
}
