package dev.tern.codegen;

import java.nio.file.Path;

/**
 * A library of kernels that was built and is as it was built.
 *
 * @param folder where it lies, with its header and manifest
 * @param library the shared library
 * @param sha256 of the library, 64 lower-case hex digits
 * @param header the bitnet-lut-kernels.h it was built from
 */
public record KernelLibraryFile(Path folder, Path library, String sha256, Path header) {}
