package dev.tern.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The tiles that a tl1 or tl2 file is to be packed with, or was packed with elsewhere. */
final class KernelConfigOption {
    @Option(
            names = "--kernel-config",
            paramLabel = "INI",
            description = "kernel_config.ini of a build of bitnet.cpp: the tiles that tl1 or tl2 weights are packed with."
                    + " A file that Tern converted has them in itself.")
    private @Nullable Path path;

    @Nullable Path path() {
        return path;
    }
}
