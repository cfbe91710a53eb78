package dev.tern.source;

import dev.tern.io.InputException;
import dev.tern.io.PickleFile;
import dev.tern.safetensors.ShardIndex;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** Which files of a folder a model needs: those that a checkpoint is read from, and never anything else. */
final class Selection {
    static final String CONFIG = "config.json";
    static final String SINGLE = "model.safetensors";
    static final String INDEX = ShardIndex.NAME;

    /** The cure for weights in PyTorch's format alone. */
    static final String WITHOUT_PICKLE = "Take a copy of the model with safetensors, or load it in transformers once"
            + " and save it with save_pretrained(folder, safe_serialization=True).";

    /** Configuration and tokenizer; config.json must be there. */
    static final List<String> SMALL = List.of(
            CONFIG,
            "generation_config.json",
            "tokenizer.json",
            "tokenizer.model",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "chat_template.jinja",
            "chat_template.json");

    private Selection() {}

    /**
     * The file that holds the weights or maps them to shards, chosen as the reader of checkpoints does: the single file
     * before the index.
     *
     * @param named the weights file that a person named, or empty
     * @throws InputException when there is none that can be read
     */
    static String weights(String label, List<String> names, String named) {
        for (String name : named.isEmpty() ? List.of(SINGLE, INDEX) : List.of(named)) {
            if (names.contains(name)) {
                return name;
            }
        }
        InputException.Builder error = InputException.at(label);
        List<String> safetensors = names.stream().filter(name -> name.endsWith(".safetensors")).toList();
        List<String> pickles = names.stream().filter(PickleFile::isNamed).toList();
        List<String> gguf = names.stream().filter(name -> name.endsWith(".gguf")).toList();
        if (!named.isEmpty()) {
            error.problem("there is no " + named + " in it").found(some(names));
        } else if (!safetensors.isEmpty()) {
            error.problem("there are no weights under a model's usual names")
                    .expected(SINGLE + " or " + INDEX)
                    .found(some(safetensors))
                    .cure("If one of them is the whole model, name it: " + label + "/FILE.safetensors.");
        } else if (!pickles.isEmpty()) {
            error.problem("there are weights in PyTorch's pickle format only, which is not read, as it can run code")
                    .expected(SINGLE + " or " + INDEX)
                    .found(some(pickles))
                    .cure(WITHOUT_PICKLE);
        } else if (!gguf.isEmpty()) {
            error.problem("there are no safetensors in it, but GGUF files, which are converted already")
                    .found(some(gguf))
                    .cure("Download the file that you want, and use it: tern inspect FILE, tern run -m FILE.");
        } else {
            error.problem("there are no weights in it")
                    .expected(SINGLE + " or " + INDEX)
                    .found(some(names))
                    .cure("Check the address: it must be that of the folder with config.json and the weights.");
        }
        throw error.exception();
    }

    /** Some names, and how many more. */
    static String some(List<String> names) {
        if (names.isEmpty()) {
            return "nothing";
        }
        int most = Math.min(5, names.size());
        return String.join(", ", names.subList(0, most))
                + (names.size() > most ? " and " + (names.size() - most) + " more" : "");
    }

    /** What was left out, in words; empty when it is nothing. */
    static String leftOut(List<String> names, Set<String> wanted) {
        List<String> others = new ArrayList<>(names.stream()
                .filter(name -> !wanted.contains(name) && !name.startsWith("."))
                .filter(name -> !name.toLowerCase(Locale.ROOT).startsWith("readme"))
                .collect(Collectors.toCollection(ArrayList::new)));
        if (others.isEmpty()) {
            return "";
        }
        String first = others.stream().filter(PickleFile::isNamed).findFirst().orElse(others.getFirst());
        return others.size() == 1
                ? first + " is not needed and was left out"
                : first + " and " + (others.size() - 1) + (others.size() == 2 ? " other" : " others")
                        + " are not needed and were left out";
    }
}
