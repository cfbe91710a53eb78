package dev.tern.cli;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.checkpoint.ModelDimensions;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.ModelShape;
import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Stream;

/**
 * The ternary matrices of a model and where they are known from.
 *
 * @param source a file, a folder, or the command line
 * @param model its dimensions
 * @param headsKnown whether the heads are the model's; if not, one head as wide as the model stands for them
 * @param notes what a person should know although it is no error
 */
record ModelMatrices(String source, ModelShape model, boolean headsKnown, List<String> notes) {

    /** From a config.json alone; its architecture does not matter. */
    static ModelMatrices ofConfig(Path configJson) {
        return new ModelMatrices(configJson.toString(), ModelDimensions.read(configJson), true, List.of());
    }

    /** From a folder's config.json, compared with the tensors beside it. */
    static ModelMatrices ofCheckpoint(Path checkpoint) {
        Path folder = Files.isRegularFile(checkpoint) ? checkpoint.toAbsolutePath().getParent() : checkpoint;
        if (!Files.exists(checkpoint)) {
            throw InputException.at(checkpoint).problem("no such file or folder").cure("Check the path.").exception();
        }
        ModelShape model = ModelDimensions.read(folder.resolve("config.json"));
        if (!holdsWeights(folder)) {
            String note = "there are no weights in " + checkpoint + ": the shapes are config.json's, unchecked";
            return new ModelMatrices(checkpoint.toString(), model, true, List.of(note));
        }
        try (Checkpoint opened = Checkpoint.open(checkpoint)) { // checks every tensor's shape against config.json
            List<MatrixShape> found = opened.tensors().stream()
                    .filter(CheckpointTensor::ternary)
                    .map(tensor -> new MatrixShape(tensor.rows(), tensor.cols()))
                    .distinct()
                    .toList();
            if (!model.matrices().containsAll(found)) {
                throw new IllegalStateException(found + " instead of " + model.matrices());
            }
        } catch (InputException e) {
            throw InputException.at(e.getMessage())
                    .problem("the shapes in config.json cannot be trusted before that is cleared")
                    .cure("--config " + folder.resolve("config.json") + " plans from the dimensions alone.")
                    .exception(e);
        }
        return new ModelMatrices(checkpoint.toString(), model, true, List.of());
    }

    private static boolean holdsWeights(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .anyMatch(name -> name.endsWith(".safetensors") || name.endsWith(".safetensors.index.json")
                            || name.endsWith(".bin"));
        } catch (IOException e) {
            throw InputException.at(folder).problem("cannot be listed", e).exception(e);
        }
    }

    /** The matrices of a layer by their shape: {@code q}, {@code k} and so on. */
    SequencedMap<MatrixShape, List<String>> projections() {
        return model.projections();
    }
}
