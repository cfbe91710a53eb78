package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.checkpoint.FloatReader;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufLayout;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.TernaryRows;
import dev.tern.tokenizer.Vocabulary;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A Hugging Face checkpoint. */
final class CheckpointSource implements ConversionSource {
    private final Checkpoint checkpoint;
    private final Map<String, CheckpointTensor> byName = new HashMap<>();
    private final List<SourceTensor> tensors = new ArrayList<>();
    private @Nullable Vocabulary vocabulary; // once read; of the thread that opened

    /** Takes the checkpoint over. */
    CheckpointSource(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
        for (CheckpointTensor tensor : checkpoint.tensors()) {
            byName.put(tensor.name(), tensor);
            tensors.add(new SourceTensor(tensor.name(), tensor.source(), kind(tensor), dims(tensor), null));
        }
    }

    private static SourceTensor.Kind kind(CheckpointTensor tensor) {
        if (tensor.ternary()) {
            return SourceTensor.Kind.TERNARY;
        }
        return tensor.vector() ? SourceTensor.Kind.VECTOR : SourceTensor.kindOf(tensor.name());
    }

    private static long[] dims(CheckpointTensor tensor) {
        return tensor.vector() ? new long[] {tensor.cols()} : new long[] {tensor.cols(), tensor.rows()};
    }

    @Override
    public Path path() {
        return checkpoint.folder();
    }

    @Override
    public long bytes() {
        return checkpoint.weightBytes();
    }

    @Override
    public WeightFormat format() {
        return checkpoint.format();
    }

    @Override
    public ModelHyperparameters hyperparameters() {
        return checkpoint.hyperparameters();
    }

    @Override
    public List<SourceTensor> tensors() {
        return List.copyOf(tensors);
    }

    @Override
    public List<String> notes() {
        List<String> notes = new ArrayList<>(checkpoint.notes());
        notes.addAll(vocabulary().notes());
        return notes;
    }

    @Override
    public Vocabulary vocabulary() {
        if (vocabulary == null) {
            vocabulary = Vocabulary.ofCheckpoint(checkpoint.folder(), checkpoint.hyperparameters().vocabSize());
        }
        return vocabulary;
    }

    @Override
    public Optional<Checkpoint> checkpoint() {
        return Optional.of(checkpoint);
    }

    @Override
    public void describe(FileDescription target, GgufLayout.Builder layout) {
        ModelMetadata.of(target).forEach(layout::metadata);
        vocabulary().toGguf().forEach(layout::metadata);
    }

    @Override
    public void compareMetadata(GgufFile found, Findings findings) {
        Optional<Vocabulary> stored = findings.vocabulary(found);
        Vocabulary expected = vocabulary();
        if (stored.isPresent() && !stored.get().equals(expected)) {
            findings.problem("tokenizer: it is not the checkpoint's: expected " + expected + ", found " + stored.get());
        }
    }

    @Override
    public TernaryRows ternary(SourceTensor tensor) {
        TernaryRows rows = checkpoint.ternaryRows(source(tensor));
        return RopePermutation.apply(rows, tensor.name(), checkpoint.hyperparameters());
    }

    private CheckpointTensor source(SourceTensor tensor) {
        CheckpointTensor found = byName.get(tensor.name());
        if (found == null) {
            throw new IllegalArgumentException(tensor.name() + " is not of this checkpoint");
        }
        return found;
    }

    @Override
    public Floats floats(SourceTensor tensor) {
        FloatReader reader = checkpoint.floatReader(source(tensor));
        ModelHyperparameters model = checkpoint.hyperparameters();
        if (!RopePermutation.interleavesFloats(tensor.name(), model)) {
            return (first, count, out) -> reader.read(first, count, MemorySegment.ofArray(out));
        }
        int cols = (int) tensor.cols();
        return (first, count, out) -> {
            MemorySegment to = MemorySegment.ofArray(out);
            for (int done = 0; done < count; done += cols) {
                long row = RopePermutation.sourceRow((first + done) / cols, model.headDim());
                reader.read(row * cols, cols, to.asSlice(4L * done, 4L * cols));
            }
        };
    }

    @Override
    public void readStored(SourceTensor tensor, long from, MemorySegment out) {
        throw new IllegalStateException("a checkpoint's tensors have no GGUF type");
    }

    @Override
    public void close() {
        checkpoint.close();
    }
}
