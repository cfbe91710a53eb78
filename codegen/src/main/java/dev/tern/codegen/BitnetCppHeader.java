package dev.tern.codegen;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Writes {@code bitnet-lut-kernels.h} for bitnet.cpp: the kernels of a plan, as {@link HeaderGenerator} writes them for Tern,
 * behind the functions that the ggml of bitnet.cpp calls. It replaces {@code include/bitnet-lut-kernels.h} there and serves
 * the files that are packed with the same plan. C++11, and nothing but the compiler's own headers and
 * {@code ggml-bitnet.h}.
 *
 * <p>What it does otherwise than the header of bitnet.cpp's own generators:
 *
 * <ul>
 *   <li>A batch gives each token its own row of the result.
 *   <li>TL2's columns in twos are right in batches of more than 256 tokens too.
 *   <li>The tables fit the work buffer that ggml provides, whatever the tile, and so does TL1's scale.
 *   <li>A token of zeros gives zeros. Activations are rounded as Tern rounds them, and the results are Tern's to the bit.
 *   <li>A matrix without a kernel ends the program with a message instead of giving zeros.
 * </ul>
 */
public final class BitnetCppHeader {
    private static final List<String> LOGIC = List.of(
            "layout.h",
            "bitnet_cpp_tables.h",
            "portable.h",
            "avx2.h",
            "neon.h",
            "paths.h",
            "matmul.h",
            "activations.h");

    private BitnetCppHeader() {}

    /**
     * The header of a plan. Every legal tile will do: {@link KernelPlanner#plan} chooses for bitnet.cpp as for Tern.
     *
     * @throws KernelPlanException when the plan has both formats, or a shape with two tiles: bitnet.cpp is built for one
     *     format and knows a matrix by its shape
     */
    public static String generate(KernelPlan plan) {
        LutFormat format = format(plan);
        StringBuilder c = new StringBuilder();
        c.append("#ifndef TERN_BITNET_LUT_KERNELS_H\n#define TERN_BITNET_LUT_KERNELS_H\n\n");
        c.append("#if defined(").append(macro(format)).append(")\n\n");
        c.append("#include \"ggml-bitnet.h\"\n\n");
        c.append("#include <math.h>\n#include <stdarg.h>\n#include <stdio.h>\n#include <stdlib.h>\n\n");
        c.append(CSource.read("prologue.h")).append('\n');
        HeaderGenerator.appendLogic(c, LOGIC);
        appendKernels(c, plan);
        c.append(CSource.read("bitnet_cpp.h")).append('\n');
        c.append(CSource.read("bitnet_cpp_" + format.label() + ".h"));
        c.append("\n#endif /* ").append(macro(format)).append(" */\n");
        c.append("\n#endif /* TERN_BITNET_LUT_KERNELS_H */\n");
        return HeaderGenerator.sealed(plan, summary(format), c.toString());
    }

    /** What bitnet.cpp is built with for a format: {@code -DBITNET_X86_TL2=ON} of its CMake defines the first. */
    private static String macro(LutFormat format) {
        return format == LutFormat.TL2 ? "GGML_BITNET_X86_TL2" : "GGML_BITNET_ARM_TL1";
    }

    private static String summary(LutFormat format) {
        return " * For the ggml of bitnet.cpp, built for " + format + ": replaces include/" + HeaderGenerator.FILE_NAME
                + " there.\n *\n";
    }

    private static LutFormat format(KernelPlan plan) {
        LutFormat format = plan.kernels().getFirst().format();
        if (plan.kernels().stream().anyMatch(kernel -> kernel.format() != format)) {
            throw new KernelPlanException("bitnet.cpp is built for one format, and the plan of " + plan.kernels().size()
                    + " kernels has tl1 and tl2; generate a header for each");
        }
        for (PlannedKernel kernel : plan.kernels()) {
            List<Tile> tiles = plan.kernels().stream()
                    .filter(other -> other.shape().equals(kernel.shape()))
                    .map(PlannedKernel::tile)
                    .toList();
            if (tiles.size() > 1) {
                throw new KernelPlanException("bitnet.cpp knows a matrix by its shape, and the plan has " + tiles.size()
                        + " tiles for " + kernel.shape() + ": "
                        + tiles.stream().map(Tile::toString).collect(Collectors.joining(", "))
                        + "; keep the one that the files are packed with");
            }
        }
        return format;
    }

    private static void appendKernels(StringBuilder c, KernelPlan plan) {
        c.append("/*\n * The kernels of the plan.\n */\n");
        for (PlannedKernel kernel : plan.kernels()) {
            HeaderGenerator.appendRows(c, kernel);
        }
        c.append("\n/* A kernel and its tile. */\n");
        c.append("typedef struct lut_kernel {\n    int64_t rows;\n    int64_t cols;\n    int64_t bm;\n    int64_t bk;\n");
        c.append("    void (*run)(const lut_call *call);\n} lut_kernel;\n\n");
        c.append("enum { LUT_KERNEL_COUNT = ").append(plan.kernels().size()).append(" };\n\n");
        c.append("static const lut_kernel lut_kernels[LUT_KERNEL_COUNT] = {\n");
        for (PlannedKernel kernel : plan.kernels()) {
            c.append(String.format(
                    Locale.ROOT,
                    "    {%d, %d, %d, %d, %s},\n",
                    kernel.shape().rows(),
                    kernel.shape().cols(),
                    kernel.tile().rows(),
                    kernel.tile().cols(),
                    HeaderGenerator.function(kernel)));
        }
        c.append("};\n\n");
    }
}
