package dev.tern.codegen;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The kernels of one header: what a library serves. The same kernels in the same order have the same {@link #hash}.
 *
 * @param kernels each once; a shape may stand in it with several tiles
 */
public record KernelPlan(List<PlannedKernel> kernels) {

    /** @throws IllegalArgumentException when it is empty or a kernel stands in it twice */
    public KernelPlan {
        kernels = List.copyOf(kernels);
        if (kernels.isEmpty() || kernels.stream().distinct().count() != kernels.size()) {
            throw new IllegalArgumentException("a plan needs kernels, each once: " + kernels);
        }
    }

    /** The tile of the first kernel for this format and shape. */
    public Optional<Tile> tile(LutFormat format, MatrixShape shape) {
        return kernels.stream()
                .filter(kernel -> kernel.format() == format && kernel.shape().equals(shape))
                .map(PlannedKernel::tile)
                .findFirst();
    }

    /** SHA-256 over the kernels, a line each ({@code tl2 2560x6912 160/96/32}, newline), in 64 lower-case digits. */
    public String hash() {
        String lines = kernels.stream().map(kernel -> kernel + "\n").collect(Collectors.joining());
        return Hash.sha256(lines);
    }
}
