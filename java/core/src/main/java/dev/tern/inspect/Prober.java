package dev.tern.inspect;

import dev.tern.inspect.Inspection.Severity;
import dev.tern.inspect.ModelProbe.Outcome;
import dev.tern.inspect.ModelProbe.Reading;
import dev.tern.io.InputException;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.ThreadTeam;
import dev.tern.probe.Blocks;
import dev.tern.probe.RunCost;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import java.util.List;
import java.util.Optional;

/** Runs the probe where it can be run, and adds what it found to an inspection. */
final class Prober {
    private final InspectionBuilder result;
    private final Inspector.Options options;

    Prober(InspectionBuilder result, Inspector.Options options) {
        this.result = result;
        this.options = options;
    }

    void run(ModelHyperparameters model, Vocabulary vocabulary, Blocks stored, List<Reading> readings) {
        Kernels kernels = KernelChoice.best().kernels();
        Optional<String> obstacle = RunCost.obstacle(model, kernels);
        if (obstacle.isPresent()) {
            skip(obstacle.get());
            return;
        }
        try (ThreadTeam team = new ThreadTeam(Runtime.getRuntime().availableProcessors())) {
            int[] ids = ModelProbe.tokens(Tokenizer.of(vocabulary), model);
            if (ids.length < ProbeLimits.LEAST_TOKENS) {
                skip("its context of " + model.contextLength() + " tokens is too short");
                return;
            }
            options.progress().accept("running the model on " + ids.length + " tokens");
            Outcome outcome = new ModelProbe(ids, model.vocabSize(), kernels, team).run(stored, readings);
            result.probe(outcome.facts());
            outcome.meant().ifPresent(reading -> result.explain(reading.finding(), reading.explains()));
            if (outcome.finding() != null) {
                result.explain(outcome.finding());
            }
        } catch (InputException e) {
            skip(e.getMessage());
        }
    }

    private void skip(String reason) {
        result.find(FindingKind.PROBE_SKIPPED, Severity.NOTE, "The model was not run: " + reason, "");
    }
}
