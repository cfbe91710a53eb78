package dev.tern.checkpoint;

import dev.tern.codegen.ModelShape;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.nio.file.Path;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The dimensions in a config.json that decide which ternary matrices a model has, whatever its architecture and whether
 * or not there are weights beside it.
 */
public final class ModelDimensions {
    /** Far beyond any model, and small enough that no sum or product of a few of them overflows a long. */
    private static final int MAX_DIMENSION = 1 << 24;

    private ModelDimensions() {}

    /**
     * Reads {@code hidden_size}, {@code intermediate_size}, {@code num_attention_heads}, {@code num_key_value_heads}
     * (absent: as many as there are heads) and {@code head_dim} (absent: hidden_size / num_attention_heads).
     *
     * @throws InputException when the file is missing or no JSON object, or a dimension is missing or impossible
     */
    public static ModelShape read(Path configJson) {
        return of(configJson, JsonFile.read(configJson));
    }

    static ModelShape of(Path file, ObjectNode config) {
        int hidden = dimension(file, config, "hidden_size");
        int heads = dimension(file, config, "num_attention_heads");
        int kvHeads =
                config.hasNonNull("num_key_value_heads") ? dimension(file, config, "num_key_value_heads") : heads;
        if (heads % kvHeads != 0) {
            throw InputException.at(file)
                    .key("num_key_value_heads")
                    .expected("a divisor of the " + heads + " heads")
                    .found(kvHeads)
                    .exception();
        }
        int headDim = headDim(file, config, hidden, heads);
        if ((long) heads * headDim > MAX_DIMENSION) {
            throw InputException.at(file)
                    .key("head_dim")
                    .problem(heads + " heads of " + headDim + " are too many")
                    .exception();
        }
        return new ModelShape(hidden, dimension(file, config, "intermediate_size"), heads, kvHeads, headDim);
    }

    private static int headDim(Path file, ObjectNode config, int hidden, int heads) {
        if (config.hasNonNull("head_dim")) {
            return dimension(file, config, "head_dim");
        }
        if (hidden % heads != 0) {
            throw InputException.at(file)
                    .key("num_attention_heads")
                    .problem("head_dim is absent and the heads do not divide hidden_size")
                    .expected("a divisor of " + hidden)
                    .found(heads)
                    .exception();
        }
        return hidden / heads;
    }

    /** A dimension that must be there. */
    static int dimension(Path file, ObjectNode config, String key) {
        JsonNode node = config.get(key);
        if (node == null || !node.isIntegralNumber() || !node.canConvertToInt()
                || node.intValue() <= 0 || node.intValue() > MAX_DIMENSION) {
            throw InputException.at(file)
                    .key(key)
                    .expected("a whole number from 1 to " + MAX_DIMENSION)
                    .found(JsonFile.shown(node))
                    .exception();
        }
        return node.intValue();
    }
}
