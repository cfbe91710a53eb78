package dev.tern.inspect;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.inspect.Inspection.TensorFacts;
import dev.tern.io.InputException;
import dev.tern.model.ModelHyperparameters;
import dev.tern.probe.CheckpointBlocks;
import dev.tern.probe.Rewrite;
import dev.tern.probe.Rounding;
import dev.tern.ternary.TernaryCounts;
import dev.tern.ternary.TernaryMatrix;
import dev.tern.tokenizer.Vocabulary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A checkpoint, every matrix of it read into (T, s), and its model run. */
final class CheckpointInspection {
    private final Path path;
    private final Checkpoint checkpoint;
    private final ModelHyperparameters model;
    private final Inspector.Options options;
    private final InspectionBuilder result = new InspectionBuilder();

    /** What is told of a matrix, which itself is gone by then, or why it cannot be read. */
    private record Ternary(@Nullable TernaryCounts counts, @Nullable Float scale, @Nullable InputException refusal) {
        static final Ternary NONE = new Ternary(null, null, null);
    }

    CheckpointInspection(Path path, Checkpoint checkpoint, Inspector.Options options) {
        this.path = path;
        this.checkpoint = checkpoint;
        this.model = checkpoint.hyperparameters();
        this.options = options;
    }

    Inspection run() {
        result.model(model);
        checkpoint.notes().forEach(note -> result.find(kind(note), Severity.NOTE, note, ""));
        result.outtypes(FittingOuttypes.of(model));
        Optional<Vocabulary> vocabulary = vocabulary();
        List<Ternary> read = checkpoint.tensors().parallelStream().map(this::read).toList();
        for (int i = 0; i < read.size(); i++) {
            tensor(checkpoint.tensors().get(i), read.get(i));
        }
        TernarySuspicion.of(result.samples()).forEach(result::explain);
        if (options.probe() && vocabulary.isPresent() && !result.broken()) {
            new Prober(result, options).run(
                    model,
                    vocabulary.get(),
                    blocks(model, Rewrite.NONE),
                    Readings.ofCheckpoint(model, checkpoint.format() == WeightFormat.PACKED, this::blocks));
        }
        return result.build(
                Inspection.Kind.CHECKPOINT, path, checkpoint.weightBytes(), format(), model.architecture());
    }

    private static FindingKind kind(String note) {
        return note.contains("quantization_config") ? FindingKind.QUANTIZATION_CONFIG_MISSING : FindingKind.ASSUMPTION;
    }

    private CheckpointBlocks blocks(ModelHyperparameters graph, Rewrite rewrite) {
        return new CheckpointBlocks(checkpoint, graph, Rounding.NONE, rewrite);
    }

    private Optional<Vocabulary> vocabulary() {
        try {
            Vocabulary vocabulary = Vocabulary.ofCheckpoint(checkpoint.folder(), model.vocabSize());
            new TokenizerCheck(result).common(vocabulary);
            return Optional.of(vocabulary);
        } catch (InputException e) {
            boolean missing = !Files.exists(checkpoint.folder().resolve("tokenizer.json"))
                    && !Files.exists(checkpoint.folder().resolve("tokenizer.model"));
            result.find(
                    missing ? FindingKind.TOKENIZER_MISSING : FindingKind.TOKENIZER_UNREADABLE,
                    Severity.ERROR,
                    Sentences.of(e),
                    "Without a tokenizer the checkpoint cannot be converted."
                            + (missing ? " Download tokenizer.json (or tokenizer.model) into the folder." : ""));
            return Optional.empty();
        }
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

    private Ternary read(CheckpointTensor tensor) {
        if (!tensor.ternary()) {
            return Ternary.NONE;
        }
        try {
            TernaryMatrix matrix = checkpoint.readTernary(tensor);
            return new Ternary(TernaryCounts.of(matrix.values()), matrix.scale(), null);
        } catch (InputException e) {
            return new Ternary(null, null, e);
        }
    }

    private void tensor(CheckpointTensor tensor, Ternary ternary) {
        if (ternary.refusal() != null) {
            boolean code = checkpoint.format() == WeightFormat.PACKED;
            result.find(
                    code ? FindingKind.INVALID_CODE : FindingKind.NOT_FINITE,
                    Severity.ERROR,
                    Sentences.of(ternary.refusal()),
                    "Get the checkpoint again.");
        }
        long bits = tensor.elements() * tensor.storedAs().bits();
        boolean packed = tensor.ternary() && checkpoint.format() == WeightFormat.PACKED;
        long bytes = packed ? Math.ceilDiv(tensor.rows(), 4) * (long) tensor.cols() : bits / 8;
        List<Long> dims = tensor.vector() ? List.of((long) tensor.cols()) : List.of((long) tensor.cols(), (long) tensor.rows());
        result.tensor(new TensorFacts(
                tensor.name(),
                tensor.source(),
                tensor.storedAs().toString(),
                dims,
                bytes,
                ternary.counts(),
                ternary.scale()));
    }
}
