package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufLayout;
import dev.tern.io.InputException;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import dev.tern.tokenizer.Vocabulary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
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
        GgmlType embeddingType,
        GgufLayout layout,
        List<String> notes) {
    static final String AUTO = "auto";

    private static final List<String> BITNET = List.of("bitnet-b1.58", "bitnet-25", "bitnet");

    static Recipe of(Checkpoint checkpoint, @Nullable Outtype wanted, GgmlType embeddingType, String architecture) {
        ModelHyperparameters model =
                withArchitecture(checkpoint.hyperparameters(), architecture(checkpoint, architecture));
        Vocabulary vocabulary = Vocabulary.ofCheckpoint(checkpoint.folder(), model.vocabSize());
        Outtype outtype = wanted == null ? best(checkpoint) : wanted;
        GgufLayout.Builder layout = GgufLayout.builder();
        ModelMetadata.of(model, outtype).forEach(layout::metadata);
        vocabulary.toGguf().forEach(layout::metadata);
        for (CheckpointTensor tensor : checkpoint.tensors()) {
            GgmlType type = type(tensor, outtype, embeddingType);
            if (tensor.vector()) {
                layout.tensor(tensor.name(), type, tensor.cols());
            } else {
                obstacle(tensor, outtype, type).ifPresent(reason -> {
                    throw cannotHold(checkpoint, tensor, outtype, reason);
                });
                layout.tensor(tensor.name(), type, tensor.cols(), tensor.rows());
            }
        }
        List<String> notes = new ArrayList<>(checkpoint.notes());
        notes.addAll(vocabulary.notes());
        notes.addAll(OtherReaders.notes(model, outtype));
        return new Recipe(checkpoint, model, outtype, embeddingType, layout.build(), List.copyOf(notes));
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

    private static ModelHyperparameters withArchitecture(ModelHyperparameters m, String architecture) {
        return new ModelHyperparameters(
                architecture,
                m.name(),
                m.vocabSize(),
                m.contextLength(),
                m.hiddenSize(),
                m.intermediateSize(),
                m.layers(),
                m.heads(),
                m.kvHeads(),
                m.headDim(),
                m.ropeDims(),
                m.ropeTheta(),
                m.normEps(),
                m.activation(),
                m.subNorms(),
                m.tiedHead());
    }

    /** I2_S loads as it lies; where its groups do not fit, fp16 holds anything. */
    private static Outtype best(Checkpoint checkpoint) {
        return holdsAll(checkpoint, Outtype.I2_S) ? Outtype.I2_S : Outtype.F16;
    }

    private static boolean holdsAll(Checkpoint checkpoint, Outtype outtype) {
        return checkpoint.tensors().stream()
                .filter(CheckpointTensor::ternary)
                .allMatch(tensor -> obstacle(tensor, outtype, outtype.type()).isEmpty());
    }

    private static Optional<String> obstacle(CheckpointTensor tensor, Outtype outtype, GgmlType type) {
        return tensor.ternary() && type == outtype.type()
                ? outtype.codec().obstacle(tensor.rows(), tensor.cols())
                : Optional.empty();
    }

    private static InputException cannotHold(
            Checkpoint checkpoint, CheckpointTensor tensor, Outtype outtype, String reason) {
        String others = Arrays.stream(Outtype.values())
                .filter(other -> holdsAll(checkpoint, other))
                .map(Outtype::label)
                .collect(Collectors.joining(", "));
        return InputException.at(checkpoint.folder())
                .tensor(tensor.source())
                .problem("[" + tensor.rows() + ", " + tensor.cols() + "] cannot be held by " + outtype.label() + ": "
                        + reason)
                .cure("Outtypes that can hold all of this model: " + others + ".")
                .exception();
    }

    private static GgmlType type(CheckpointTensor tensor, Outtype outtype, GgmlType embeddingType) {
        if (tensor.ternary()) {
            return outtype.type();
        }
        return tensor.vector() ? GgmlType.F32 : embeddingType;
    }

    ConversionPlan plan() {
        return new ConversionPlan(
                checkpoint.folder(),
                checkpoint.format(),
                model.architecture(),
                outtype,
                embeddingType,
                layout.fileSize(),
                layout.metadata().size(),
                layout.tensors(),
                notes);
    }
}
