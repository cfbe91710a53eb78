package dev.tern.convert;

import dev.tern.convert.Inspection.Severity;
import dev.tern.convert.Inspection.TensorFacts;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.TensorShape;
import dev.tern.ternary.KernelConfigFile;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryCounts;
import dev.tern.tokenizer.Vocabulary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A GGUF file, every projection of it decoded. */
final class GgufInspection {
    private static final String CONVERT = "Convert the original checkpoint with `tern convert`.";

    private final GgufFile file;
    private final @Nullable Path kernelConfig;
    private final String architecture;
    private final InspectionBuilder result = new InspectionBuilder();
    private @Nullable LutTiles tiles;

    GgufInspection(GgufFile file, @Nullable Path kernelConfig) {
        this.file = file;
        this.kernelConfig = kernelConfig;
        this.architecture = file.string("general.architecture").orElse("");
    }

    Inspection run() {
        try {
            result.model(GgufHyperparameters.read(file));
        } catch (InputException e) {
            result.find(Severity.ERROR, e.getMessage(), "Tern cannot run this file.");
        }
        inspectTokenizer();
        inspectActivation();
        inspectTiles();
        Set<GgmlType> projectionTypes = new TreeSet<>();
        for (GgufTensor tensor : file.tensors()) {
            if (TensorShape.isProjection(tensor.name())) {
                projectionTypes.add(tensor.type());
                projection(tensor);
            } else {
                result.tensor(facts(tensor, null, null));
            }
        }
        inspectTypes(projectionTypes);
        return result.build(
                Inspection.Kind.GGUF, file.path(), file.size(), "GGUF version " + file.version(), architecture);
    }

    private void inspectTokenizer() {
        if (file.string("tokenizer.ggml.model").orElse("").equals("gpt2")
                && file.string("tokenizer.ggml.pre").isEmpty()) {
            result.find(
                    Severity.WARNING,
                    "tokenizer.ggml.pre is missing: other programs cut text into words by a default that the model was not"
                            + " trained with, and its answers get worse.",
                    CONVERT);
        }
        try {
            Vocabulary vocabulary = Vocabulary.ofGguf(file.metadata(), file.path());
            result.tokenizer(vocabulary);
            Optional<GgufTensor> embedding = file.find("token_embd.weight");
            if (embedding.isPresent() && embedding.get().rows() != vocabulary.size()) {
                result.find(
                        Severity.ERROR,
                        "The embedding has " + embedding.get().rows() + " rows for " + vocabulary.size() + " tokens.",
                        CONVERT);
            }
        } catch (InputException e) {
            result.find(Severity.ERROR, e.getMessage(), CONVERT);
        }
    }

    private void inspectActivation() {
        if (architecture.equals("bitnet") && file.string("bitnet.hidden_activation").isEmpty()) {
            result.find(
                    Severity.WARNING,
                    "The architecture is 'bitnet' and the file does not say which activation the model has: SiLU is assumed."
                            + " A BitNet b1.58 model, which has relu², answers nonsense with it.",
                    "For such a model convert the original checkpoint with `tern convert`, which stores the activation.");
        }
    }

    /** Tiles that are damaged or missing are told once; the matrices that need them stay undecoded. */
    private void inspectTiles() {
        try {
            LutTiles known = KernelConfigFile.tiles(file, kernelConfig);
            for (GgufTensor tensor : file.tensors()) {
                TernaryCodec.of(tensor, known);
            }
            tiles = known;
            result.tiles(known.kernels());
        } catch (InputException e) {
            if (kernelConfig != null) {
                throw e;
            }
            result.find(Severity.ERROR, e.getMessage(), "");
        }
    }

    private Optional<TernaryCodec> codec(GgufTensor tensor) {
        boolean tiled = tensor.type() == GgmlType.TL1 || tensor.type() == GgmlType.TL2;
        if (tiles == null && tiled || tensor.cols() < 32 || tensor.elements() > Integer.MAX_VALUE) {
            return Optional.empty();
        }
        return TernaryCodec.of(tensor, tiles == null ? LutTiles.none() : tiles);
    }

    private void projection(GgufTensor tensor) {
        Optional<TernaryCodec> codec = codec(tensor);
        if (codec.isEmpty()) {
            result.tensor(facts(tensor, null, null));
            return;
        }
        int rows = (int) tensor.rows();
        int cols = (int) tensor.cols();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment codes = arena.allocate(TernaryCodec.packedSize(rows, cols), 64);
            float scale = codec.get().pack(file.data(tensor), rows, cols, codes, "Tensor '" + tensor.name() + "'");
            result.tensor(facts(tensor, TernaryCounts.ofCodes(codes, rows, cols), scale));
        } catch (InputException e) {
            result.find(Severity.ERROR, e.getMessage(), "");
            result.tensor(facts(tensor, null, null));
        } finally {
            file.release(tensor);
        }
    }

    private static TensorFacts facts(
            GgufTensor tensor, @Nullable TernaryCounts counts, @Nullable Float scale) {
        List<Long> dims = Arrays.stream(tensor.dims()).boxed().toList();
        return new TensorFacts(tensor.name(), null, tensor.type().name(), dims, tensor.byteSize(), counts, scale);
    }

    private void inspectTypes(Set<GgmlType> projectionTypes) {
        List<GgmlType> foreign = new ArrayList<>(projectionTypes);
        foreign.removeIf(TernaryCodec::supports);
        if (!foreign.isEmpty()) {
            result.find(
                    Severity.ERROR,
                    "Projections are stored as " + foreign + ", which Tern does not compute with.",
                    "If the model is ternary, convert the original checkpoint with `tern convert`.");
        }
        Optional<Integer> fileType = file.integer("general.file_type");
        Optional<Outtype> declared = Arrays.stream(Outtype.values())
                .filter(outtype -> fileType.equals(Optional.of(outtype.fileType())))
                .findFirst();
        if (declared.isPresent() && !projectionTypes.isEmpty() && !projectionTypes.contains(declared.get().type())) {
            result.find(
                    Severity.WARNING,
                    "general.file_type is " + fileType.get() + " (" + declared.get().label() + "), but the projections are "
                            + projectionTypes + ".",
                    "The number only informs; programs go by the tensors' types.");
        }
    }
}
