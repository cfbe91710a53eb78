package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.gguf.GgufFile;
import dev.tern.io.InputException;
import dev.tern.io.Sha256;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.ModelHyperparameters;
import dev.tern.probe.RunCost;
import dev.tern.ternary.LutTiles;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import dev.tern.tokenizer.VocabularyCheck;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What is compared besides tensor by tensor: the tokenizers on texts, the models on tokens. */
final class ProofOfModel {
    private static final int HASH_PIECE = 1 << 22;

    private final GgufFile file;
    private final ConversionSource source;
    private final LutTiles tiles;

    ProofOfModel(GgufFile file, ConversionSource source, LutTiles tiles) {
        this.file = file;
        this.source = source;
        this.tiles = tiles;
    }

    /**
     * The report of the tensors, completed. Where tensors differ, nothing is said of the models: that they do not agree
     * follows.
     *
     * @param matrices every ternary matrix that was found equal
     * @param hash whether the file's SHA-256 is computed
     * @param start of the whole validation, {@link System#nanoTime}
     */
    ValidationReport complete(
            ValidationReport tensors, List<ValidationReport.Matrix> matrices, boolean hash, long start) {
        List<String> problems = new ArrayList<>(tensors.problems());
        List<String> notes = new ArrayList<>(tensors.notes());
        int texts = 0;
        int restored = 0;
        ValidationReport.Graph graph = null;
        if (problems.isEmpty()) {
            Vocabulary expected = source.vocabulary();
            VocabularyCheck.RoundTrip tokenizers = VocabularyCheck.roundTrip(expected, Vocabulary.ofGguf(file));
            texts = tokenizers.texts();
            restored = tokenizers.restored();
            tokenizers.problems().forEach(problem -> problems.add("tokenizer: " + problem));
            graph = compareGraphs(expected, problems, notes);
        }
        return new ValidationReport(
                tensors.file(),
                tensors.against(),
                tensors.tensors(),
                tensors.ternaryTensors(),
                tensors.ternaryWeights(),
                tensors.scaleBound(),
                problems,
                notes,
                (System.nanoTime() - start) / 1e9,
                new ValidationReport.Proof(file.size(), hash ? sha256() : null, texts, restored, graph, matrices));
    }

    private ValidationReport.@Nullable Graph compareGraphs(
            Vocabulary vocabulary, List<String> problems, List<String> notes) {
        Optional<Checkpoint> checkpoint = source.checkpoint();
        if (checkpoint.isEmpty()) {
            notes.add("the models were not run: of a GGUF source weights and metadata are compared, which decide all");
            return null;
        }
        ModelHyperparameters model = GgufHyperparameters.read(file);
        Kernels kernels = KernelChoice.best().kernels();
        Optional<String> obstacle = RunCost.obstacle(model, kernels);
        if (obstacle.isPresent()) {
            notes.add("the models were not run: " + obstacle.get());
            return null;
        }
        int[] prompt = prompt(vocabulary);
        if (prompt.length == 0) {
            notes.add("the models were not run: the vocabulary has no tokens for the text of the prompt");
            return null;
        }
        try (GraphComparison graph = new GraphComparison(file, model, tiles, checkpoint.get(), prompt, kernels)) {
            return graph.run(problems);
        }
    }

    /** No tokens where the vocabulary cannot spell the text, which is no fault of the file. */
    private static int[] prompt(Vocabulary vocabulary) {
        try {
            return Tokenizer.of(vocabulary).encode(VocabularyCheck.sample(), true, false);
        } catch (InputException e) {
            return new int[0];
        }
    }

    private String sha256() {
        MessageDigest digest = Sha256.digest();
        MemorySegment all = file.bytes();
        for (long at = 0; at < all.byteSize(); at += HASH_PIECE) {
            MemorySegment piece = all.asSlice(at, Math.min(HASH_PIECE, all.byteSize() - at));
            digest.update(piece.asByteBuffer());
            piece.unload();
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
