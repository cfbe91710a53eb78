package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.ModelHyperparameters;
import dev.tern.probe.RunCost;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryCounts;
import dev.tern.ternary.TernaryMatrix;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What is compared besides the tensors: the tokenizers on texts, the models on tokens; and what is told of each matrix. */
final class ProofOfModel implements AutoCloseable {
    private static final int HASH_PIECE = 1 << 22;

    private final GgufFile file;
    private final Checkpoint checkpoint;
    private final LutTiles tiles;
    private final List<ValidationReport.Matrix> matrices = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final List<String> tokenizerProblems = new ArrayList<>();
    private int restored;
    private @Nullable GraphComparison graph;

    ProofOfModel(GgufFile file, Checkpoint checkpoint, LutTiles tiles) {
        this.file = file;
        this.checkpoint = checkpoint;
        this.tiles = tiles;
        try {
            Vocabulary expected =
                    Vocabulary.ofCheckpoint(checkpoint.folder(), checkpoint.hyperparameters().vocabSize());
            restored = TokenizerRoundTrip.restored(expected);
            tokenizerProblems.addAll(TokenizerRoundTrip.problems(expected, Vocabulary.ofGguf(file)));
            ModelHyperparameters model = GgufHyperparameters.read(file);
            Kernels kernels = KernelChoice.best().kernels();
            Optional<String> obstacle = RunCost.obstacle(model, kernels);
            if (obstacle.isPresent()) {
                notes.add("the models were not run: " + obstacle.get());
            } else {
                graph = new GraphComparison(file, model, tiles, checkpoint, prompt(expected), kernels);
            }
        } catch (InputException e) { // a problem of the file, which the comparison of tensors finds and names
            notes.add("the models were not run: " + e.getMessage());
        }
    }

    private static int[] prompt(Vocabulary vocabulary) {
        return Tokenizer.of(vocabulary).encode(String.join(" ", TokenizerRoundTrip.TEXTS.subList(0, 3)), true, false);
    }

    /** Takes a ternary matrix of the checkpoint; those of one block before those of the next. */
    void accept(CheckpointTensor source, TernaryMatrix matrix) {
        Optional<TernaryCodec> codec = file.find(source.name()).flatMap(tensor -> TernaryCodec.of(tensor, tiles));
        if (codec.isEmpty()) {
            return;
        }
        GgufTensor tensor = file.require(source.name());
        try {
            matrices.add(new ValidationReport.Matrix(
                    source.name(),
                    source.source(),
                    tensor.type(),
                    source.rows(),
                    source.cols(),
                    tensor.byteSize(),
                    TernaryCounts.of(matrix.values()),
                    matrix.scale(),
                    codec.get().scale(file.data(tensor), source.rows(), source.cols(), file.where(tensor)),
                    TensorStream.sha256(matrix.values())));
        } catch (InputException e) {
            return; // the comparison of tensors names it
        }
        if (graph != null) {
            graph.accept(source, matrix);
        }
    }

    /**
     * The report of the tensors, completed. Where tensors differ, nothing is said of the models: that they do not agree
     * follows.
     *
     * @param hash whether the file's SHA-256 is computed
     * @param start of the whole validation, {@link System#nanoTime}
     */
    ValidationReport finish(ValidationReport tensors, boolean hash, long start) {
        List<String> problems = new ArrayList<>(tensors.problems());
        List<String> allNotes = new ArrayList<>(tensors.notes());
        ValidationReport.Graph compared = null;
        if (problems.isEmpty()) {
            problems.addAll(tokenizerProblems);
            allNotes.addAll(notes);
            compared = graph == null ? null : graph.finish(problems);
        }
        ValidationReport.Proof proof = new ValidationReport.Proof(
                file.size(),
                hash ? sha256() : null,
                TokenizerRoundTrip.TEXTS.size(),
                restored,
                compared,
                matrices);
        return new ValidationReport(
                tensors.file(),
                tensors.against(),
                tensors.tensors(),
                tensors.ternaryTensors(),
                tensors.ternaryWeights(),
                tensors.scaleBound(),
                problems,
                allNotes,
                (System.nanoTime() - start) / 1e9,
                proof);
    }

    private String sha256() {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
        MemorySegment all = file.bytes();
        for (long at = 0; at < all.byteSize(); at += HASH_PIECE) {
            MemorySegment piece = all.asSlice(at, Math.min(HASH_PIECE, all.byteSize() - at));
            digest.update(piece.asByteBuffer());
            piece.unload();
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public void close() {
        if (graph != null) {
            graph.close();
        }
    }
}
