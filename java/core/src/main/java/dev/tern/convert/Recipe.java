package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.KernelPlanException;
import dev.tern.codegen.KernelPlanner;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.Tile;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufLayout;
import dev.tern.io.InputException;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.TensorShape;
import dev.tern.ternary.BlockQuantizer;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import dev.tern.tokenizer.Vocabulary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A conversion with every choice made and checked: what each tensor becomes, and the file's layout.
 *
 * @param model the hyperparameters, with the architecture that the file will have
 */
record Recipe(
        Checkpoint checkpoint,
        ModelHyperparameters model,
        Outtype outtype,
        LutTiles tiles,
        GgmlType embeddingType,
        GgufLayout layout,
        List<String> notes) {
    static final String AUTO = "auto";

    private static final Set<GgmlType> FLOATS = Set.of(GgmlType.F16, GgmlType.BF16, GgmlType.F32);

    private static final List<String> BITNET = List.of("bitnet-b1.58", "bitnet-25", "bitnet");

    /** @param config tiles for TL1 or TL2, or null for those that {@link KernelPlanner} finds */
    static Recipe of(
            Checkpoint checkpoint,
            @Nullable Outtype wanted,
            @Nullable KernelConfig config,
            GgmlType embeddingType,
            String architecture) {
        ModelHyperparameters model =
                checkpoint.hyperparameters().withArchitecture(architecture(checkpoint, architecture));
        Vocabulary vocabulary = Vocabulary.ofCheckpoint(checkpoint.folder(), model.vocabSize());
        Outtype outtype = wanted == null ? best(checkpoint) : wanted;
        requireHoldsAll(checkpoint, outtype);
        LutTiles tiles = tiles(checkpoint, outtype, config);
        GgufLayout.Builder layout = GgufLayout.builder();
        ModelMetadata.of(model, outtype, tiles).forEach(layout::metadata);
        vocabulary.toGguf().forEach(layout::metadata);
        for (CheckpointTensor tensor : checkpoint.tensors()) {
            GgmlType type = type(tensor, outtype, embeddingType);
            requireWholeBlocks(checkpoint, tensor, type);
            if (tensor.vector()) {
                layout.tensor(tensor.name(), type, tensor.cols());
            } else {
                layout.tensor(tensor.name(), type, tensor.cols(), tensor.rows());
            }
        }
        List<String> notes = new ArrayList<>(checkpoint.notes());
        notes.addAll(vocabulary.notes());
        notes.addAll(OtherReaders.notes(model, outtype));
        return new Recipe(checkpoint, model, outtype, tiles, embeddingType, layout.build(), List.copyOf(notes));
    }

    /** The architecture asked for, when the model has that graph; by default the one that says what the model is. */
    private static String architecture(Checkpoint checkpoint, String wanted) {
        String own = checkpoint.hyperparameters().architecture();
        if (wanted.equals(AUTO) || wanted.equals(own)) {
            return own;
        }
        if (BITNET.contains(own) && BITNET.contains(wanted)) {
            return wanted;
        }
        throw InputException.at(checkpoint.folder())
                .problem("the model cannot be written as architecture '" + wanted + "'")
                .expected(BITNET.contains(own) ? "one of " + String.join(", ", BITNET) + ", whose graph has sub-norms" : own)
                .found(wanted)
                .exception();
    }

    /** I2_S loads as it lies; where its groups do not fit, fp16 holds anything. */
    private static Outtype best(Checkpoint checkpoint) {
        return holdsAll(checkpoint, Outtype.I2_S) ? Outtype.I2_S : Outtype.F16;
    }

    private static boolean holdsAll(Checkpoint checkpoint, Outtype outtype) {
        return ternary(checkpoint)
                .allMatch(tensor -> outtype.obstacle(tensor.rows(), tensor.cols()).isEmpty());
    }

    private static Stream<CheckpointTensor> ternary(Checkpoint checkpoint) {
        return checkpoint.tensors().stream().filter(CheckpointTensor::ternary);
    }

    private static void requireHoldsAll(Checkpoint checkpoint, Outtype outtype) {
        ternary(checkpoint).forEach(tensor -> outtype.obstacle(tensor.rows(), tensor.cols()).ifPresent(reason -> {
            throw cannotHold(checkpoint, tensor, outtype, reason);
        }));
    }

    private static LutTiles tiles(Checkpoint checkpoint, Outtype outtype, @Nullable KernelConfig config) {
        if (outtype.lutFormat().isEmpty()) {
            if (config != null) {
                throw InputException.at(checkpoint.folder())
                        .problem("a kernel config is for tl1 and tl2, whose weights are packed in tiles")
                        .found("outtype " + outtype.label())
                        .exception();
            }
            return LutTiles.none();
        }
        LutFormat format = outtype.lutFormat().get();
        if (config != null) {
            return configured(checkpoint, format, config);
        }
        try {
            return LutTiles.of(KernelPlanner.plan(ternary(checkpoint).map(Recipe::shape).distinct().toList(), format));
        } catch (KernelPlanException e) {
            throw InputException.at(checkpoint.folder())
                    .problem("no kernels can be planned for " + format.label() + ": " + e.getMessage())
                    .cure("Outtypes that can hold all of this model: " + outtypesFor(checkpoint) + ".")
                    .exception(e);
        }
    }

    /** The configuration's tiles for the model's shapes, in the model's order. */
    private static LutTiles configured(Checkpoint checkpoint, LutFormat format, KernelConfig config) {
        if (config.format() != format) {
            throw InputException.at(checkpoint.folder())
                    .problem("the kernel config is for another format than the outtype")
                    .expected(format.label())
                    .found(config.format().label())
                    .exception();
        }
        List<PlannedKernel> kernels = new ArrayList<>();
        for (CheckpointTensor tensor : ternary(checkpoint).toList()) {
            MatrixShape shape = shape(tensor);
            Tile tile = config.plan().tile(format, shape).orElseThrow(() -> InputException.at(checkpoint.folder())
                    .tensor(tensor.source())
                    .problem("the kernel config has no tile for its shape")
                    .expected("a section with m = " + shape.rows() + " and k = " + shape.cols())
                    .found(config.plan().kernels().stream()
                            .map(kernel -> kernel.shape().toString())
                            .collect(Collectors.joining(", ")))
                    .cure("Add it, or leave the kernel config away: Tern then chooses tiles for every shape.")
                    .exception());
            PlannedKernel kernel = new PlannedKernel(format, shape, tile);
            if (!kernels.contains(kernel)) {
                kernels.add(kernel);
            }
        }
        return LutTiles.of(new KernelPlan(kernels));
    }

    private static MatrixShape shape(CheckpointTensor tensor) {
        return new MatrixShape(tensor.rows(), tensor.cols());
    }

    private static String outtypesFor(Checkpoint checkpoint) {
        return Arrays.stream(Outtype.values())
                .filter(other -> holdsAll(checkpoint, other))
                .map(Outtype::label)
                .collect(Collectors.joining(", "));
    }

    private static InputException cannotHold(
            Checkpoint checkpoint, CheckpointTensor tensor, Outtype outtype, String reason) {
        return InputException.at(checkpoint.folder())
                .tensor(tensor.source())
                .problem("[" + tensor.rows() + ", " + tensor.cols() + "] cannot be held by " + outtype.label() + ": "
                        + reason)
                .cure("Outtypes that can hold all of this model: " + outtypesFor(checkpoint) + ".")
                .exception();
    }

    /** Of an embedding or head in a type of blocks. */
    private static void requireWholeBlocks(Checkpoint checkpoint, CheckpointTensor tensor, GgmlType type) {
        if (tensor.ternary() || !BlockQuantizer.supports(type)) {
            return;
        }
        BlockQuantizer.of(type).obstacle(tensor.rows(), tensor.cols()).ifPresent(reason -> {
            throw InputException.at(checkpoint.folder())
                    .tensor(tensor.source())
                    .problem("[" + tensor.rows() + ", " + tensor.cols() + "] cannot be held by " + type + ": " + reason)
                    .cure("Choose another --embedding-type: f16, or q8_0, whose blocks have 32 columns.")
                    .exception();
        });
    }

    private static GgmlType type(CheckpointTensor tensor, Outtype outtype, GgmlType embeddingType) {
        if (tensor.ternary()) {
            return outtype.type();
        }
        if (TensorShape.isLowRank(tensor.name())) {
            return FLOATS.contains(embeddingType) ? embeddingType : GgmlType.F16;
        }
        return tensor.vector() ? GgmlType.F32 : embeddingType;
    }

    ConversionPlan plan() {
        return new ConversionPlan(
                checkpoint.folder(),
                checkpoint.format(),
                model.architecture(),
                outtype,
                tiles,
                embeddingType,
                layout.fileSize(),
                layout.metadata().size(),
                layout.tensors(),
                notes);
    }
}
