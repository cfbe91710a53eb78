package dev.tern.tokenizer;

import dev.tern.gguf.GgufValue;
import dev.tern.gguf.GgufValueType;
import dev.tern.io.InputException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The metadata of a GGUF file by key and type.
 *
 * @param origin the file, for errors
 */
record GgufKeys(Map<String, GgufValue> metadata, String origin) {

    Optional<String> text(String key) {
        GgufValue value = metadata.get(key);
        if (value == null) {
            return Optional.empty();
        }
        return Optional.of(value.value() instanceof String text ? text : wrongType(key, "a string", value));
    }

    Optional<Boolean> bool(String key) {
        GgufValue value = metadata.get(key);
        if (value == null) {
            return Optional.empty();
        }
        return Optional.of(value.value() instanceof Boolean bool ? bool : wrongType(key, "a boolean", value));
    }

    Optional<Integer> integer(String key) {
        GgufValue value = metadata.get(key);
        if (value == null || value.value() instanceof Integer none && none == -1) {
            return Optional.empty(); // -1 (unsigned: the largest) is llama.cpp's "none"
        }
        if (value.value() instanceof Long id && id >= 0 && id <= Integer.MAX_VALUE) {
            return Optional.of(id.intValue());
        }
        return Optional.of(value.value() instanceof Integer id ? id : wrongType(key, "an integer id", value));
    }

    int @Nullable [] integers(String key) {
        GgufValue value = metadata.get(key);
        if (value == null) {
            return null;
        }
        return value.value() instanceof int[] ids ? ids : wrongType(key, "an array of 32-bit integers", value);
    }

    float @Nullable [] floats(String key) {
        GgufValue value = metadata.get(key);
        if (value == null) {
            return null;
        }
        return value.value() instanceof float[] floats ? floats : wrongType(key, "an array of 32-bit floats", value);
    }

    @SuppressWarnings("unchecked") // GgufValue promises a List<String> for arrays of strings
    List<String> strings(String key) {
        GgufValue value = metadata.get(key);
        if (value == null) {
            throw missing(key);
        }
        return value.type() == GgufValueType.ARRAY && value.elementType() == GgufValueType.STRING
                ? (List<String>) value.value()
                : wrongType(key, "an array of strings", value);
    }

    private <T> T wrongType(String key, String expected, GgufValue found) {
        throw InputException.at(origin)
                .key(key)
                .expected(expected)
                .found(found.type() + (found.type() == GgufValueType.ARRAY ? " of " + found.elementType() : ""))
                .exception();
    }

    InputException missing(String key) {
        return InputException.at(origin)
                .key(key)
                .problem("missing: the file has no tokenizer")
                .cure("Convert the checkpoint again with tern convert.")
                .exception();
    }
}
