package dev.tern.checkpoint;

import dev.tern.io.InputException;
import dev.tern.model.ModelHyperparameters;
import dev.tern.safetensors.SafetensorsTensor;
import dev.tern.safetensors.SafetensorsType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The tensors that config.json demands, found in the files and checked: names, shapes, types, scales. */
final class TensorMatch {
    private static final int NAMED_AT_MOST = 8;

    private final CheckpointFiles files;
    private final CheckpointConfig config;
    private final ModelHyperparameters model;
    private final List<CheckpointTensor> tensors = new ArrayList<>();
    private final Map<String, StoredTensor> stored = new HashMap<>();
    private final Map<String, Float> scales = new HashMap<>();
    private final List<String> notes = new ArrayList<>();

    private TensorMatch(CheckpointFiles files, CheckpointConfig config, ModelHyperparameters model) {
        this.files = files;
        this.config = config;
        this.model = model;
    }

    static TensorMatch of(CheckpointFiles files, CheckpointConfig config, ModelHyperparameters model) {
        TensorMatch match = new TensorMatch(files, config, model);
        match.requirePlausibleLayers();
        List<TensorSpec> specs = TensorSpec.of(model);
        Set<String> used = match.find(specs);
        specs.forEach(match::check);
        match.requireOneFormat();
        match.judgeUnused(used);
        return match;
    }

    List<CheckpointTensor> tensors() {
        return List.copyOf(tensors);
    }

    StoredTensor stored(CheckpointTensor tensor) {
        StoredTensor found = stored.get(tensor.name());
        if (found == null) {
            throw new IllegalArgumentException(tensor.name() + " is not of this checkpoint");
        }
        return found;
    }

    /** Whether the projections are packed. */
    boolean packed() {
        return !scales.isEmpty();
    }

    /** The scale s of a packed projection. */
    float scale(CheckpointTensor tensor) {
        return scales.get(tensor.name());
    }

    List<String> notes() {
        return notes;
    }

    /** Before anything is listed per layer: every layer has at least nine tensors. */
    private void requirePlausibleLayers() {
        if (model.layers() > files.tensors().size() / 9) {
            throw InputException.at(config.file())
                    .key("num_hidden_layers")
                    .problem("the weights cannot hold so many layers")
                    .expected("at most " + files.tensors().size() / 9 + " for the " + files.tensors().size()
                            + " tensors in " + files.weights().getFileName())
                    .found(model.layers())
                    .cure("The weights are incomplete (give the folder, not one shard), or config.json belongs to"
                            + " another model.")
                    .exception();
        }
    }

    /** Finds every tensor, under one of its names; returns the names used. */
    private Set<String> find(List<TensorSpec> specs) {
        Set<String> used = new LinkedHashSet<>();
        List<String> missing = new ArrayList<>();
        for (TensorSpec spec : specs) {
            List<String> present = spec.sources().stream().filter(this::isPresent).toList();
            if (present.size() > 1 && !spec.ternary()) {
                throw InputException.at(files.weights())
                        .tensor(present.getFirst())
                        .problem("stands for the same norm as '" + present.get(1) + "'; only one may be there")
                        .exception();
            }
            if (present.isEmpty()) {
                missing.add(spec.source());
            } else {
                used.add(present.getFirst());
                stored.put(spec.name(), files.tensors().get(present.getFirst()));
            }
        }
        if (!missing.isEmpty()) {
            throw InputException.at(files.weights())
                    .problem(missing.size() + " tensors are missing: " + some(missing))
                    .cure("The weights are incomplete (give the folder, not one shard), or config.json belongs to"
                            + " another model.")
                    .exception();
        }
        return used;
    }

    /** A tensor without elements is one that its trainer has thrown away. */
    private boolean isPresent(String source) {
        StoredTensor tensor = files.tensors().get(source);
        return tensor != null && tensor.tensor().elements() > 0;
    }

    private void check(TensorSpec spec) {
        StoredTensor found = stored.get(spec.name());
        SafetensorsTensor tensor = found.tensor();
        if (spec.ternary() && (long) spec.rows() * spec.cols() > Integer.MAX_VALUE - 8) {
            throw found.error().problem("is too large").expected("less than 2^31 weights").found(
                    spec.rows() + " x " + spec.cols()).exception();
        }
        boolean packed = spec.ternary() && tensor.type() == SafetensorsType.U8;
        if (!packed && !tensor.type().isWeightFloat()) {
            throw found.error()
                    .problem("is of a type that cannot hold these weights")
                    .expected(spec.ternary() ? "BF16, F16, F32, or U8 with a weight_scale" : "BF16, F16 or F32")
                    .found(tensor.type())
                    .exception();
        }
        List<Long> expected = spec.vector()
                ? List.of((long) spec.cols())
                : List.of((long) (packed ? Math.ceilDiv(spec.rows(), 4) : spec.rows()), (long) spec.cols());
        if (!tensor.shape().equals(expected)) {
            throw found.error()
                    .problem("has another shape than config.json demands")
                    .expected(expected + (packed ? " (" + spec.rows() + " rows, four to a byte)" : ""))
                    .found(tensor.shapeText())
                    .cure("config.json belongs to another model, or the weights were exported wrongly.")
                    .exception();
        }
        scaleOf(spec, found, packed);
        tensors.add(new CheckpointTensor(
                spec.name(), tensor.name(), spec.ternary(), spec.vector(), spec.rows(), spec.cols(), tensor.type()));
    }

    private void scaleOf(TensorSpec spec, StoredTensor found, boolean packed) {
        String name = found.tensor().name() + "_scale";
        StoredTensor scale = spec.ternary() ? files.find(name) : null;
        if (packed && scale == null) {
            throw found.error()
                    .problem("is packed, but '" + name + "' is missing")
                    .cure("Without its scale the matrix means nothing: download the weights again.")
                    .exception();
        }
        if (!packed && scale != null) {
            throw scale.error()
                    .problem("belongs to packed weights, but the matrix is stored as " + found.tensor().type())
                    .cure("Export the model again, either packed or as floats without weight_scale.")
                    .exception();
        }
        if (scale != null) {
            scales.put(spec.name(), readScale(scale));
        }
    }

    private float readScale(StoredTensor scale) {
        SafetensorsTensor tensor = scale.tensor();
        if (!tensor.type().isWeightFloat() || tensor.elements() != 1) {
            throw scale.error()
                    .expected("one BF16, F16 or F32 value")
                    .found(tensor.type() + " " + tensor.shapeText())
                    .exception();
        }
        float[] value = new float[1];
        byte[] data = new byte[scale.elementBytes()];
        scale.read(0, 1, data);
        scale.widen(data, 1, value);
        float s = config.quantization().scaleDirection().scale(value[0]);
        if (!(value[0] > 0) || !Float.isFinite(value[0]) || !Float.isFinite(s)) {
            throw scale.error()
                    .problem("is no scale")
                    .expected("a positive, finite number")
                    .found(value[0])
                    .cure("The file is damaged: download it again.")
                    .exception();
        }
        return s;
    }

    private void requireOneFormat() {
        CheckpointTensor packed = null;
        CheckpointTensor floats = null;
        for (CheckpointTensor tensor : tensors) {
            if (tensor.ternary() && tensor.storedAs() == SafetensorsType.U8) {
                packed = tensor;
            } else if (tensor.ternary()) {
                floats = tensor;
            }
        }
        if (packed != null && floats != null) {
            throw InputException.at(files.weights())
                    .problem("some projections are packed and others are floats")
                    .expected("all of one kind")
                    .found("'" + packed.source() + "' as U8 and '" + floats.source() + "' as " + floats.storedAs())
                    .exception();
        }
    }

    /**
     * What is left over is noted when the graph loses nothing by it, and refused when it belongs to the graph: a bias,
     * a norm, a low-rank correction or another layer that were left out would make the model speak nonsense.
     */
    private void judgeUnused(Set<String> used) {
        List<String> ignored = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        for (String name : files.tensors().keySet()) {
            if (used.contains(name) || name.endsWith("_scale") && used.contains(name.substring(0, name.length() - 6))) {
                continue;
            }
            boolean derived = name.endsWith(".rotary_emb.inv_freq") || name.equals("lm_head.weight")
                    || name.endsWith("." + TensorSpec.DERIVED) || !isPresent(name);
            boolean ofGraph = name.startsWith("model.") || name.startsWith("lm_head.");
            (ofGraph && !derived ? refused : ignored).add(name);
        }
        if (!refused.isEmpty()) {
            throw InputException.at(files.weights())
                    .problem(refused.size() + " tensors have no place in a " + model.architecture() + " model of "
                            + model.layers() + " layers: " + some(refused))
                    .cure("config.json belongs to another model, or the model has parts that are not supported.")
                    .exception();
        }
        if (!ignored.isEmpty()) {
            notes.add("tensors that the model does not need are ignored: " + some(ignored));
        }
    }

    private static String some(List<String> names) {
        int rest = names.size() - NAMED_AT_MOST;
        return String.join(", ", names.subList(0, Math.min(NAMED_AT_MOST, names.size())))
                + (rest > 0 ? " and " + rest + " more" : "");
    }
}
