package dev.tern.convert;

import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.codegen.MatrixShape;
import dev.tern.gguf.GgufTensor;
import dev.tern.gguf.GgufWriter;
import dev.tern.io.InputException;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryCounts;
import dev.tern.ternary.TernaryMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;

/** Writes a recipe's tensors one after the other: ternary ones are read ahead on a second thread, by one. */
final class TensorStream {
    private final Recipe recipe;
    private final GgufWriter writer;
    private final ConversionProgress progress;
    private final List<String> notes;

    /** @param notes to which are added those that the weights give rise to */
    TensorStream(Recipe recipe, GgufWriter writer, ConversionProgress progress, List<String> notes) {
        this.recipe = recipe;
        this.writer = writer;
        this.progress = progress;
        this.notes = notes;
    }

    List<ConversionReport.Tensor> write() {
        List<CheckpointTensor> sources = recipe.checkpoint().tensors();
        List<GgufTensor> targets = recipe.layout().tensors();
        List<ConversionReport.Tensor> done = new ArrayList<>();
        long total = targets.stream().mapToLong(GgufTensor::byteSize).sum();
        long bytes = 0;
        try (Arena arena = Arena.ofConfined();
                TernaryPrefetch ternary = new TernaryPrefetch(recipe.checkpoint())) {
            FloatEncoder floats = new FloatEncoder(recipe.checkpoint(), recipe.model().architecture(), arena);
            MemorySegment buffer = arena.allocate(largestTernary(sources, targets), 64);
            for (int i = 0; i < targets.size(); i++) {
                CheckpointTensor source = sources.get(i);
                GgufTensor target = targets.get(i);
                ConversionReport.Ternary summary = null;
                if (source.ternary()) {
                    summary = writeTernary(source, target, ternary.next(source), buffer);
                } else {
                    writer.begin(target.name());
                    floats.encode(source, target.type(), writer::append);
                }
                done.add(new ConversionReport.Tensor(
                        target.name(),
                        source.source(),
                        target.type(),
                        source.rows(),
                        source.cols(),
                        target.byteSize(),
                        summary));
                bytes += target.byteSize();
                progress.advance(ConversionProgress.Phase.WRITE, target.name(), bytes, total);
            }
        }
        return done;
    }

    private static long largestTernary(List<CheckpointTensor> sources, List<GgufTensor> targets) {
        return IntStream.range(0, targets.size())
                .filter(i -> sources.get(i).ternary())
                .mapToLong(i -> targets.get(i).byteSize())
                .max()
                .orElse(1);
    }

    private ConversionReport.Ternary writeTernary(
            CheckpointTensor source, GgufTensor target, TernaryMatrix read, MemorySegment buffer) {
        TernaryMatrix matrix =
                RopePermutation.apply(read, target.name(), recipe.model().architecture(), recipe.model());
        TernaryCodec codec =
                recipe.outtype().codec(new MatrixShape(matrix.rows(), matrix.cols()), recipe.tiles());
        TernaryCounts counts = TernaryCounts.of(matrix.values());
        codec.scaleObstacle(matrix.scale()).ifPresent(reason -> {
            throw InputException.at(recipe.checkpoint().folder())
                    .tensor(source.source())
                    .problem(reason)
                    .cure("Choose i2_s or f32, which keep the scale as it is.")
                    .exception();
        });
        float stored = codec.storedScale(matrix.scale());
        noteCoarseScale(target, matrix.scale(), stored);
        noteOddValues(target, counts);
        MemorySegment bytes = buffer.asSlice(0, target.byteSize());
        codec.encode(matrix, bytes);
        writer.write(target.name(), bytes);
        return new ConversionReport.Ternary(counts, matrix.scale(), stored, sha256(matrix.values()));
    }

    /** Below fp16's normal range the scale loses digits: no error, since such a tensor contributes next to nothing. */
    private void noteCoarseScale(GgufTensor target, float scale, float stored) {
        double error = Math.abs(stored - scale) / Math.abs(scale);
        if (error > 1.0 / 256) {
            notes.add(target.name() + ": the scale " + scale + " becomes " + stored + " in " + recipe.outtype().label()
                    + ", which is off by " + String.format(java.util.Locale.ROOT, "%.1f %%", 100 * error));
        }
    }

    private void noteOddValues(GgufTensor target, TernaryCounts counts) {
        if (counts.zero() == counts.all()) {
            notes.add(target.name() + ": all weights are zero");
        } else if (counts.zero() == 0) {
            notes.add(target.name() + ": no weight is zero, where absmean gives about 31 %; were the weights made by sign()?");
        }
    }

    static String sha256(byte[] values) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(values));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
