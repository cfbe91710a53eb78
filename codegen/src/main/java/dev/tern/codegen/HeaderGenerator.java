package dev.tern.codegen;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Writes {@code bitnet-lut-kernels.h}: the kernels of a plan as C that needs nothing but {@code tern_kernels.h}. The logic is the same in every header
 * and comes from {@code c-kernels/src/lut}; shapes, tiles and one function for each of them are the plan's. The same plan
 * gives the same bytes.
 *
 * <p>The first comment carries the plan's hash and the SHA-256 of all that follows it, so that a header that was edited or
 * cut short is told from one that was generated.
 */
public final class HeaderGenerator {
    /** The name under which kernels of a model have always been generated. */
    public static final String FILE_NAME = "bitnet-lut-kernels.h";

    private static final String TEXT_LINE = " * text  ";
    private static final List<String> LOGIC =
            List.of("layout.h", "tables.h", "portable.h", "avx2.h", "neon.h", "paths.h", "matmul.h", "unpack.h");

    private HeaderGenerator() {}

    /** The header of a plan, for Tern's own libraries. */
    public static String generate(KernelPlan plan) {
        StringBuilder c = new StringBuilder();
        c.append("#ifndef TERN_BITNET_LUT_KERNELS_H\n#define TERN_BITNET_LUT_KERNELS_H\n\n");
        c.append("#include \"tern_kernels.h\"\n\n");
        c.append(CSource.read("prologue.h")).append('\n');
        appendLogic(c, LOGIC);
        appendShapes(c, plan);
        c.append(CSource.read("dispatch.h"));
        c.append("\n#endif /* TERN_BITNET_LUT_KERNELS_H */\n");
        return sealed(plan, "", c.toString());
    }

    /** Appends pieces of logic; what only one instruction set can compile stands behind its condition. */
    static void appendLogic(StringBuilder c, List<String> pieces) {
        for (String piece : pieces) {
            String condition =
                    switch (piece) {
                        case "avx2.h" -> "LUT_AVX2";
                        case "neon.h" -> "LUT_NEON";
                        default -> "";
                    };
            if (condition.isEmpty()) {
                c.append(CSource.read(piece)).append('\n');
            } else {
                c.append("#if ").append(condition).append("\n\n");
                c.append(CSource.read(piece)).append("\n#endif\n\n");
            }
        }
    }

    private static void appendShapes(StringBuilder c, KernelPlan plan) {
        c.append("/*\n * The kernels of the plan.\n */\n");
        for (PlannedKernel kernel : plan.kernels()) {
            appendKernel(c, kernel);
        }
        c.append("#define LUT_PLAN \"").append(plan.hash()).append("\"\n\n");
        c.append("enum { LUT_SHAPE_COUNT = ").append(plan.kernels().size()).append(" };\n\n");
        c.append("static const tern_lut_shape lut_shapes[LUT_SHAPE_COUNT] = {\n");
        for (PlannedKernel kernel : plan.kernels()) {
            c.append(String.format(
                    Locale.ROOT,
                    "    {TERN_LUT_%s, %d, %d, %d, %d, %d},\n",
                    kernel.format(),
                    kernel.shape().rows(),
                    kernel.shape().cols(),
                    kernel.tile().rows(),
                    kernel.tile().cols(),
                    kernel.tile().rowBlock()));
        }
        c.append("};\n\n");
        c.append("typedef struct lut_kernel {\n    void (*rows)(const lut_call *call);\n");
        c.append("    void (*unpack)(const uint8_t *packed, int64_t row_begin, int64_t row_end, uint8_t *codes, int64_t stride);\n");
        c.append("} lut_kernel;\n\n");
        c.append("static const lut_kernel lut_kernels[LUT_SHAPE_COUNT] = {\n");
        for (PlannedKernel kernel : plan.kernels()) {
            String name = function(kernel);
            c.append("    {").append(name).append(", ").append(name).append("_unpack},\n");
        }
        c.append("};\n\n");
    }

    private static void appendKernel(StringBuilder c, PlannedKernel kernel) {
        appendRows(c, kernel);
        c.append("static void ").append(function(kernel)).append("_unpack");
        c.append("(const uint8_t *packed, int64_t row_begin, int64_t row_end, uint8_t *codes,\n    int64_t stride) {\n");
        c.append("    lut_").append(kernel.format().label()).append("_unpack(packed, ").append(constants(kernel));
        c.append(", row_begin, row_end, codes, stride);\n}\n");
    }

    /** Appends the function that computes rows of one shape. */
    static void appendRows(StringBuilder c, PlannedKernel kernel) {
        c.append("\n/* ").append(description(kernel)).append(" */\n");
        c.append("static void ").append(function(kernel)).append("(const lut_call *call) {\n");
        c.append("    lut_").append(kernel.format().label()).append("_rows(call, ").append(constants(kernel));
        c.append(");\n}\n");
    }

    /** What the logic of the format wants to know of a shape and its tile, in the order of its parameters. */
    private static String constants(PlannedKernel kernel) {
        MatrixShape shape = kernel.shape();
        Tile tile = kernel.tile();
        return kernel.format() == LutFormat.TL2
                ? shape.rows() + ", " + shape.cols() + ", " + tile.rows() + ", " + tile.cols()
                : shape.cols() + ", " + tile.rows() + ", " + tile.cols() + ", " + tile.rowBlock();
    }

    /** The kernel in words: {@code TL2, 2560 x 6912: 16 tile rows of 160; 72 blocks of 96 columns in threes}. */
    static String description(PlannedKernel kernel) {
        MatrixShape shape = kernel.shape();
        Tile tile = kernel.tile();
        StringBuilder text = new StringBuilder();
        text.append(kernel.format()).append(", ").append(shape.rows()).append(" x ").append(shape.cols()).append(": ");
        text.append(shape.rows() / tile.rows()).append(" tile rows of ").append(tile.rows()).append("; ");
        if (kernel.format() == LutFormat.TL2) {
            int three = kernel.format().threeColumns(shape, tile);
            text.append(three / tile.cols()).append(" blocks of ").append(tile.cols()).append(" columns in threes");
            int two = shape.cols() - three;
            if (two > 0) {
                text.append(", ").append(two).append(" columns in twos");
            }
        } else {
            text.append(shape.cols() / tile.cols()).append(" blocks of ").append(tile.cols()).append(" columns in twos, ");
            text.append(tile.rowBlock()).append(" rows interleaved");
        }
        return text.toString();
    }

    static String function(PlannedKernel kernel) {
        Tile tile = kernel.tile();
        return kernel.format().label() + "_" + kernel.shape() + "_" + tile.rows() + "_" + tile.cols() + "_" + tile.rowBlock();
    }

    /** Puts the first comment in front: what this is, from what, and the hash of what follows. */
    static String sealed(KernelPlan plan, String more, String body) {
        String kernels = plan.kernels().stream()
                .map(kernel -> String.format(
                        Locale.ROOT,
                        " *   %s  %6d x %-6d  %5d %4d %3d\n",
                        kernel.format().label(),
                        kernel.shape().rows(),
                        kernel.shape().cols(),
                        kernel.tile().rows(),
                        kernel.tile().cols(),
                        kernel.tile().rowBlock()))
                .collect(Collectors.joining());
        return "/*\n * " + FILE_NAME + ": look-up-table kernels of ternary matrices, generated by Tern from the plan below.\n"
                + " * Not to be edited: change the plan (kernel_config.ini) and generate it again.\n *\n"
                + more
                + " * plan  " + plan.hash() + "\n"
                + TEXT_LINE + Hash.sha256(body) + "\n *\n"
                + " *   format     M x K          BM   BK  bm\n"
                + kernels + " */\n" + body;
    }
}
