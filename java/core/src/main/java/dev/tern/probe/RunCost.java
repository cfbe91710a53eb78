package dev.tern.probe;

import dev.tern.kernels.Kernels;
import dev.tern.kernels.Tier;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.TensorShape;
import java.util.Optional;

/** Whether running a model's blocks for some dozens of tokens is a matter of seconds. */
public final class RunCost {
    /** Ternary weights up to which a machine without native kernels runs the model: some ten seconds. */
    private static final long MOST_WEIGHTS_IN_JAVA = 100_000_000;

    private RunCost() {}

    /** Why the model should not be run, or empty. */
    public static Optional<String> obstacle(ModelHyperparameters model, Kernels kernels) {
        long weights = TensorShape.of(model).stream()
                .filter(shape -> shape.kind() == TensorShape.Kind.PROJECTION)
                .mapToLong(shape -> (long) shape.rows() * shape.cols())
                .sum();
        return kernels.tier() == Tier.JAVA && weights > MOST_WEIGHTS_IN_JAVA
                ? Optional.of("without native kernels it would take minutes")
                : Optional.empty();
    }
}
