package dev.tern.codegen;

import java.util.List;
import java.util.Optional;

/**
 * A {@code kernel_config.ini}: the tiles of one format, as bitnet.cpp's generators write them and its converter reads
 * them. For each matrix shape a section, counted from 0:
 *
 * <pre>
 *   [Kernels_0]
 *   m = 2560       rows of the matrix, M
 *   k = 6912       its columns, K
 *   bm = 256       rows of a tile, BM
 *   bk = 216       its columns, BK
 *   bmm = 32       rows that lie interleaved, bm
 * </pre>
 *
 * The syntax is that of Python's {@code configparser}. Two comments, which that passes over, carry what bitnet.cpp
 * leaves out: {@code # format: tl2}, and {@code # plan: } with the {@link KernelPlan#hash}, by which an edited file is
 * known.
 *
 * @param format of all the kernels
 * @param plan the kernels in the order of the sections, one for each shape
 */
public record KernelConfig(LutFormat format, KernelPlan plan) {

    /** @throws IllegalArgumentException when a kernel is of another format, or a shape stands in the plan twice */
    public KernelConfig {
        List<PlannedKernel> kernels = plan.kernels();
        if (kernels.stream().anyMatch(kernel -> kernel.format() != format)
                || kernels.stream().map(PlannedKernel::shape).distinct().count() != kernels.size()) {
            throw new IllegalArgumentException(
                    "a kernel_config.ini holds one format (" + format.label() + ") and one tile a shape: " + kernels);
        }
    }

    /**
     * The file for a plan: the comments, then bitnet.cpp's text byte for byte, a blank line after each section.
     *
     * @throws IllegalArgumentException when the plan has several formats, or several tiles for a shape
     */
    public static String text(KernelPlan plan) {
        KernelConfig config = new KernelConfig(plan.kernels().getFirst().format(), plan);
        StringBuilder text = new StringBuilder();
        text.append("# Look-up-table kernels of a model's matrices, m x k weights each: tiles of bm x bk, bmm rows\n");
        text.append("# interleaved. Packed weights mean nothing without the tiles that they were packed with.\n");
        text.append("# format: ").append(config.format.label()).append('\n');
        text.append("# plan: ").append(plan.hash()).append('\n');
        for (int i = 0; i < plan.kernels().size(); i++) {
            PlannedKernel kernel = plan.kernels().get(i);
            text.append("[Kernels_").append(i).append("]\n");
            text.append("m = ").append(kernel.shape().rows()).append('\n');
            text.append("k = ").append(kernel.shape().cols()).append('\n');
            text.append("bm = ").append(kernel.tile().rows()).append('\n');
            text.append("bk = ").append(kernel.tile().cols()).append('\n');
            text.append("bmm = ").append(kernel.tile().rowBlock()).append("\n\n");
        }
        return text.toString();
    }

    /**
     * Reads a file: one that {@link #text} wrote, one of bitnet.cpp's, or one written by hand.
     *
     * @param text its content, with or without a byte order mark
     * @param where its name, for messages
     * @param format of its kernels, needed when no comment in it says so
     * @throws KernelPlanException when it is malformed, has an illegal tile, is not of this format, or its plan line
     *     does not fit its kernels
     */
    public static KernelConfig parse(String text, String where, Optional<LutFormat> format) {
        return new KernelConfigReader(where).read(text, format);
    }
}
