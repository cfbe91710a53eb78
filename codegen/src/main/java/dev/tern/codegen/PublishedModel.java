package dev.tern.codegen;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The ternary models that are published, and Tern's own for tests, with the dimensions of their {@code config.json}. A
 * library that serves the {@link #defaultPlan} runs them all without a compiler at hand.
 */
public enum PublishedModel {
    BITNET_B1_58_LARGE("bitnet_b1_58-large", new ModelShape(1536, 4096, 16, 16, 96)),
    BITNET_B1_58_3B("bitnet_b1_58-3B", new ModelShape(3200, 8640, 32, 32, 100)),
    LLAMA3_8B("Llama3-8B-1.58-100B-tokens", new ModelShape(4096, 14336, 32, 8, 128)),
    FALCON3_1B("Falcon3-1B", new ModelShape(2048, 8192, 8, 4, 256)),
    FALCON3_3B("Falcon3-3B", new ModelShape(3072, 9216, 12, 4, 256)),
    FALCON3_7B("Falcon3-7B", new ModelShape(3072, 23040, 12, 4, 256)),
    FALCON3_10B("Falcon3-10B", new ModelShape(3072, 23040, 12, 4, 256)),
    FALCON_E_1B("Falcon-E-1B", new ModelShape(2048, 9216, 16, 2, 128)),
    FALCON_E_3B("Falcon-E-3B", new ModelShape(2048, 13312, 16, 2, 128)),
    BITNET_B1_58_2B_4T("bitnet-b1.58-2B-4T", new ModelShape(2560, 6912, 20, 5, 128)),
    SMOLLM2_135M("SmolLM2-135M", new ModelShape(576, 1536, 9, 3, 64)),
    QWEN25_32B("Qwen2.5-32B", new ModelShape(5120, 27648, 40, 8, 128)),
    TINY_BITNET("tiny-bitnet", new ModelShape(512, 1536, 8, 2, 64));

    private final String label;
    private final ModelShape shape;

    PublishedModel(String label, ModelShape shape) {
        this.label = label;
        this.shape = shape;
    }

    /** The name it is published under, without the organisation. */
    public String label() {
        return label;
    }

    /** Its dimensions. */
    public ModelShape shape() {
        return shape;
    }

    /** Kernels for every distinct matrix of these models, TL2's before TL1's, each with the planner's tile. */
    public static KernelPlan defaultPlan() {
        return defaults(shapes()).plan();
    }

    /** What {@link #defaultPlan} has no kernel for, a sentence each that says why; empty when it has them all. */
    public static List<String> leftOut() {
        return defaults(shapes()).leftOut();
    }

    private static List<ModelShape> shapes() {
        return Arrays.stream(values()).map(PublishedModel::shape).toList();
    }

    /** The best tile of every matrix that one fits, by format, and a sentence for every other. */
    static Defaults defaults(Collection<ModelShape> models) {
        Set<MatrixShape> shapes = new LinkedHashSet<>();
        models.forEach(model -> shapes.addAll(model.matrices()));
        List<PlannedKernel> kernels = new ArrayList<>();
        List<String> leftOut = new ArrayList<>();
        for (LutFormat format : List.of(LutFormat.TL2, LutFormat.TL1)) {
            for (MatrixShape shape : shapes) {
                if (format.obstacle(shape).isEmpty()) {
                    kernels.addAll(KernelPlanner.plan(List.of(shape), format).kernels());
                } else {
                    leftOut.add(KernelPlanner.noTileFits(format, shape));
                }
            }
        }
        return new Defaults(new KernelPlan(kernels), List.copyOf(leftOut));
    }

    /**
     * @param plan every kernel that can be planned
     * @param leftOut what cannot, and why
     */
    record Defaults(KernelPlan plan, List<String> leftOut) {}
}
