package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryMatrix;
import dev.tern.tokenizer.Vocabulary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;

/** A GGUF file against the checkpoint it was made from. */
final class Comparison {
    private final GgufFile file;
    private final Path name;
    private final Checkpoint checkpoint;
    private final LutTiles tiles;
    private final ConversionProgress progress;
    private final BiConsumer<CheckpointTensor, TernaryMatrix> observer;
    private final Findings findings = new Findings();
    private final Set<GgmlType> ternaryTypes = new TreeSet<>();
    private int ternaryTensors;
    private long ternaryWeights;
    private long done;

    /** @param observer is handed every ternary matrix of the checkpoint, in its order */
    Comparison(
            GgufFile file,
            Path name,
            Checkpoint checkpoint,
            LutTiles tiles,
            ConversionProgress progress,
            BiConsumer<CheckpointTensor, TernaryMatrix> observer) {
        this.file = file;
        this.name = name;
        this.checkpoint = checkpoint;
        this.tiles = tiles;
        this.progress = progress;
        this.observer = observer;
    }

    ValidationReport run() {
        long start = System.nanoTime();
        String architecture = file.string("general.architecture").orElse("");
        compareHyperparameters();
        compareTokenizer();
        compareTensors(architecture);
        return new ValidationReport(
                name,
                checkpoint.folder(),
                file.tensors().size(),
                ternaryTensors,
                ternaryWeights,
                scaleBound(),
                findings.problems(),
                findings.notes(),
                (System.nanoTime() - start) / 1e9);
    }

    /** All numbers but the name, which follows the folder, and the architecture, which is a choice. */
    private void compareHyperparameters() {
        Optional<ModelHyperparameters> stored = findings.hyperparameters(file);
        if (stored.isEmpty()) {
            return;
        }
        for (RecordComponent component : ModelHyperparameters.class.getRecordComponents()) {
            if (Set.of("name", "architecture").contains(component.getName())) {
                continue;
            }
            Object expected = value(component, checkpoint.hyperparameters());
            Object found = value(component, stored.get());
            if (!Objects.equals(expected, found)) {
                findings.problem("metadata: " + component.getName() + ": expected " + expected + ", found " + found);
            }
        }
    }

    private static Object value(RecordComponent component, ModelHyperparameters model) {
        try {
            return component.getAccessor().invoke(model);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError("accessors of a public record are public", e);
        }
    }

    private void compareTokenizer() {
        Optional<Vocabulary> stored = findings.vocabulary(file);
        Vocabulary expected =
                Vocabulary.ofCheckpoint(checkpoint.folder(), checkpoint.hyperparameters().vocabSize());
        if (stored.isPresent() && !stored.get().equals(expected)) {
            findings.problem("tokenizer: it is not the checkpoint's: expected " + expected + ", found " + stored.get());
        }
    }

    private void compareTensors(String architecture) {
        Set<String> expected = new HashSet<>();
        long total = file.tensors().stream().mapToLong(GgufTensor::byteSize).sum();
        try (Arena arena = Arena.ofConfined();
                TernaryPrefetch ternary = new TernaryPrefetch(checkpoint)) {
            FloatEncoder floats = new FloatEncoder(checkpoint, arena);
            for (CheckpointTensor source : checkpoint.tensors()) {
                expected.add(source.name());
                TernaryMatrix matrix = source.ternary() ? ternary.next(source) : null;
                Optional<GgufTensor> found = file.find(source.name());
                if (found.isEmpty()) {
                    findings.problem("tensor '" + source.name() + "': missing");
                    continue;
                }
                GgufTensor tensor = found.get();
                if (findings.requireShape(tensor, source.rows(), source.cols())) {
                    if (matrix != null) {
                        observer.accept(source, matrix);
                        compareTernary(tensor, RopePermutation.apply(
                                matrix, tensor.name(), architecture, checkpoint.hyperparameters()));
                    } else {
                        compareFloats(tensor, source, floats);
                    }
                }
                file.release(tensor);
                done += tensor.byteSize();
                progress.advance(ConversionProgress.Phase.VALIDATE, tensor.name(), done, total);
            }
        }
        for (GgufTensor tensor : file.tensors()) {
            if (!expected.contains(tensor.name())) {
                findings.problem(tensor, "the checkpoint has no such tensor");
            }
        }
    }

    private void compareTernary(GgufTensor tensor, TernaryMatrix expected) {
        Optional<TernaryCodec> codec = TernaryCodec.of(tensor, tiles);
        if (codec.isEmpty()) {
            findings.problem(tensor, "the type " + tensor.type() + " cannot be decoded");
            return;
        }
        ternaryTensors++;
        ternaryWeights += tensor.elements();
        ternaryTypes.add(tensor.type());
        findings.check(() -> {
            TernaryMatrix found = codec.get().decode(
                    file.data(tensor), expected.rows(), expected.cols(), "tensor '" + tensor.name() + "'");
            int at = Arrays.mismatch(expected.values(), found.values());
            if (at >= 0) {
                findings.problem(tensor, "row " + at / expected.cols() + ", column " + at % expected.cols()
                        + ": expected " + expected.values()[at] + ", found " + found.values()[at]);
            }
            float stored = codec.get().storedScale(expected.scale());
            boolean allZero = found.scale() == 0 && isZero(expected.values());
            if (found.scale() != stored && !allZero) {
                findings.problem(tensor, "scale: expected " + stored + " (" + expected.scale() + " in " + tensor.type()
                        + "), found " + found.scale());
            }
        });
    }

    /** A float type cannot hold the scale of a matrix of zeros, nor need it. */
    private static boolean isZero(byte[] values) {
        for (byte value : values) {
            if (value != 0) {
                return false;
            }
        }
        return true;
    }

    private void compareFloats(GgufTensor tensor, CheckpointTensor source, FloatEncoder floats) {
        if (!Findings.isPlainFloat(tensor.type())) {
            findings.problem(tensor, "the type " + tensor.type() + " cannot be compared");
            return;
        }
        MemorySegment data = file.data(tensor);
        long[] at = {0};
        long[] wrong = {-1};
        floats.encode(source, tensor.type(), expected -> {
            long mismatch = data.asSlice(at[0], expected.byteSize()).mismatch(expected);
            if (mismatch >= 0 && wrong[0] < 0) {
                wrong[0] = (at[0] + mismatch) / tensor.type().blockBytes();
            }
            at[0] += expected.byteSize();
        });
        if (wrong[0] >= 0) {
            findings.problem(tensor, "row " + wrong[0] / tensor.cols() + ", column " + wrong[0] % tensor.cols()
                    + " is not the checkpoint's value rounded to " + tensor.type());
        }
    }

    private String scaleBound() {
        List<String> bounds = ternaryTypes.stream()
                .map(type -> switch (type) {
                    case TQ1_0, TQ2_0, F16 -> type + ": the nearest fp16 (within 2^-11 of s in fp16's normal range)";
                    case BF16 -> type + ": the nearest bf16 (within 2^-9 of s)";
                    default -> type + ": exact";
                })
                .toList();
        return String.join("; ", bounds);
    }
}
