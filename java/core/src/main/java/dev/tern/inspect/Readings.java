package dev.tern.inspect;

import dev.tern.inspect.Inspection.Finding;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.inspect.ModelProbe.Reading;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.probe.Blocks;
import dev.tern.probe.Rewrite;
import dev.tern.probe.Rewrites;
import java.util.ArrayList;
import java.util.List;

/** The other readings that a file's or a checkpoint's model is tried in. */
final class Readings {
    private static final String CONVERT = "Convert the original checkpoint with `tern convert`.";

    /** Largest scale by smallest: 2.2 in the trained test model. No other was measured, so the line is drawn far off. */
    private static final float ORDINARY_SPREAD = 50;

    /** Makes the model in a reading of its own. */
    interface Source {
        Blocks read(ModelHyperparameters graph, Rewrite rewrite);
    }

    private final ModelHyperparameters model;
    private final Source source;
    private final List<Reading> readings = new ArrayList<>();

    private Readings(ModelHyperparameters model, Source source) {
        this.model = model;
        this.source = source;
    }

    /**
     * Readings of a file.
     *
     * @param i2s whether the file has I2_S matrices
     * @param samples its matrices
     */
    static List<Reading> ofGguf(
            ModelHyperparameters model, boolean i2s, List<TernarySuspicion.Sample> samples, Source source) {
        Readings r = new Readings(model, source);
        if (i2s) {
            r.gross("I2_S with four consecutive weights a byte", Rewrites.sequentialI2s(), FindingKind.I2S_SEQUENTIAL,
                    "The I2_S matrices hold four consecutive weights a byte, lowest bits first, where I2_S has weights p,"
                            + " p+32, p+64, p+96 in byte p of a group of 128: every reader of I2_S reads garbage. An early"
                            + " convert-hf-to-gguf-bitnet.py writes them so.");
            r.gross("I2_S in groups of 64", Rewrites.neonI2s(), FindingKind.I2S_NEON,
                    "The I2_S matrices lie in groups of 64 weights, as bitnet.cpp's quantizer on ARM writes them since 2026;"
                            + " converters and readers on x86 use groups of 128.");
            r.gross("I2_S with four rows a byte", Rewrites.fourRowsI2s(), FindingKind.I2S_FOUR_ROWS,
                    "The I2_S matrices hold four rows of one column a byte, as bitnet.cpp writes them when it is compiled"
                            + " without ACT_PARALLEL; converters and other builds use groups of 128 columns.");
        }
        boolean llama = model.architecture().equals("llama");
        Rewrite fourRows = llama
                ? Rewrites.unpackedAsConsecutiveRowsThenInterleaved(model.headDim())
                : Rewrites.unpackedAsConsecutiveRows();
        r.gross("rows unpacked four at a time", fourRows, FindingKind.PACKED_INTERLEAVE,
                "The rows are in the wrong order: a packed checkpoint was unpacked as if a byte held rows 4j to 4j+3 (rows"
                        + " i::4), where it holds rows j, j+N/4, j+2N/4, j+3N/4.");
        r.activation();
        r.add("q and k in the other order of rows", false, source.read(
                        model.withArchitecture(llama ? "bitnet" : "llama"), Rewrite.NONE),
                FindingKind.ROPE_ORDER,
                llama
                        ? "The rows of q and k are in Hugging Face's order (halves of each head apart), but the architecture"
                                + " 'llama' pairs neighbours: positions are mixed up and long texts fall apart. The"
                                + " converter left out the permutation, or permuted packed rows."
                        : "The rows of q and k are permuted as for the architecture 'llama', but '" + model.architecture()
                                + "' pairs the halves of each head: positions are mixed up and long texts fall apart.",
                CONVERT);
        r.scales("The scales are stored as 1/s: the converter took weight_scale for s where it is the reciprocal"
                + " (linear_class 'bitlinear', or no linear_class), or divided where it should multiply.", CONVERT);
        r.someScales(samples);
        return r.readings;
    }

    /** Where the scales fall into small and large ones, the large ones may be reciprocals. */
    private void someScales(List<TernarySuspicion.Sample> samples) {
        float least = Float.POSITIVE_INFINITY;
        float largest = 0;
        for (TernarySuspicion.Sample sample : samples) {
            least = Math.min(least, sample.scale());
            largest = Math.max(largest, sample.scale());
        }
        if (!(least > 0) || !(largest / least > ORDINARY_SPREAD)) {
            return;
        }
        float middle = (float) Math.sqrt((double) least * largest);
        long above = samples.stream().filter(sample -> sample.scale() > middle).count();
        readings.add(new Reading(
                "scales above " + middle + " inverted",
                false,
                source.read(model, Rewrites.inverseScalesAbove(middle)),
                new Finding(
                        FindingKind.SCALE_INVERTED,
                        Severity.ERROR,
                        above + " of " + samples.size() + " scales are stored as 1/s: all that are larger than " + middle + ".",
                        CONVERT),
                FindingKind.SCALE_SPREAD));
    }

    /** @param packed whether its matrices are packed */
    static List<Reading> ofCheckpoint(ModelHyperparameters model, boolean packed, Source source) {
        Readings r = new Readings(model, source);
        if (packed) {
            r.add("packed with four consecutive rows a byte", true, source.read(
                            model, Rewrites.packedAsConsecutiveRows()),
                    FindingKind.PACKED_INTERLEAVE,
                    "The matrices are packed with rows 4j to 4j+3 in a byte (rows i::4), where transformers packs rows j,"
                            + " j+N/4, j+2N/4, j+3N/4: everybody who unpacks them as transformers does gets another model.",
                    "Export the model again with transformers' pack_weights, or convert its bf16 checkpoint.");
        }
        r.activation();
        r.add("q and k in GGUF's order of rows", false, source.read(
                        model, Rewrites.interleavedRope(model.headDim())),
                FindingKind.ROPE_ORDER,
                "The rows of q and k are permuted as in GGUF files of the architecture 'llama': the checkpoint was made"
                        + " from such a file without undoing it.",
                "Take the original checkpoint, or undo the permutation.");
        if (packed) {
            r.scales("weight_scale is the other way round than quantization_config.linear_class says: s for 'autobitlinear',"
                            + " 1/s for 'bitlinear', which an absent key means.",
                    "Correct linear_class in a copy of config.json and convert again.");
        }
        return r.readings;
    }

    private void gross(String words, Rewrite rewrite, FindingKind kind, String text) {
        add(words, true, source.read(model, rewrite), kind, text, CONVERT);
    }

    private void activation() {
        boolean silu = model.activation() == FfnActivation.SILU;
        FfnActivation other = silu ? FfnActivation.RELU_SQUARED : FfnActivation.SILU;
        readings.add(new Reading(
                "with " + other.label(),
                false,
                source.read(model.withActivation(other), Rewrite.NONE),
                new Finding(
                        FindingKind.ACTIVATION_MISMATCH,
                        Severity.ERROR,
                        "The model was trained with " + other.label() + ", but it is run with " + model.activation().label()
                                + (silu
                                        ? ": the architecture or hidden_activation is wrong, or missing."
                                        : ", which the architecture or hidden_activation says."),
                        "Convert the original checkpoint with `tern convert`, which stores the activation; if config.json is"
                                + " wrong, correct hidden_act in a copy."),
                FindingKind.ACTIVATION_UNKNOWN));
    }

    private void scales(String text, String cure) {
        readings.add(new Reading(
                "scales inverted",
                false,
                source.read(model, Rewrites.inverseScales()),
                new Finding(FindingKind.SCALE_INVERTED, Severity.ERROR, text, cure),
                FindingKind.SCALE_SPREAD));
    }

    private void add(String words, boolean gross, Blocks blocks, FindingKind kind, String text, String cure) {
        readings.add(new Reading(words, gross, blocks, new Finding(kind, Severity.ERROR, text, cure)));
    }
}
