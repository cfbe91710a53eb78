package dev.tern.inspect;

import dev.tern.inspect.Inspection.Finding;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.io.PickleFile;
import dev.tern.safetensors.SafetensorsFile;
import dev.tern.safetensors.SafetensorsTensor;
import dev.tern.safetensors.SafetensorsType;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Why a checkpoint cannot be opened, told from what lies in its folder. */
final class BrokenCheckpoint {
    private static final Set<String> BITNET = Set.of("BitNetForCausalLM", "BitnetForCausalLM");
    private static final long MOST_HEADER = 100_000_000;

    private final Path folder;
    private final InputException refusal;
    private final InspectionBuilder result;
    private final Map<String, SafetensorsTensor> tensors = new LinkedHashMap<>();

    private BrokenCheckpoint(Path folder, InputException refusal, InspectionBuilder result) {
        this.folder = folder;
        this.refusal = refusal;
        this.result = result;
    }

    /**
     * Adds the reasons to a report.
     *
     * @param path the folder, or a weights file in it
     * @param refusal why it was refused
     * @throws InputException the refusal itself, when nothing there looks like a checkpoint
     */
    static void explain(Path path, InputException refusal, InspectionBuilder result) {
        Path parent = path.toAbsolutePath().normalize().getParent();
        boolean isFolder = Files.isDirectory(path);
        Path folder = isFolder || parent == null ? path : parent;
        List<Path> files = weights(folder).stream()
                .filter(file -> isFolder || file.getFileName().equals(path.getFileName()))
                .toList();
        boolean config = Files.exists(folder.resolve("config.json"));
        if (!Files.exists(path) || isFolder && files.isEmpty() && !config) {
            throw refusal;
        }
        new BrokenCheckpoint(folder, refusal, result).explain(files);
    }

    private static List<Path> weights(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(file -> isSafetensors(file) || PickleFile.isNamed(file.toString())).sorted().toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    private static boolean isSafetensors(Path file) {
        return file.toString().endsWith(".safetensors");
    }

    private void explain(List<Path> files) {
        files.stream().filter(BrokenCheckpoint::isSafetensors).forEach(this::file);
        if (files.stream().noneMatch(BrokenCheckpoint::isSafetensors)
                && files.stream().anyMatch(file -> PickleFile.isNamed(file.toString()))) {
            find(FindingKind.PICKLE, "The weights are PyTorch pickles (" + files.getFirst().getFileName()
                            + "), which can run code when they are read; Tern does not read them.",
                    "Download the model's safetensors files, or load it in transformers once and save it with"
                            + " save_pretrained(folder, safe_serialization=True).");
        }
        ObjectNode config = config();
        if (config != null) {
            architecture(config);
            graph(config);
        }
        if (!result.broken()) {
            find(FindingKind.METADATA, Sentences.of(refusal), "");
        }
    }

    private void file(Path file) {
        var other = WrongFile.recognise(file);
        if (other.isPresent()) {
            result.explain(other.get());
            return;
        }
        try (SafetensorsFile open = SafetensorsFile.open(file)) {
            tensors.putAll(open.tensors());
        } catch (InputException e) {
            long missing = missingBytes(file);
            find(
                    missing > 0 ? FindingKind.TRUNCATED : FindingKind.DAMAGED,
                    missing > 0
                            ? file.getFileName() + " is truncated: " + missing + " bytes are missing."
                            : Sentences.of(e),
                    "The download or copy broke off: get the file again.");
        }
    }

    /** How many bytes of data a header promises beyond the file's end; 0 when it cannot be read. */
    private static long missingBytes(Path file) {
        try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
            long size = Files.size(file);
            long length = Long.reverseBytes(in.readLong());
            if (length < 2 || length > MOST_HEADER) {
                return 0;
            }
            if (length > size - 8) {
                return length - (size - 8);
            }
            long end = 0;
            for (JsonNode tensor : JsonFile.parse(in.readNBytes((int) length), file)) {
                end = Math.max(end, tensor.path("data_offsets").path(1).asLong(0));
            }
            return 8 + length + end - size;
        } catch (IOException | InputException e) {
            return 0;
        }
    }

    private @Nullable ObjectNode config() {
        Path file = folder.resolve("config.json");
        if (!Files.exists(file)) {
            find(FindingKind.METADATA, "config.json is missing: the model's dimensions stand in it.",
                    "Download config.json into the folder of the weights.");
            return null;
        }
        try {
            return JsonFile.read(file);
        } catch (InputException e) {
            var other = WrongFile.recognise(file);
            result.explain(other.orElseGet(() -> new Finding(
                    FindingKind.METADATA, Severity.ERROR, Sentences.of(e), "Download config.json again.")));
            return null;
        }
    }

    private static String className(ObjectNode config) {
        return config.path("architectures").path(0).asString("");
    }

    private void architecture(ObjectNode config) {
        String name = className(config);
        if (BITNET.contains(name) || name.equals("LlamaForCausalLM")) {
            return;
        }
        boolean bitnet = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "").contains("bitnet");
        find(
                bitnet ? FindingKind.ARCHITECTURE_SPELLING : FindingKind.ARCHITECTURE_UNKNOWN,
                "config.json names the class " + (name.isEmpty() ? "of no model" : "'" + name + "'") + " in architectures;"
                        + " Tern knows BitNetForCausalLM (transformers), BitnetForCausalLM (1bitLLM, llama.cpp) and"
                        + " LlamaForCausalLM with ternary weights.",
                bitnet
                        ? "Correct the name in a copy of config.json; both spellings are read, so nothing need be renamed for"
                                + " Tern (llama.cpp's KeyError: 'BitNetForCausalLM' is its own)."
                        : "If the model has one of these graphs, name it so in a copy of config.json.");
    }

    private void graph(ObjectNode config) {
        if (tensors.isEmpty() || result.broken()) {
            return;
        }
        boolean embedded = tensors.containsKey("model.embed_tokens.weight");
        JsonNode tied = config.path("tie_word_embeddings");
        if (embedded && tied.isBoolean() && !tied.booleanValue() && !tensors.containsKey("lm_head.weight")) {
            find(FindingKind.HEAD_LOST, "config.json says that the head is the model's own (tie_word_embeddings false), but"
                            + " lm_head.weight is missing: it was lost, and a model without it says nothing sensible.",
                    "Download all shards, or export the model again with its head; if it is tied, say so in a copy of"
                            + " config.json.");
        }
        if (BITNET.contains(className(config)) && none("attn_sub_norm.weight") && none("inner_attn_ln.weight")) {
            find(FindingKind.SUB_NORMS_MISSING, "A " + className(config) + " has a norm before o_proj and one before"
                            + " down_proj (attn_sub_norm and ffn_sub_norm, or inner_attn_ln and ffn_layernorm); there are none.",
                    "The export dropped them, or the model is a Llama with ternary weights: then its class is"
                            + " LlamaForCausalLM.");
        }
        quarters(config);
        if (className(config).equals("LlamaForCausalLM") && !config.hasNonNull("quantization_config")
                && tensors.values().stream().noneMatch(tensor -> tensor.type() == SafetensorsType.U8)) {
            find(FindingKind.QUANTIZATION_CONFIG_MISSING, "A LlamaForCausalLM with continuous weights and no"
                            + " quantization_config: an ordinary Llama, or a ternary one whose quantization_config was lost"
                            + " (merging adapters strips it).",
                    "If it was trained ternary, put quantization_config with quant_method 'bitnet' back into a copy of"
                            + " config.json; an ordinary Llama cannot be made ternary without training.");
        }
    }

    private boolean none(String end) {
        return tensors.keySet().stream().noneMatch(name -> name.endsWith(end));
    }

    /** Packed matrices that are no longer known as such. */
    private void quarters(ObjectNode config) {
        long hidden = config.path("hidden_size").asLong(0);
        for (SafetensorsTensor tensor : tensors.values()) {
            if (!tensor.name().endsWith("o_proj.weight") || tensor.shape().size() != 2) {
                continue;
            }
            boolean quarter = tensor.shape().getFirst() == Math.ceilDiv(hidden, 4L);
            boolean scaled = tensors.containsKey(tensor.name() + "_scale");
            if (quarter && !scaled) {
                find(FindingKind.SCALE_LOST, "'" + tensor.name() + "' is packed, four rows to a byte, but its weight_scale is"
                        + " missing: without it the matrix means nothing.", "Download the weights again, scales included.");
                return;
            }
            if (quarter && tensor.type() != SafetensorsType.U8) {
                find(FindingKind.PACKED_NOT_UNPACKED, "'" + tensor.name() + "' has a quarter of its rows (expected " + hidden
                                + ", got " + tensor.shape().getFirst() + "), stored as " + tensor.type()
                                + ": packed bytes were cast to another type, or never unpacked.",
                        "Take the original packed checkpoint (U8), or export the model again.");
                return;
            }
        }
    }

    private void find(FindingKind kind, String text, String cure) {
        result.find(kind, Severity.ERROR, text, cure);
    }
}
