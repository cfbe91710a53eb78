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
import dev.tern.ternary.TernaryRows;
import dev.tern.tokenizer.Vocabulary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** A checkpoint, every matrix of it read into (T, s), and its model run. */
final class CheckpointInspection {
    /** Weights of the rows that are read at a time. */
    private static final int BAND = 1 << 20;

    /** More gain nothing: the disk is the limit. */
    private static final int MOST_THREADS = 8;

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
        checkpoint.typedNotes().forEach(note -> result.find(kind(note), Severity.NOTE, note.text(), ""));
        result.outtypes(FittingOuttypes.of(model));
        Optional<Vocabulary> vocabulary = vocabulary();
        readAll();
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

    private static FindingKind kind(Checkpoint.Note note) {
        return switch (note.kind()) {
            case ASSUMPTION -> FindingKind.ASSUMPTION;
            case QUANTIZATION_CONFIG_MISSING -> FindingKind.QUANTIZATION_CONFIG_MISSING;
        };
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

    /** Reads the matrices on a few threads, each of which holds one band. */
    private void readAll() {
        int threads = Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            List<Future<Ternary>> read = checkpoint.tensors().stream()
                    .map(tensor -> pool.submit(() -> read(tensor)))
                    .toList();
            for (int i = 0; i < read.size(); i++) {
                tensor(checkpoint.tensors().get(i), read.get(i).get());
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted");
        }
    }

    private Ternary read(CheckpointTensor tensor) {
        if (!tensor.ternary()) {
            return Ternary.NONE;
        }
        try {
            TernaryRows rows = checkpoint.ternaryRows(tensor);
            int step = Math.clamp(BAND / rows.cols(), 1, rows.rows());
            byte[] band = new byte[step * rows.cols()];
            TernaryCounts counts = new TernaryCounts(0, 0, 0);
            for (int row = 0; row < rows.rows(); row += step) {
                int count = Math.min(step, rows.rows() - row);
                byte[] t = count == step ? band : new byte[count * rows.cols()];
                rows.read(row, count, t);
                counts = counts.plus(TernaryCounts.of(t));
            }
            return new Ternary(counts, rows.scale(), null);
        } catch (InputException e) {
            return new Ternary(null, null, e);
        }
    }

    /** A matrix without (T, s): of a code that is none, values that are no numbers, or numbers of several scales. */
    private void refused(CheckpointTensor tensor, InputException refusal) {
        FindingKind kind = checkpoint.format() == WeightFormat.PACKED
                ? FindingKind.INVALID_CODE
                : isFinite(tensor) ? FindingKind.NOT_TERNARY : FindingKind.NOT_FINITE;
        result.find(
                kind,
                Severity.ERROR,
                Sentences.of(refusal),
                kind == FindingKind.NOT_TERNARY // whose text ends with its own cure
                        ? ""
                        : "Get the checkpoint again.");
    }

    private boolean isFinite(CheckpointTensor tensor) {
        MemorySegment band = Arena.ofAuto().allocate(4L * Math.min(BAND, tensor.elements()), 4);
        try {
            for (long first = 0; first < tensor.elements(); first += BAND) {
                checkpoint.readFloats(tensor, first, (int) Math.min(BAND, tensor.elements() - first), band);
            }
            return true;
        } catch (InputException e) {
            return false;
        }
    }

    private void tensor(CheckpointTensor tensor, Ternary ternary) {
        if (ternary.refusal() != null) {
            refused(tensor, ternary.refusal());
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
