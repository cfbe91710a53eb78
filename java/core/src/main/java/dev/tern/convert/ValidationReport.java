package dev.tern.convert;

import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import dev.tern.ternary.TernaryCounts;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a validation found.
 *
 * @param file the GGUF file
 * @param against the checkpoint, or GGUF file, that it was compared with, or null: then only the file itself was
 *     checked
 * @param tensors number of tensors read
 * @param ternaryTensors how many of them are ternary
 * @param ternaryWeights number of ternary weights decoded, and compared where there is something to compare with
 * @param scaleBound what was demanded of the scales, in words
 * @param problems what is wrong, a sentence each that names the tensor or key; empty when all is well
 * @param notes what could not be checked, and why
 * @param seconds wall time
 * @param proof what else was compared, null without anything to compare with
 */
public record ValidationReport(
        Path file,
        @Nullable Path against,
        int tensors,
        int ternaryTensors,
        long ternaryWeights,
        String scaleBound,
        List<String> problems,
        List<String> notes,
        double seconds,
        @Nullable Proof proof) {

    public ValidationReport {
        problems = List.copyOf(problems);
        notes = List.copyOf(notes);
    }

    /** A report without a proof. */
    ValidationReport(
            Path file,
            @Nullable Path against,
            int tensors,
            int ternaryTensors,
            long ternaryWeights,
            String scaleBound,
            List<String> problems,
            List<String> notes,
            double seconds) {
        this(file, against, tensors, ternaryTensors, ternaryWeights, scaleBound, problems, notes, seconds, null);
    }

    /**
     * What was compared besides the tensors.
     *
     * @param fileBytes size of the file
     * @param sha256 of the file, hexadecimal; null where it was not asked for
     * @param texts on which both tokenizers were compared: tokens, and the text that comes back; 0 when tensors or
     *     metadata differ, and nothing else was compared
     * @param restored how many of the texts came back as they were; a tokenizer that normalizes changes some by design
     * @param graph both models on the same tokens, null when they could not be run: then a note says why
     * @param matrices every ternary matrix
     */
    public record Proof(
            long fileBytes,
            @Nullable String sha256,
            int texts,
            int restored,
            @Nullable Graph graph,
            List<Matrix> matrices) {
        public Proof {
            matrices = List.copyOf(matrices);
        }
    }

    /**
     * The file's model and the checkpoint's, run on the same tokens: the prompt, and what the file's model makes of it
     * greedily.
     *
     * @param prompt tokens of the prompt
     * @param continuation the tokens that follow, the same from both where all positions agree
     * @param positions at which both predict a next token
     * @param agreeing positions at which both predict the same
     * @param bitEqual whether all logits are equal bit for bit, given scales as the types round them
     * @param deviation largest root mean square of the difference of a position's logits, as a share of their standard
     *     deviation
     */
    public record Graph(
            int prompt, List<Integer> continuation, int positions, int agreeing, boolean bitEqual, double deviation) {
        public Graph {
            continuation = List.copyOf(continuation);
        }
    }

    /**
     * A ternary matrix, equal in both unless a problem names it.
     *
     * @param name under GGUF
     * @param source under the name that it has in the checkpoint, or GGUF file, compared with
     * @param type in the file
     * @param rows output features
     * @param cols input features
     * @param bytes in the file
     * @param counts of -1, 0 and +1
     * @param scale s in the checkpoint, or GGUF file, compared with
     * @param storedScale s in the file
     * @param sha256 of T in the file's order of rows, int8, row-major, hexadecimal
     */
    public record Matrix(
            String name,
            String source,
            GgmlType type,
            int rows,
            int cols,
            long bytes,
            TernaryCounts counts,
            float scale,
            float storedScale,
            String sha256) {}

    /** Whether nothing is wrong. */
    public boolean ok() {
        return problems.isEmpty();
    }

    /** @throws InputException with the first problem, when there is one */
    public void requireOk() {
        if (!ok()) {
            String more = problems.size() == 1 ? "" : " (and " + (problems.size() - 1) + " more)";
            throw InputException.at(file)
                    .problem("validation failed: " + problems.getFirst() + more)
                    .cure("Convert the checkpoint again; if the problem stays, check the disk and memory.")
                    .exception();
        }
    }
}
