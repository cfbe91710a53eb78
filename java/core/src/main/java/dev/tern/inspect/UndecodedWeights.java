package dev.tern.inspect;

import dev.tern.gguf.FiniteCheck;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.io.InputException;
import dev.tern.ternary.TernaryCodec;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Projections that are no ternary matrices, and what they are instead; each kind is told once. */
final class UndecodedWeights {
    private static final String CONVERT =
            "Convert the original checkpoint with `tern convert`, straight to the type you want; do not use llama-quantize on"
                    + " a ternary model.";

    private final GgufFile file;
    private final boolean bitnet;
    private final InspectionBuilder result;
    private final List<String> packed = new ArrayList<>();
    private final List<String> continuous = new ArrayList<>();
    private final List<String> blocks = new ArrayList<>();
    private final List<String> notFinite = new ArrayList<>();
    private final List<String> damaged = new ArrayList<>();
    private final Set<GgmlType> foreign = new TreeSet<>();
    private final Set<GgmlType> blockTypes = new TreeSet<>();

    UndecodedWeights(GgufFile file, String architecture, InspectionBuilder result) {
        this.file = file;
        this.bitnet = architecture.startsWith("bitnet");
        this.result = result;
    }

    /** A tensor of a type that can hold ternary weights, and does not. */
    void refused(GgufTensor tensor, InputException reason) {
        String text = Sentences.of(reason);
        if (tensor.type().isFloat()) {
            if (FiniteCheck.first(file, tensor).isPresent()) {
                notFinite.add(text);
            } else if (WeightCheck.holdsPackedBytes(file, tensor)) {
                packed.add(tensor.name());
            } else {
                continuous.add(text);
            }
        } else if (tensor.type().scaleOffset().isPresent()) {
            blocks(tensor, text);
        } else {
            damaged.add(text);
        }
    }

    /**
     * Blocks that are no ternary matrix. TQ1_0 and TQ2_0 store codes, which may be invalid; Q2_K, Q4_0 and Q8_0 store
     * numbers, which are always some: with finite scales they were rounded from other weights.
     */
    private void blocks(GgufTensor tensor, String text) {
        boolean codes = tensor.type() == GgmlType.TQ1_0 || tensor.type() == GgmlType.TQ2_0;
        if (FiniteCheck.first(file, tensor).isPresent()) {
            notFinite.add(text);
        } else if (codes && !WeightCheck.blocksDiffer(file, tensor)) {
            damaged.add(text);
        } else {
            blocks.add(text);
            blockTypes.add(tensor.type());
        }
    }

    /** A tensor that Tern has no codec for. */
    void foreign(GgufTensor tensor) {
        if (tensor.type() == GgmlType.I8) {
            packed.add(tensor.name());
        } else if (!TernaryCodec.supports(tensor.type())) {
            foreign.add(tensor.type());
            if (bitnet && WeightCheck.blocksDiffer(file, tensor)) {
                blocks.add("Tensor '" + tensor.name() + "' is " + tensor.type() + ".");
                blockTypes.add(tensor.type());
            }
        }
    }

    void report() {
        if (!packed.isEmpty() && !result.found(FindingKind.PACKED_NOT_UNPACKED)) {
            error(FindingKind.PACKED_NOT_UNPACKED, packed.size() + " matrices hold packed bytes, four codes each, as if they"
                    + " were weights (first: " + packed.getFirst() + "): a packed checkpoint was never unpacked.", CONVERT);
        }
        if (!notFinite.isEmpty()) {
            error(FindingKind.NOT_FINITE, count(notFinite) + notFinite.getFirst(), CONVERT);
        }
        // Weights that are ternary nowhere, in a model that need not be, are an ordinary model's.
        boolean ordinary = !bitnet && result.samples().isEmpty() && damaged.isEmpty();
        if (ordinary && !(continuous.isEmpty() && blocks.isEmpty())) {
            List<String> all = new ArrayList<>(continuous);
            all.addAll(blocks);
            error(
                    FindingKind.NOT_TERNARY,
                    "This is not a ternary model: " + count(all) + all.getFirst(),
                    "Use llama.cpp for it; an ordinary model cannot be made ternary without training. If the model is"
                            + " ternary, convert the original checkpoint with `tern convert`.");
        } else {
            ruined();
        }
        if (!damaged.isEmpty()) {
            error(FindingKind.INVALID_CODE, count(damaged) + damaged.getFirst(), CONVERT);
        }
        if (!foreign.isEmpty() && blocks.isEmpty() && !(ordinary && !continuous.isEmpty())) {
            error(
                    FindingKind.NOT_TERNARY,
                    bitnet
                            ? "Projections are stored as " + foreign + ", which Tern does not compute with."
                            : "This is not a ternary model that Tern knows: its projections are stored as " + foreign + ".",
                    bitnet ? CONVERT : "Use llama.cpp for it. If the model is ternary, convert the original checkpoint with"
                            + " `tern convert`.");
        }
    }

    /** What became of a ternary model. */
    private void ruined() {
        if (!blocks.isEmpty()) {
            boolean codes = blockTypes.stream().allMatch(type -> type == GgmlType.TQ1_0 || type == GgmlType.TQ2_0);
            error(
                    FindingKind.BLOCK_REQUANTIZED,
                    blocks.size() + " matrices were quantized block by block (" + blockTypes + "), as llama-quantize does,"
                            + " and are no ternary matrices of one scale any more. "
                            + (codes
                                    ? "It takes each block's largest weight for its scale, which makes 86 % of continuous"
                                            + " weights zero; such a model answers gibberish."
                                    : "Made of continuous weights, they are another model than was trained; made of ternary"
                                            + " ones, some are off by the rounding.")
                            + " First: " + blocks.getFirst(),
                    CONVERT);
        }
        if (!continuous.isEmpty()) {
            error(
                    FindingKind.CONTINUOUS_WEIGHTS,
                    continuous.size() + " matrices hold continuous weights, the checkpoint's masters: a reader that computes"
                            + " with them as they are, or quantizes them in blocks, gets another model than was trained."
                            + " First: " + continuous.getFirst(),
                    CONVERT);
        }
    }

    private static String count(List<String> items) {
        return items.size() == 1 ? "" : items.size() + " matrices. First: ";
    }

    private void error(FindingKind kind, String text, String cure) {
        result.find(kind, Severity.ERROR, text, cure);
    }
}
