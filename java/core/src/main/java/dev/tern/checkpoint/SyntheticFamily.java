package dev.tern.checkpoint;

import dev.tern.checkpoint.SyntheticTokenizer.Kind;
import dev.tern.codegen.ModelShape;
import dev.tern.codegen.PublishedModel;
import dev.tern.model.FfnActivation;
import dev.tern.model.LowRankRanks;
import dev.tern.model.ModelHyperparameters;
import dev.tern.safetensors.SafetensorsType;
import java.util.List;
import java.util.Optional;

/**
 * A published model, or a kind of checkpoint that is met in practice: real dimensions, small ones with the same
 * peculiarities (what divides what, heads that share keys, an odd vocabulary), and the layout of its files.
 *
 * @param label the name that it is published under
 * @param model with its real dimensions
 * @param small with two layers and a few million weights
 * @param layout of its files
 */
record SyntheticFamily(
        String label, ModelHyperparameters model, ModelHyperparameters small, SyntheticLayout layout) {

    /** The reference model's short name. */
    private static final String ALIAS = "2b-4t";

    private static final int SMALL_LAYERS = 2;
    private static final int SMALL_CONTEXT = 512;
    private static final int SMALL_VOCAB = 1024;

    /** All of them, the reference model first. */
    static final List<SyntheticFamily> ALL = List.of(
            bitnet(PublishedModel.BITNET_B1_58_2B_4T.label(), 128256, 0, SyntheticLayout.of("bitnet-b1.58")),
            bitnet("DLM-2B", 128257, 32, SyntheticLayout.diffusion()),
            corrected(),
            oneBitLlm(PublishedModel.BITNET_B1_58_LARGE, 24, new ModelShape(768, 1024, 8, 8, 96),
                    SyntheticLayout.oneBitLlm(SafetensorsType.F32, Kind.SENTENCE_PIECE_MODEL)),
            // 100 columns a head; neither 800 nor 2240 is a multiple of 128, as 8640 is not.
            oneBitLlm(PublishedModel.BITNET_B1_58_3B, 26, new ModelShape(800, 2240, 8, 8, 100),
                    SyntheticLayout.oneBitLlm(SafetensorsType.F16, Kind.SENTENCE_PIECE)),
            llama(PublishedModel.LLAMA3_8B, 32, 128256, 8192, 500_000f, 1e-5f, new ModelShape(256, 896, 4, 1, 64),
                    SyntheticLayout.packedLlama(Kind.LLAMA3, false)),
            falcon3(PublishedModel.FALCON3_1B, 18, 8192, new ModelShape(512, 1024, 2, 1, 256)),
            falcon3(PublishedModel.FALCON3_3B, 22, 32768, new ModelShape(768, 2304, 3, 1, 256)),
            falcon3(PublishedModel.FALCON3_7B, 28, 32768, new ModelShape(768, 1536, 3, 1, 256)),
            falcon3(PublishedModel.FALCON3_10B, 40, 32768, new ModelShape(768, 1536, 3, 1, 256)),
            falconEdge(PublishedModel.FALCON_E_1B, 24),
            falconEdge(PublishedModel.FALCON_E_3B, 32),
            smol(),
            ternaryLlama());

    /** The one of this name, whatever its case. */
    static Optional<SyntheticFamily> find(String name) {
        return ALL.stream()
                .filter(family -> family.label.equalsIgnoreCase(name)
                        || name.equalsIgnoreCase(ALIAS) && family == ALL.getFirst())
                .findFirst();
    }

    /** Sub-norms, relu², four query heads for one of keys. */
    private static SyntheticFamily bitnet(String label, int vocab, int diffusionBlock, SyntheticLayout layout) {
        ModelShape full = PublishedModel.BITNET_B1_58_2B_4T.shape();
        int more = vocab - 128256;
        return new SyntheticFamily(
                label,
                bitnet(label, full, 30, vocab, 4096).with(LowRankRanks.NONE, diffusionBlock),
                bitnet(label, new ModelShape(256, 768, 4, 1, 64), SMALL_LAYERS, SMALL_VOCAB + more, SMALL_CONTEXT)
                        .with(LowRankRanks.NONE, diffusionBlock),
                layout);
    }

    private static ModelHyperparameters bitnet(String label, ModelShape shape, int layers, int vocab, int context) {
        return model("bitnet-b1.58", label, shape, layers, vocab, context, 500_000f, 1e-5f,
                FfnActivation.RELU_SQUARED, true, true);
    }

    /** The same with a low-rank correction beside every projection. */
    private static SyntheticFamily corrected() {
        SyntheticFamily plain = bitnet("BitNet-2B-4T-LRC", 128256, 0, SyntheticLayout.of("bitnet-b1.58"));
        return new SyntheticFamily(plain.label, corrected(plain.model), corrected(plain.small), plain.layout);
    }

    /** The default of its trainer: a tenth of the smaller dimension. */
    private static ModelHyperparameters corrected(ModelHyperparameters model) {
        ModelShape shape = model.shape();
        int hidden = Math.min(shape.hiddenSize(), shape.query().rows()) / 10;
        int pairs = Math.min(shape.hiddenSize(), shape.keyValue().rows()) / 10;
        int inner = Math.min(shape.hiddenSize(), shape.intermediateSize()) / 10;
        return model.with(new LowRankRanks(hidden, pairs, pairs, hidden, inner, inner, inner), 0);
    }

    /** Sub-norms, SiLU, no shared keys, two tokens behind a vocabulary of 32000. */
    private static SyntheticFamily oneBitLlm(
            PublishedModel published, int layers, ModelShape small, SyntheticLayout layout) {
        String label = published.label();
        return new SyntheticFamily(
                label,
                model("bitnet", label, published.shape(), layers, 32002, 2048, 10_000f, 1e-5f, FfnActivation.SILU, true,
                        true),
                model("bitnet", label, small, SMALL_LAYERS, SMALL_VOCAB + 2, SMALL_CONTEXT, 10_000f, 1e-5f,
                        FfnActivation.SILU, true, true),
                layout);
    }

    /** A Llama with a head of its own, packed. */
    private static SyntheticFamily llama(
            PublishedModel published,
            int layers,
            int vocab,
            int context,
            float theta,
            float eps,
            ModelShape small,
            SyntheticLayout layout) {
        String label = published.label();
        return new SyntheticFamily(
                label,
                model("llama", label, published.shape(), layers, vocab, context, theta, eps, FfnActivation.SILU, false,
                        false),
                model("llama", label, small, SMALL_LAYERS, SMALL_VOCAB, SMALL_CONTEXT, theta, eps, FfnActivation.SILU,
                        false, false),
                layout);
    }

    private static SyntheticFamily falcon3(PublishedModel published, int layers, int context, ModelShape small) {
        return llama(published, layers, 131072, context, 1_000_042f, 1e-6f, small,
                SyntheticLayout.packedLlama(Kind.FALCON3, true));
    }

    private static SyntheticFamily falconEdge(PublishedModel published, int layers) {
        return llama(
                published, layers, 32768, 32768, 1_000_042f, 1e-5f, new ModelShape(512, 2304, 8, 1, 64),
                SyntheticLayout.packedLlama(Kind.FALCON_E, true));
    }

    /** Columns that are no multiple of 128, in both sizes. */
    private static SyntheticFamily smol() {
        String label = PublishedModel.SMOLLM2_135M.label();
        ModelShape shape = PublishedModel.SMOLLM2_135M.shape();
        return new SyntheticFamily(
                label,
                model("bitnet", label, shape, 30, 49152, 8192, 100_000f, 1e-5f, FfnActivation.SILU, true, true),
                model("bitnet", label, shape, SMALL_LAYERS, SMALL_VOCAB, SMALL_CONTEXT, 100_000f, 1e-5f,
                        FfnActivation.SILU, true, true),
                SyntheticLayout.of("bitnet").with(Kind.SMOLLM));
    }

    private static SyntheticFamily ternaryLlama() {
        String label = "TriLM-3.9B";
        return new SyntheticFamily(
                label,
                model("llama", label, new ModelShape(3072, 9216, 24, 24, 128), 30, 50688, 2048, 10_000f, 1e-5f,
                        FfnActivation.SILU, false, false),
                model("llama", label, new ModelShape(512, 1536, 4, 4, 128), SMALL_LAYERS, SMALL_VOCAB, SMALL_CONTEXT,
                        10_000f, 1e-5f, FfnActivation.SILU, false, false),
                SyntheticLayout.ternaryLlama());
    }

    private static ModelHyperparameters model(
            String architecture,
            String label,
            ModelShape shape,
            int layers,
            int vocab,
            int context,
            float theta,
            float eps,
            FfnActivation activation,
            boolean subNorms,
            boolean tied) {
        return new ModelHyperparameters(
                architecture,
                label,
                vocab,
                context,
                shape.hiddenSize(),
                shape.intermediateSize(),
                layers,
                shape.heads(),
                shape.kvHeads(),
                shape.headDim(),
                shape.headDim(),
                theta,
                eps,
                activation,
                subNorms,
                tied);
    }
}
