package dev.tern.convert;

import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufLayout;
import dev.tern.gguf.GgufValue;
import dev.tern.gguf.GgufValueType;
import dev.tern.model.ModelHyperparameters;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;

/**
 * The key-value pairs of a GGUF file made from another one: the source's, in its order, whether Tern knows them or not.
 * Keys of the architecture get the new name; those that follow from the tensors' types are written anew in their
 * places.
 */
final class CarriedMetadata {
    private static final String ARCHITECTURE = "general.architecture";
    private static final String FILE_TYPE = "general.file_type";
    private static final String QUANTIZATION_VERSION = "general.quantization_version";
    private static final String ALIGNMENT = "general.alignment";

    private CarriedMetadata() {}

    static void write(
            SequencedMap<String, GgufValue> source,
            ModelHyperparameters sourceModel,
            FileDescription target,
            GgufLayout.Builder layout) {
        String from = sourceModel.architecture();
        String to = target.model().architecture();
        SequencedMap<String, GgufValue> keys = new LinkedHashMap<>();
        source.forEach((key, value) -> {
            if (!isTile(key)) {
                keys.put(renamed(key, from, to), value);
            }
        });
        keys.put(ARCHITECTURE, GgufValue.of(to)); // those that are there keep their places
        keys.put(FILE_TYPE, GgufValue.u32(target.outtype().fileType()));
        keys.put(QUANTIZATION_VERSION, GgufValue.u32(2));
        if (!from.equals(to)) {
            // Where the key is missing the architecture's name decides, and the new one may mean another function.
            keys.putIfAbsent(to + ".hidden_activation", GgufValue.of(sourceModel.activation().label()));
        }
        keys.putAll(target.tiles().metadata());
        keys.forEach((key, value) -> {
            if (key.equals(ALIGNMENT)) {
                layout.alignment(Math.max(8, (Integer) value.value()));
            } else {
                layout.metadata(key, value);
            }
        });
    }

    /** What a file lacks of its source's pairs, or has with another value. */
    static void compare(
            SequencedMap<String, GgufValue> source, String from, GgufFile found, Findings findings) {
        String to = found.string(ARCHITECTURE).orElse("");
        for (Map.Entry<String, GgufValue> pair : source.entrySet()) {
            String key = renamed(pair.getKey(), from, to);
            boolean ofTypes = List.of(ARCHITECTURE, FILE_TYPE, QUANTIZATION_VERSION, ALIGNMENT).contains(key);
            if (ofTypes || isTile(key)) {
                continue;
            }
            GgufValue value = found.metadata().get(key);
            if (value == null) {
                findings.problem("metadata: '" + key + "' is missing");
            } else if (!same(pair.getValue(), value)) {
                findings.problem("metadata: '" + key + "': expected " + shown(pair.getValue()) + ", found "
                        + shown(value));
            }
        }
    }

    private static boolean isTile(String key) {
        return key.startsWith("ternary.tl1.") || key.startsWith("ternary.tl2.");
    }

    private static String renamed(String key, String from, String to) {
        return key.startsWith(from + ".") ? to + key.substring(from.length()) : key;
    }

    /** Arrays by their elements, of which nested ones are values again. */
    private static boolean same(GgufValue a, GgufValue b) {
        if (a.type() != b.type() || a.elementType() != b.elementType()) {
            return false;
        }
        if (a.elementType() == GgufValueType.ARRAY) {
            List<?> as = (List<?>) a.value();
            List<?> bs = (List<?>) b.value();
            for (int i = 0; i < Math.min(as.size(), bs.size()); i++) {
                if (!same((GgufValue) as.get(i), (GgufValue) bs.get(i))) {
                    return false;
                }
            }
            return as.size() == bs.size();
        }
        return Objects.deepEquals(a.value(), b.value());
    }

    private static String shown(GgufValue value) {
        return switch (value.type()) {
            case ARRAY -> "an array of " + value.elementType();
            case STRING -> {
                String text = (String) value.value();
                yield text.length() <= 60 ? "'" + text + "'" : "a text of " + text.length() + " characters";
            }
            default -> String.valueOf(value.value());
        };
    }
}
