package dev.tern.convert;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.model.TensorShape;
import dev.tern.ternary.BlockQuantizer;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryCounts;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** A GGUF file by itself. */
final class SelfCheck {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** Narrower matrices do not occur, and would be padded to many times their size. */
    private static final int MIN_COLS = 32;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final GgufFile file;
    private final LutTiles tiles;
    private final ConversionProgress progress;
    private final Findings findings = new Findings();
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
            Set<String> known = new HashSet<>();
            for (TensorShape shape : TensorShape.of(model)) {
                known.add(shape.name());
                Optional<GgufTensor> tensor = file.find(shape.name());
                if (tensor.isPresent()) {
                    findings.requireShape(tensor.get(), shape.rows(), shape.cols());
                } else {
                    findings.problem("tensor '" + shape.name() + "': missing");
                }
            }
            file.tensors().stream().filter(tensor -> !known.contains(tensor.name())).forEach(tensor -> findings.note(
                    "tensor '" + tensor.name() + "' is none that the architecture " + model.architecture() + " uses"));
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

    private void checkTensors() {
        long total = file.tensors().stream().mapToLong(GgufTensor::byteSize).sum();
        long done = 0;
        for (GgufTensor tensor : file.tensors()) {
            if (TensorShape.isProjection(tensor.name()) && TernaryCodec.supports(tensor.type())) {
                checkTernary(tensor);
            } else if (Findings.isPlainFloat(tensor.type())) {
                checkFinite(tensor);
            } else if (BlockQuantizer.supports(tensor.type())) {
                checkBlocks(tensor);
            } else {
                findings.note("tensor '" + tensor.name() + "': values of type " + tensor.type() + " are not checked");
            }
            file.release(tensor);
            done += tensor.byteSize();
            progress.advance(ConversionProgress.Phase.VALIDATE, tensor.name(), done, total);
        }
    }

    private void checkTernary(GgufTensor tensor) {
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

    private void checkFinite(GgufTensor tensor) {
        MemorySegment data = file.data(tensor);
        int exponent = tensor.type() == GgmlType.F16 ? 0x7C00 : tensor.type() == GgmlType.BF16 ? 0x7F80 : 0x7F80_0000;
        long count = tensor.elements();
        for (long i = 0; i < count; i++) {
            int bits = tensor.type() == GgmlType.F32 ? data.get(INT, 4 * i) : data.get(SHORT, 2 * i);
            if ((bits & exponent) == exponent) {
                findings.problem(tensor, "row " + i / tensor.cols() + ", column " + i % tensor.cols()
                        + " is no finite number");
                return;
            }
        }
    }

    /** Integers times d are finite where d is. */
    private void checkBlocks(GgufTensor tensor) {
        MemorySegment data = file.data(tensor);
        int blockBytes = tensor.type().blockBytes();
        for (long at = tensor.type() == GgmlType.Q8_0 ? 0 : blockBytes - 2; at < tensor.byteSize(); at += blockBytes) {
            if ((data.get(SHORT, at) & 0x7C00) == 0x7C00) {
                long element = at / blockBytes * tensor.type().blockSize();
                findings.problem(tensor, "the scale of the block at row " + element / tensor.cols() + ", column "
                        + element % tensor.cols() + " is no finite number");
                return;
            }
        }
    }
}
