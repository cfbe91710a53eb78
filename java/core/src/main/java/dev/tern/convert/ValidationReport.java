package dev.tern.convert;

import dev.tern.io.InputException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a validation found.
 *
 * @param file the GGUF file
 * @param against the checkpoint it was compared with, or null: then only the file itself was checked
 * @param tensors number of tensors read
 * @param ternaryTensors how many of them are ternary
 * @param ternaryWeights number of ternary weights decoded, and compared where there is a checkpoint
 * @param scaleBound what was demanded of the scales, in words
 * @param problems what is wrong, a sentence each that names the tensor or key; empty when all is well
 * @param notes what could not be checked, and why
 * @param seconds wall time
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
        double seconds) {

    public ValidationReport {
        problems = List.copyOf(problems);
        notes = List.copyOf(notes);
    }

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
