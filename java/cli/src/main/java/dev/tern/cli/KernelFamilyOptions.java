package dev.tern.cli;

import dev.tern.ModelOptions;
import dev.tern.lut.KernelFamily;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How tl1 and tl2 files are computed. */
final class KernelFamilyOptions {
    @Option(
            names = "--kernels",
            paramLabel = "auto|lut|mad",
            description = "How tl1 and tl2 files are computed: lut looks up in tables, mad multiplies repacked weights, auto"
                    + " (default) is what a short measurement found faster here. The result does not depend on it.")
    private @Nullable KernelFamily family;

    @Mixin
    private KernelConfigOption kernelConfig = new KernelConfigOption();

    void applyTo(ModelOptions.Builder options, Terminal terminal) {
        options.waiting(terminal::note);
        if (family != null) {
            options.family(family);
        }
        Path ini = kernelConfig.path();
        if (ini != null) {
            options.kernelConfig(ini);
        }
    }
}
