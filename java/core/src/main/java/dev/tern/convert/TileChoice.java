package dev.tern.convert;

import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.KernelPlanException;
import dev.tern.codegen.KernelPlanner;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.Tile;
import dev.tern.io.InputException;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The tiles that TL1 and TL2 matrices are packed with. */
record TileChoice(ConversionSource source) {

    /** @param config a build's tiles, or null for those that {@link KernelPlanner} finds */
    LutTiles tiles(Outtype outtype, @Nullable KernelConfig config) {
        Optional<LutFormat> format = outtype.lutFormat();
        if (format.isEmpty()) {
            if (config != null) {
                throw InputException.at(source.path())
                        .problem("a kernel config is for tl1 and tl2, whose weights are packed in tiles")
                        .found("outtype " + outtype.label())
                        .exception();
            }
            return LutTiles.none();
        }
        if (config != null) {
            return configured(format.get(), config);
        }
        try {
            return LutTiles.of(
                    KernelPlanner.plan(ternary().map(TileChoice::shape).distinct().toList(), format.get()));
        } catch (KernelPlanException e) {
            throw InputException.at(source.path())
                    .problem("no kernels can be planned for " + outtype.label() + ": " + e.getMessage())
                    .cure("Outtypes that can hold all of this model: " + OuttypeChoice.allThatHold(source) + ".")
                    .exception(e);
        }
    }

    private Stream<SourceTensor> ternary() {
        return source.tensors().stream().filter(tensor -> tensor.kind() == SourceTensor.Kind.TERNARY);
    }

    /** The configuration's tiles for the model's shapes, in the model's order. */
    private LutTiles configured(LutFormat format, KernelConfig config) {
        if (config.format() != format) {
            throw InputException.at(source.path())
                    .problem("the kernel config is for another format than the outtype")
                    .expected(format.label())
                    .found(config.format().label())
                    .exception();
        }
        List<PlannedKernel> kernels = new ArrayList<>();
        for (SourceTensor tensor : ternary().toList()) {
            MatrixShape shape = shape(tensor);
            Tile tile = config.plan().tile(format, shape).orElseThrow(() -> InputException.at(source.path())
                    .tensor(tensor.source())
                    .problem("the kernel config has no tile for its shape")
                    .expected("a section with m = " + shape.rows() + " and k = " + shape.cols())
                    .found(config.plan().kernels().stream()
                            .map(kernel -> kernel.shape().toString())
                            .collect(Collectors.joining(", ")))
                    .cure("Add it, or leave the kernel config away: Tern then chooses tiles for every shape.")
                    .exception());
            PlannedKernel kernel = new PlannedKernel(format, shape, tile);
            if (!kernels.contains(kernel)) {
                kernels.add(kernel);
            }
        }
        return LutTiles.of(new KernelPlan(kernels));
    }

    private static MatrixShape shape(SourceTensor tensor) {
        return new MatrixShape((int) tensor.rows(), (int) tensor.cols());
    }
}
