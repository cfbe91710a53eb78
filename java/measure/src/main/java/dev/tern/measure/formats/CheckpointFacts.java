package dev.tern.measure.formats;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.io.JsonFile;
import dev.tern.measure.comparison.ModelFacts;
import dev.tern.model.ModelHyperparameters;
import java.util.Locale;
import tools.jackson.databind.JsonNode;

/** A checkpoint as a report describes it. */
final class CheckpointFacts {
    private CheckpointFacts() {}

    static ModelFacts of(Checkpoint checkpoint, String source) {
        ModelHyperparameters model = checkpoint.hyperparameters();
        long parameters = 0;
        long ternary = 0;
        for (CheckpointTensor tensor : checkpoint.tensors()) {
            parameters += tensor.elements();
            ternary += tensor.ternary() ? tensor.elements() : 0;
        }
        return new ModelFacts(
                source,
                architecture(checkpoint),
                checkpoint.format().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                model.layers(),
                model.hiddenSize(),
                model.intermediateSize(),
                model.heads(),
                model.kvHeads(),
                model.vocabSize(),
                parameters,
                ternary,
                checkpoint.weightBytes());
    }

    /** The class that config.json names, else Tern's own name for the graph. */
    private static String architecture(Checkpoint checkpoint) {
        JsonNode config = JsonFile.read(checkpoint.folder().resolve("config.json"));
        String name = config.path("architectures").path(0).asString("");
        return name.isEmpty() ? checkpoint.hyperparameters().architecture() : name;
    }
}
