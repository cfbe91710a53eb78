package dev.tern.convert;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.ModelHyperparameters;
import dev.tern.tokenizer.Vocabulary;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Problems found one after the other, without stopping at the first. */
final class Findings {
    private final List<String> problems = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    void problem(GgufTensor tensor, String text) {
        problems.add("tensor '" + tensor.name() + "': " + text);
    }

    void problem(String text) {
        problems.add(text);
    }

    void note(String text) {
        notes.add(text);
    }

    List<String> problems() {
        return problems;
    }

    List<String> notes() {
        return notes;
    }

    /** Runs a check that throws at its first problem. */
    void check(Runnable check) {
        try {
            check.run();
        } catch (InputException e) {
            problems.add(e.getMessage());
        }
    }

    Optional<ModelHyperparameters> hyperparameters(GgufFile file) {
        try {
            return Optional.of(GgufHyperparameters.read(file));
        } catch (InputException e) {
            problems.add(e.getMessage());
            return Optional.empty();
        }
    }

    Optional<Vocabulary> vocabulary(GgufFile file) {
        try {
            return Optional.of(Vocabulary.ofGguf(file.metadata(), file.path()));
        } catch (InputException e) {
            problems.add(e.getMessage());
            return Optional.empty();
        }
    }

    /** Whether a tensor's dimensions are these; {@code rows} is 1 for a vector. */
    boolean requireShape(GgufTensor tensor, int rows, int cols) {
        if (tensor.cols() == cols && tensor.rows() == rows) {
            return true;
        }
        problem(tensor, "expected " + (rows == 1 ? "[" + cols + "]" : "[" + cols + ", " + rows + "]") + ", found " + tensor.shape());
        return false;
    }

    static boolean isPlainFloat(GgmlType type) {
        return type == GgmlType.F16 || type == GgmlType.BF16 || type == GgmlType.F32;
    }
}
