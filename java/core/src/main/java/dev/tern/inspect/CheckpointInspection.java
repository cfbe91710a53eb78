package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.convert.Inspection.Severity;
import dev.tern.convert.Inspection.TensorFacts;
import dev.tern.io.InputException;
import dev.tern.ternary.TernaryCounts;
import dev.tern.ternary.TernaryMatrix;
import dev.tern.tokenizer.Vocabulary;
import java.nio.file.Path;
import java.util.List;

/** A checkpoint, every matrix of it read into (T, s). */
final class CheckpointInspection {
    private final Path path;
    private final Checkpoint checkpoint;
    private final InspectionBuilder result = new InspectionBuilder();

    CheckpointInspection(Path path, Checkpoint checkpoint) {
        this.path = path;
        this.checkpoint = checkpoint;
    }

    Inspection run() {
        result.model(checkpoint.hyperparameters());
        checkpoint.notes().forEach(note -> result.find(Severity.NOTE, note, ""));
        try {
            result.tokenizer(
                    Vocabulary.ofCheckpoint(checkpoint.folder(), checkpoint.hyperparameters().vocabSize()));
        } catch (InputException e) {
            result.find(Severity.ERROR, e.getMessage(), "Without a tokenizer the checkpoint cannot be converted.");
        }
        checkpoint.tensors().forEach(this::tensor);
        return result.build(
                Inspection.Kind.CHECKPOINT,
                path,
                checkpoint.weightBytes(),
                format(),
                checkpoint.hyperparameters().architecture());
    }

    private String format() {
        return switch (checkpoint.format()) {
            case ONLINE -> "online: continuous weights, made ternary by absmean when read";
            case PACKED -> "packed: two bits a weight, weight_scale " + switch (checkpoint.scaleDirection()) {
                case DIRECT -> "is s";
                case INVERSE -> "is 1/s";
            };
            case TERNARY_FLOATS -> "floats that are ternary already";
        };
    }

    private void tensor(CheckpointTensor tensor) {
        TernaryCounts counts = null;
        Float scale = null;
        if (tensor.ternary()) {
            try {
                TernaryMatrix matrix = checkpoint.readTernary(tensor);
                counts = TernaryCounts.of(matrix.values());
                scale = matrix.scale();
            } catch (InputException e) {
                result.find(Severity.ERROR, e.getMessage(), "Get the checkpoint again.");
            }
        }
        long bits = tensor.elements() * tensor.storedAs().bits();
        boolean packed = tensor.ternary() && checkpoint.format() == WeightFormat.PACKED;
        long bytes = packed ? Math.ceilDiv(tensor.rows(), 4) * (long) tensor.cols() : bits / 8;
        List<Long> dims = tensor.vector() ? List.of((long) tensor.cols()) : List.of((long) tensor.cols(), (long) tensor.rows());
        result.tensor(new TensorFacts(
                tensor.name(), tensor.source(), tensor.storedAs().toString(), dims, bytes, counts, scale));
    }
}
