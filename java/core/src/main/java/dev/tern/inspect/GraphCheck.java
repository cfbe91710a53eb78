package dev.tern.inspect;

import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.gguf.GgufValue;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.io.InputException;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.TensorShape;
import dev.tern.model.TensorTypes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** Architecture, hyperparameters, and whether the tensors are those of the graph. */
final class GraphCheck {
    private static final String CONVERT = "Convert the original checkpoint with `tern convert`.";
    private static final int SHOWN = 4;

    private final GgufFile file;
    private final String architecture;
    private final InspectionBuilder result;

    GraphCheck(GgufFile file, String architecture, InspectionBuilder result) {
        this.file = file;
        this.architecture = architecture;
        this.result = result;
    }

    /** The graph, when it is one that Tern has and the file says all of it. */
    Optional<ModelHyperparameters> run() {
        if (!GgufHyperparameters.ARCHITECTURES.contains(architecture)) {
            unknownArchitecture();
            return Optional.empty();
        }
        headDim();
        Optional<ModelHyperparameters> model = Optional.empty();
        try {
            model = Optional.of(GgufHyperparameters.read(file));
        } catch (InputException e) {
            boolean activation = file.metadata().containsKey(architecture + ".hidden_activation")
                    && String.valueOf(e.getMessage()).contains("hidden_activation");
            result.find(
                    activation ? FindingKind.ACTIVATION_MISMATCH : FindingKind.METADATA,
                    Severity.ERROR,
                    Sentences.of(e),
                    CONVERT);
        }
        model.ifPresent(known -> {
            result.model(known);
            ropeDimension(known);
            tensors(known);
        });
        activation();
        return model;
    }

    private void unknownArchitecture() {
        String plain = architecture.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
        boolean bitnet = plain.contains("bitnet");
        result.find(
                bitnet ? FindingKind.ARCHITECTURE_SPELLING : FindingKind.ARCHITECTURE_UNKNOWN,
                Severity.ERROR,
                (architecture.isEmpty()
                                ? "The file names no architecture"
                                : "The architecture '" + architecture + "' is unknown")
                        + (bitnet
                                ? ": GGUF names are bitnet-b1.58 (bitnet.cpp, ik_llama.cpp, Tern) and bitnet (llama.cpp); a"
                                        + " class name such as BitNetForCausalLM belongs into config.json."
                                : "; Tern runs " + String.join(", ", GgufHyperparameters.ARCHITECTURES) + "."),
                bitnet ? CONVERT : "For an ordinary model use llama.cpp.");
    }

    /** Heads whose width is not the embedding's share, in a file that does not say so. */
    private void headDim() {
        Optional<Long> hidden = number("embedding_length");
        Optional<Long> heads = number("attention.head_count");
        Optional<GgufTensor> q = file.find("blk.0.attn_q.weight");
        if (hidden.isEmpty() || heads.isEmpty() || heads.get() <= 0 || q.isEmpty()
                || file.metadata().containsKey(architecture + ".attention.key_length")) {
            return;
        }
        long rows = q.get().rows();
        // A quarter of the rows is a packed matrix that was never unpacked, which is told elsewhere.
        if (rows != hidden.get() && rows % heads.get() == 0 && 4 * rows != hidden.get() && q.get().cols() == hidden.get()) {
            result.find(
                    FindingKind.HEAD_DIM_MISSING,
                    Severity.ERROR,
                    "Heads are " + rows / heads.get() + " wide (attn_q has " + rows + " rows for " + heads.get()
                            + " heads), but without the key " + architecture + ".attention.key_length readers take "
                            + hidden.get() / heads.get() + ".",
                    "The converter lost head_dim. " + CONVERT);
        }
    }

    private void ropeDimension(ModelHyperparameters model) {
        if (model.ropeDims() != model.headDim()) {
            result.find(
                    FindingKind.ROPE_DIMENSION,
                    Severity.WARNING,
                    architecture + ".rope.dimension_count is " + model.ropeDims() + " in a model with heads of "
                            + model.headDim() + ": BitNet models rotate whole heads, and bitnet.cpp refuses this ('invalid"
                            + " n_rot: " + model.ropeDims() + ", expected " + model.headDim() + "').",
                    CONVERT);
        }
    }

    private void activation() {
        if (architecture.equals("bitnet") && !file.metadata().containsKey("bitnet.hidden_activation")) {
            result.find(
                    FindingKind.ACTIVATION_UNKNOWN,
                    Severity.WARNING,
                    "The architecture is 'bitnet' and the file does not say which activation the model has: SiLU is assumed."
                            + " A BitNet b1.58 model, which has relu², answers nonsense with it.",
                    "For such a model convert the original checkpoint with `tern convert`, which stores the activation.");
        }
    }

    private void tensors(ModelHyperparameters model) {
        List<String> missing = new ArrayList<>();
        List<String> packed = new ArrayList<>();
        List<String> shaped = new ArrayList<>();
        List<String> typed = new ArrayList<>();
        Set<String> known = new HashSet<>();
        for (TensorShape shape : TensorShape.of(model)) {
            known.add(shape.name());
            Optional<GgufTensor> found = file.find(shape.name());
            if (found.isEmpty()) {
                missing.add(shape.name());
                continue;
            }
            boolean projection = shape.kind() == TensorShape.Kind.PROJECTION;
            if (!projection) { // whose types are told with what they hold
                type(found.get(), shape.kind()).ifPresent(typed::add);
            }
            long rows = found.get().rows();
            long cols = found.get().cols();
            if (rows == shape.rows() && cols == shape.cols()) {
                continue;
            }
            String text = "'" + shape.name() + "' expected " + shape.cols() + ", " + shape.rows() + ", got " + cols + ", "
                    + rows;
            boolean quarter = cols == shape.cols() && rows == Math.ceilDiv(shape.rows(), 4)
                    || rows == shape.rows() && cols == Math.ceilDiv(shape.cols(), 4);
            (projection && quarter ? packed : shaped).add(text);
        }
        Predicate<String> subNorm = name -> name.endsWith("_sub_norm.weight");
        report(FindingKind.SUB_NORMS_MISSING, missing.stream().filter(subNorm).toList(),
                " norms before o_proj and down_proj are missing, which the architecture '" + architecture + "' has: ",
                "Either the converter dropped them, or the model is a plain Llama and its architecture 'llama'. " + CONVERT);
        report(FindingKind.TENSORS_MISSING, missing.stream().filter(subNorm.negate()).toList(),
                " tensors are missing: ", CONVERT);
        report(FindingKind.PACKED_NOT_UNPACKED, packed,
                " matrices have a quarter of their rows: they are packed, four weights to a byte, and were never unpacked: ",
                CONVERT);
        report(FindingKind.SHAPE_MISMATCH, shaped, " tensors have another shape than the metadata says: ",
                "The metadata are another model's. " + CONVERT);
        report(FindingKind.UNREADABLE_TYPE, typed, " tensors are of types that Tern does not compute with: ", CONVERT);
        List<String> unused = file.tensors().stream()
                .map(GgufTensor::name)
                .filter(name -> !known.contains(name) && !name.endsWith(".scale"))
                .map(name -> "'" + name + "'")
                .toList();
        report(FindingKind.TENSOR_UNUSED, unused,
                " tensors have no place in the graph of '" + architecture + "', so what they do is lost: ",
                "The architecture is wrong, or the model has parts that Tern does not run.");
    }

    /** What is wrong with the type of an embedding, a norm or a low-rank correction. */
    private Optional<String> type(GgufTensor tensor, TensorShape.Kind kind) {
        String name = tensor.name();
        if (!kind.types().contains(tensor.type())) {
            return Optional.of("'" + name + "' is " + tensor.type() + ", expected " + TensorTypes.names(kind));
        }
        return kind != TensorShape.Kind.LOW_RANK || !name.endsWith("_v")
                ? Optional.empty()
                : file.find(name.substring(0, name.length() - 1) + "u")
                        .filter(u -> u.type() != tensor.type() && kind.types().contains(u.type()))
                        .map(u -> "'" + name + "' is " + tensor.type() + ", but its U is " + u.type());
    }

    private void report(FindingKind kind, List<String> items, String what, String cure) {
        if (!items.isEmpty()) {
            int more = items.size() - SHOWN;
            result.find(kind, Severity.ERROR, items.size() + what
                    + String.join("; ", items.subList(0, Math.min(SHOWN, items.size())))
                    + (more > 0 ? " and " + more + " more." : "."), cure);
        }
    }

    private Optional<Long> number(String key) {
        GgufValue value = file.metadata().get(architecture + "." + key);
        return value != null && value.value() instanceof Number number ? Optional.of(number.longValue()) : Optional.empty();
    }
}
