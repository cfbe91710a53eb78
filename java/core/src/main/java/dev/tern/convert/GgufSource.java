package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufLayout;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.TensorShape;
import dev.tern.ternary.BlockQuantizer;
import dev.tern.ternary.KernelConfigFile;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.NotTernaryException;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryRows;
import dev.tern.tokenizer.Vocabulary;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A GGUF file whose projections are ternary, in whatever type. They keep their T and the scale that the file stores;
 * everything else is carried over as it is, except what depends on the type.
 */
final class GgufSource implements ConversionSource {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final String SPLIT_COUNT = "split.count";

    private final GgufFile file;
    private final ModelHyperparameters hyperparameters;
    private final LutTiles tiles;
    private final List<SourceTensor> tensors = new ArrayList<>();

    private GgufSource(GgufFile file, @Nullable Path kernelConfig) {
        this.file = file;
        requireWhole();
        this.hyperparameters = GgufHyperparameters.read(file);
        TensorShape.of(hyperparameters).forEach(this::requireTensor);
        this.tiles = KernelConfigFile.tiles(file, kernelConfig);
        for (GgufTensor tensor : file.tensors()) {
            tensors.add(new SourceTensor(tensor.name(), tensor.name(), kind(tensor), tensor.dims(), tensor.type()));
        }
        tensors.stream()
                .filter(tensor -> tensor.kind() == SourceTensor.Kind.TERNARY)
                .forEach(this::requireTernary);
    }

    static GgufSource open(Path path, @Nullable Path kernelConfig) {
        GgufFile file = GgufFile.open(path);
        try {
            return new GgufSource(file, kernelConfig);
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    /**
     * One of several files that llama.cpp's llama-gguf-split made has some of the tensors, and only the first the
     * metadata.
     */
    private void requireWhole() {
        int parts = file.integer(SPLIT_COUNT).orElse(1);
        if (parts > 1) {
            throw InputException.at(file.path())
                    .key(SPLIT_COUNT)
                    .problem("one of the " + parts + " files that a model was split into, and not the whole of it")
                    .cure("Merge them first, with llama.cpp's `llama-gguf-split --merge FIRST-FILE MERGED-FILE`.")
                    .exception();
        }
    }

    private void requireTensor(TensorShape shape) {
        GgufTensor tensor = file.find(shape.name()).orElseThrow(() -> InputException.at(file.path())
                .tensor(shape.name())
                .problem("missing, and the model cannot be run without it")
                .cure("The file is not whole: fetch it again, or convert the original checkpoint with `tern convert`.")
                .exception());
        if (tensor.rows() != shape.rows() || tensor.cols() != shape.cols()) {
            throw InputException.at(file.where(tensor))
                    .problem("has not the dimensions that the metadata demands")
                    .expected("[" + shape.cols() + (shape.rows() == 1 ? "]" : ", " + shape.rows() + "]"))
                    .found(tensor.shape())
                    .exception();
        }
    }

    private static SourceTensor.Kind kind(GgufTensor tensor) {
        if (TensorShape.isProjection(tensor.name())) {
            return SourceTensor.Kind.TERNARY;
        }
        boolean embedding = SourceTensor.kindOf(tensor.name()) == SourceTensor.Kind.EMBEDDING;
        return embedding ? SourceTensor.Kind.EMBEDDING : SourceTensor.Kind.COPY;
    }

    /** The type must hold ternary weights, and the first rows prove that these are such. */
    private void requireTernary(SourceTensor tensor) {
        GgufTensor stored = file.require(tensor.name());
        if (!TernaryCodec.supports(stored.type()) || stored.dims().length != 2) {
            throw notTernary(stored, stored.type() + " " + stored.shape(), null);
        }
        try {
            TernaryRows rows = ternary(tensor);
            rows.read(0, 1, new byte[rows.cols()]);
        } catch (NotTernaryException e) {
            throw notTernary(stored, e.getMessage(), e);
        } catch (InputException e) { // damaged, or cannot be read
            throw stored.type() == GgmlType.TL1 || stored.type() == GgmlType.TL2 ? noTiles(stored, e) : e;
        }
    }

    private InputException notTernary(GgufTensor tensor, Object found, @Nullable InputException cause) {
        return InputException.at(file.path())
                .tensor(tensor.name())
                .problem("is not ternary, so it cannot be brought into another type without loss: rounding weights that"
                        + " were rounded to other values before, block by block against the largest one, sends most of"
                        + " them to zero, and the model speaks nonsense")
                .expected("-s, 0 and +s with one s for the whole matrix")
                .found(found)
                .cure("Convert the original checkpoint with `tern convert`.")
                .exception(cause);
    }

    private InputException noTiles(GgufTensor tensor, InputException cause) {
        return tiles.tile(
                        tensor.type() == GgmlType.TL1 ? LutFormat.TL1 : LutFormat.TL2,
                        new MatrixShape((int) tensor.rows(), (int) tensor.cols()))
                .map(tile -> cause)
                .orElseGet(() -> InputException.at(file.path())
                        .tensor(tensor.name())
                        .problem("packed as " + tensor.type() + " for kernels whose tiles the file does not store")
                        .cure("Name the kernel_config.ini it was packed with: --source-kernel-config"
                                + " kernel_config.ini.")
                        .exception(cause));
    }

    @Override
    public Path path() {
        return file.path();
    }

    @Override
    public long bytes() {
        return file.size();
    }

    @Override
    public @Nullable WeightFormat format() {
        return null;
    }

    @Override
    public ModelHyperparameters hyperparameters() {
        return hyperparameters;
    }

    @Override
    public List<SourceTensor> tensors() {
        return List.copyOf(tensors);
    }

    @Override
    public List<String> notes() {
        return List.of();
    }

    @Override
    public Vocabulary vocabulary() {
        return Vocabulary.ofGguf(file);
    }

    @Override
    public Optional<Checkpoint> checkpoint() {
        return Optional.empty();
    }

    @Override
    public void describe(FileDescription target, GgufLayout.Builder layout) {
        CarriedMetadata.write(file.metadata(), hyperparameters, target, layout);
    }

    @Override
    public void compareMetadata(GgufFile found, Findings findings) {
        CarriedMetadata.compare(file.metadata(), hyperparameters.architecture(), found, findings);
    }

    @Override
    public TernaryRows ternary(SourceTensor tensor) {
        return TernaryRows.of(file, file.require(tensor.name()), tiles).orElseThrow();
    }

    /** Embeddings that {@link Recipe} found to be of a readable type only. */
    @Override
    public Floats floats(SourceTensor tensor) {
        GgufTensor stored = file.require(tensor.name());
        return (first, count, out) -> readFloats(stored, first, count, out);
    }

    /** Whole rows, and so whole blocks. */
    private void readFloats(GgufTensor stored, long first, int count, float[] out) {
        GgmlType type = stored.type();
        MemorySegment bytes = MemorySegment.ofArray(new byte[Math.toIntExact(type.bytes(count, 1))]);
        file.read(stored, type.bytes(first, 1), bytes);
        switch (type) {
            case F32 -> MemorySegment.copy(bytes, FLOAT, 0, out, 0, count);
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    out[i] = Float.float16ToFloat(bytes.get(SHORT, 2L * i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    out[i] = Float.intBitsToFloat(bytes.get(SHORT, 2L * i) << 16);
                }
            }
            case Q8_0, Q6_K -> BlockQuantizer.of(type).dequantize(bytes, 0, count, out, 0);
            default -> throw new IllegalArgumentException(stored.name() + " is " + type);
        }
        for (int i = 0; i < count; i++) {
            if (!Float.isFinite(out[i])) {
                throw InputException.at(file.where(stored))
                        .problem("holds a value that is no number")
                        .found(out[i] + " at index " + (first + i))
                        .exception();
            }
        }
    }

    @Override
    public void readStored(SourceTensor tensor, long from, MemorySegment out) {
        file.read(file.require(tensor.name()), from, out);
    }

    @Override
    public void close() {
        file.close();
    }
}
