package dev.tern.convert;

import dev.tern.gguf.FiniteCheck;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.model.TensorShape;
import dev.tern.model.TensorTypes;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryCounts;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** A GGUF file by itself. */
final class SelfCheck {
    /** Narrower matrices do not occur, and would be padded to many times their size. */
    private static final int MIN_COLS = 32;

    private final GgufFile file;
    private final LutTiles tiles;
    private final ConversionProgress progress;
    private final Findings findings = new Findings();
    private final Set<String> known = new HashSet<>();
    private int ternaryTensors;
    private long ternaryWeights;

    SelfCheck(GgufFile file, LutTiles tiles, ConversionProgress progress) {
        this.file = file;
        this.tiles = tiles;
        this.progress = progress;
    }

    ValidationReport run() {
        long start = System.nanoTime();
        findings.hyperparameters(file).ifPresent(model -> {
            for (TensorShape shape : TensorShape.of(model)) {
                known.add(shape.name());
                Optional<GgufTensor> tensor = file.find(shape.name());
                if (tensor.isPresent()) {
                    findings.requireShape(tensor.get(), shape.rows(), shape.cols());
                    requireType(tensor.get(), shape.kind());
                } else {
                    findings.problem("tensor '" + shape.name() + "': missing");
                }
            }
            file.tensors().stream()
                    .filter(tensor -> !known.contains(tensor.name()) && !isFactor(tensor.name()))
                    .forEach(tensor -> findings.note("tensor '" + tensor.name() + "' is none that the architecture "
                            + model.architecture() + " uses"));
        });
        findings.vocabulary(file).ifPresent(vocabulary -> file.find("token_embd.weight").ifPresent(embedding -> {
            if (embedding.rows() != vocabulary.size()) {
                findings.problem(embedding, embedding.rows() + " rows for " + vocabulary.size() + " tokens");
            }
        }));
        checkTensors();
        return new ValidationReport(
                file.path(),
                null,
                file.tensors().size(),
                ternaryTensors,
                ternaryWeights,
                "finite",
                findings.problems(),
                findings.notes(),
                (System.nanoTime() - start) / 1e9);
    }

    /** The optional tensor that multiplies a projection's output. */
    private boolean isFactor(String name) {
        return name.endsWith(".scale")
                && known.contains(name.substring(0, name.length() - "scale".length()) + "weight");
    }

    private void requireType(GgufTensor tensor, TensorShape.Kind kind) {
        if (!kind.types().contains(tensor.type())) {
            findings.problem(tensor, "of type " + tensor.type() + ", which Tern does not compute " + kind.words()
                    + " with; expected " + TensorTypes.names(kind));
        } else if (tensor.name().endsWith(".lrc_v")) {
            GgmlType u = file.find(tensor.name().substring(0, tensor.name().length() - 1) + "u")
                    .map(GgufTensor::type)
                    .orElse(tensor.type());
            if (u != tensor.type() && kind.types().contains(u)) {
                findings.problem(tensor, "of type " + tensor.type() + ", but its U is " + u);
            }
        }
    }

    private void checkTensors() {
        long total = file.tensors().stream().mapToLong(GgufTensor::byteSize).sum();
        long done = 0;
        for (GgufTensor tensor : file.tensors()) {
            if (TensorShape.isProjection(tensor.name())) {
                checkTernary(tensor);
            } else if (FiniteCheck.supports(tensor.type())) {
                findings.check(() -> FiniteCheck.first(file, tensor)
                        .ifPresent(place -> findings.problem(tensor, place.toString())));
            } else {
                findings.note("tensor '" + tensor.name() + "': values of type " + tensor.type() + " are not checked");
            }
            file.release(tensor);
            done += tensor.byteSize();
            progress.advance(ConversionProgress.Phase.VALIDATE, tensor.name(), done, total);
        }
    }

    private void checkTernary(GgufTensor tensor) {
        if (!TernaryCodec.supports(tensor.type())) {
            if (!known.contains(tensor.name())) { // otherwise it is told already
                requireType(tensor, TensorShape.Kind.PROJECTION);
            }
            return;
        }
        if (tensor.cols() > Integer.MAX_VALUE || tensor.rows() > Integer.MAX_VALUE || tensor.cols() < MIN_COLS) {
            findings.problem(tensor, "no projection has the shape " + tensor.shape());
            return;
        }
        ternaryTensors++;
        ternaryWeights += tensor.elements();
        int rows = (int) tensor.rows();
        int cols = (int) tensor.cols();
        TernaryCodec codec = TernaryCodec.of(tensor, tiles).orElseThrow();
        findings.check(() -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment codes = arena.allocate(TernaryCodec.packedSize(rows, cols), 64);
                float scale = codec.pack(file.data(tensor), rows, cols, codes, "tensor '" + tensor.name() + "'");
                TernaryCounts counts = TernaryCounts.ofCodes(codes, rows, cols);
                if (scale < 0 || scale == 0 && counts.zero() < counts.all()) {
                    findings.problem(tensor, "the scale is " + scale);
                }
            }
        });
    }
}
