package dev.tern.safetensors;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import tools.jackson.databind.JsonNode;

/**
 * The index of a model that is split over several safetensors files, as transformers writes it: {@code
 * model.safetensors.index.json} maps the name of every tensor to that of the file in the same folder that holds it.
 * Immutable.
 *
 * @param path of the index
 * @param weightMap file names by tensor names, in the order of the index
 */
public record ShardIndex(Path path, SequencedMap<String, String> weightMap) {
    /** What the index is called. */
    public static final String NAME = "model.safetensors.index.json";

    /** Keeps a copy of the map. */
    public ShardIndex {
        weightMap = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(weightMap));
    }

    /**
     * Reads an index.
     *
     * @throws InputException when it is none, or a file in it is no {@linkplain #isShardName plain name}
     */
    public static ShardIndex read(Path path) {
        JsonNode map = JsonFile.read(path).get("weight_map");
        if (map == null || !map.isObject() || map.isEmpty()) {
            throw InputException.at(path)
                    .key("weight_map")
                    .expected("an object that maps tensors to files")
                    .found(map == null ? "nothing" : map.getNodeType())
                    .exception();
        }
        SequencedMap<String, String> files = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            String name = entry.getValue().isString() ? entry.getValue().stringValue() : "";
            if (!isShardName(name)) {
                throw InputException.at(path)
                        .key("weight_map." + entry.getKey())
                        .expected("the name of a safetensors file in the same folder")
                        .found(JsonFile.shown(entry.getValue()))
                        .exception();
            }
            files.put(entry.getKey(), name);
        }
        return new ShardIndex(path, files);
    }

    /**
     * Whether a name is that of a safetensors file in the same folder, on every system: no path, no drive, no control
     * characters.
     */
    public static boolean isShardName(String name) {
        return name.endsWith(".safetensors")
                && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || Character.isISOControl(c));
    }

    /** The files, each once, in the order of their first use. */
    public SequencedSet<String> files() {
        return new LinkedHashSet<>(weightMap.values());
    }
}
