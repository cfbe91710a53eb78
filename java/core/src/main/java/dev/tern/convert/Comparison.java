package dev.tern.convert;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.TernaryCodec;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A GGUF file against the checkpoint, or the other GGUF file, that it was made from. */
final class Comparison {
    private final GgufFile file;
    private final Path name;
    private final ConversionSource source;
    private final LutTiles tiles;
    private final int threads;
    private final ConversionProgress progress;
    private final Findings findings = new Findings();
    private final Set<GgmlType> ternaryTypes = new TreeSet<>();
    private final AtomicReferenceArray<ValidationReport.@Nullable Matrix> matrices;
    private int ternaryTensors;
    private long ternaryWeights;

    Comparison(
            GgufFile file,
            Path name,
            ConversionSource source,
            LutTiles tiles,
            int threads,
            ConversionProgress progress) {
        this.file = file;
        this.name = name;
        this.source = source;
        this.tiles = tiles;
        this.threads = threads;
        this.progress = progress;
        this.matrices = new AtomicReferenceArray<>(source.tensors().size());
    }

    /** What was found of every ternary matrix, in the source's order. */
    List<ValidationReport.Matrix> matrices() {
        return IntStream.range(0, matrices.length())
                .mapToObj(matrices::get)
                .filter(Objects::nonNull)
                .toList();
    }

    ValidationReport run() {
        long start = System.nanoTime();
        compareHyperparameters();
        source.compareMetadata(file, findings);
        compareTensors();
        return new ValidationReport(
                name,
                source.path(),
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
            Object expected = value(component, source.hyperparameters());
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

    private void compareTensors() {
        List<SourceTensor> sources = source.tensors();
        List<Findings> each = new ArrayList<>();
        Set<String> expected = new HashSet<>();
        for (SourceTensor tensor : sources) {
            each.add(new Findings());
            expected.add(tensor.name());
        }
        long total = file.tensors().stream().mapToLong(GgufTensor::byteSize).sum();
        long[] done = {0};
        Workers.run(
                threads,
                sources.size(),
                () -> {
                    TensorComparison comparison = new TensorComparison(file, source, tiles);
                    return task -> comparison
                            .compare(sources.get(task), each.get(task))
                            .ifPresent(matrix -> matrices.set(task, matrix));
                },
                task -> {
                    String name = sources.get(task).name();
                    file.find(name).ifPresent(tensor -> {
                        done[0] += tensor.byteSize();
                        count(sources.get(task), tensor);
                        progress.advance(ConversionProgress.Phase.VALIDATE, name, done[0], total);
                    });
                });
        for (Findings ofTensor : each) { // in the file's order, whatever the order in which threads were done
            ofTensor.problems().forEach(findings::problem);
            ofTensor.notes().forEach(findings::note);
        }
        for (GgufTensor tensor : file.tensors()) {
            if (!expected.contains(tensor.name())) {
                findings.problem(
                        tensor, "the " + (source.format() == null ? "source" : "checkpoint") + " has no such tensor");
            }
        }
    }

    private void count(SourceTensor tensor, GgufTensor found) {
        if (tensor.kind() == SourceTensor.Kind.TERNARY && TernaryCodec.supports(found.type())) {
            ternaryTensors++;
            ternaryWeights += found.elements();
            ternaryTypes.add(found.type());
        }
    }

    private String scaleBound() {
        List<String> bounds = ternaryTypes.stream()
                .map(type -> switch (type) {
                    case TQ1_0, TQ2_0, Q2_K, Q4_0, Q8_0, F16 ->
                        type + ": the nearest fp16 (within 2^-11 of s in fp16's normal range)";
                    case BF16 -> type + ": the nearest bf16 (within 2^-9 of s)";
                    default -> type + ": exact";
                })
                .toList();
        return String.join("; ", bounds);
    }
}
