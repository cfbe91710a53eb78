package dev.tern.inspect;

import dev.tern.model.ModelHyperparameters;
import dev.tern.model.TensorShape;
import dev.tern.ternary.Outtype;
import java.util.Arrays;
import java.util.List;

/** Which outtypes can hold a model. */
final class FittingOuttypes {
    private FittingOuttypes() {}

    /** Labels of those that can hold every ternary matrix of the graph. */
    static List<String> of(ModelHyperparameters model) {
        List<TensorShape> matrices = TensorShape.of(model).stream()
                .filter(shape -> shape.kind() == TensorShape.Kind.PROJECTION)
                .toList();
        return Arrays.stream(Outtype.values())
                .filter(outtype -> matrices.stream()
                        .allMatch(m -> outtype.obstacle(m.rows(), m.cols()).isEmpty()))
                .map(Outtype::label)
                .toList();
    }
}
