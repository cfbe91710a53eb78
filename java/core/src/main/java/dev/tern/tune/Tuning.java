package dev.tern.tune;

import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.LutFormat;
import java.util.List;

/**
 * What tuning found.
 *
 * @param format of the kernels
 * @param path they were compiled for, as {@link dev.tern.kernels.LutPath} labels it
 * @param threads that computed
 * @param shapes each once, in the order asked for
 * @param notes what a person should know although nothing failed
 */
public record Tuning(LutFormat format, String path, int threads, List<TunedShape> shapes, List<String> notes) {
    public Tuning {
        shapes = List.copyOf(shapes);
        notes = List.copyOf(notes);
    }

    /** The winners. */
    public KernelPlan plan() {
        return new KernelPlan(shapes.stream().map(TunedShape::kernel).toList());
    }
}
