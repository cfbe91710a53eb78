package dev.tern.server.json;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The fields of one JSON object. A field that is null is one that is not there, and fields that nobody asks for do no
 * harm. Every method throws {@link FieldException} where a field is of another type or outside its range.
 */
public final class Fields {
    private final ObjectNode object;
    private final String path;

    private Fields(ObjectNode object, String path) {
        this.object = object;
        this.path = path;
    }

    /** The fields of a body. */
    public static Fields of(byte[] body) {
        return of(Json.read(body), "");
    }

    /** The fields of a value that stands at a path, such as {@code messages[2]}. */
    public static Fields of(JsonNode node, String path) {
        if (node instanceof ObjectNode object) {
            return new Fields(object, path);
        }
        throw new FieldException(path, "expected an object, found " + Json.shown(node));
    }

    /** Whether the field is there, and not null. */
    public boolean has(String name) {
        return object.hasNonNull(name);
    }

    /** The first of these fields that is there; else the last. */
    public String firstOf(String... names) {
        for (String name : names) {
            if (has(name)) {
                return name;
            }
        }
        return names[names.length - 1];
    }

    /** The field's value, whatever it is; a missing node when it is not there. */
    public JsonNode value(String name) {
        return has(name) ? object.get(name) : object.path("\0missing");
    }

    /** All names. */
    public Collection<String> names() {
        return object.propertyNames();
    }

    /** The object itself. */
    public ObjectNode node() {
        return object;
    }

    /** A text. */
    public Optional<String> text(String name) {
        if (!has(name)) {
            return Optional.empty();
        }
        if (!object.get(name).isString()) {
            throw wrong(name, "a string");
        }
        return Optional.of(object.get(name).stringValue());
    }

    /** A text that must be there. */
    public String requiredText(String name) {
        return text(name).orElseThrow(() -> wrong(name, "a string"));
    }

    /** One of some words. */
    public String word(String name, String otherwise, List<String> words) {
        String word = text(name).orElse(otherwise);
        if (!words.contains(word)) {
            throw wrong(name, "one of " + String.join(", ", words));
        }
        return word;
    }

    /** True or false; some clients send 1 and 0. */
    public boolean flag(String name, boolean otherwise) {
        if (!has(name)) {
            return otherwise;
        }
        JsonNode value = object.get(name);
        if (value.isBoolean()) {
            return value.booleanValue();
        }
        if (value.isIntegralNumber() && (value.asLong() == 0 || value.asLong() == 1)) {
            return value.asLong() == 1;
        }
        throw wrong(name, "true or false");
    }

    /** A whole number within a range. */
    public OptionalInt integer(String name, int min, int max) {
        OptionalLong number = wholeNumber(name, min, max);
        return number.isPresent() ? OptionalInt.of((int) number.getAsLong()) : OptionalInt.empty();
    }

    /** A whole number within a range, perhaps written as 1.0. */
    public OptionalLong wholeNumber(String name, long min, long max) {
        if (!has(name)) {
            return OptionalLong.empty();
        }
        JsonNode value = object.get(name);
        boolean whole = value.isIntegralNumber() && value.canConvertToLong()
                || value.isFloatingPointNumber() && value.asDouble() == Math.rint(value.asDouble());
        if (!whole || value.asDouble() < min || value.asDouble() > max) {
            throw wrong(name, "a whole number " + range(min, max));
        }
        return OptionalLong.of(value.isIntegralNumber() ? value.asLong() : (long) value.asDouble());
    }

    private static String range(long min, long max) {
        boolean noEnd = max == Integer.MAX_VALUE || max == Long.MAX_VALUE;
        return noEnd ? "of at least " + min : "from " + min + " to " + max;
    }

    /** A number. */
    public Optional<Double> number(String name) {
        if (!has(name)) {
            return Optional.empty();
        }
        if (!object.get(name).isNumber()) {
            throw wrong(name, "a number");
        }
        return Optional.of(object.get(name).asDouble());
    }

    /** The elements of an array; none when it is not there. */
    public List<JsonNode> elements(String name) {
        if (!has(name)) {
            return List.of();
        }
        if (!object.get(name).isArray()) {
            throw wrong(name, "an array");
        }
        List<JsonNode> elements = new ArrayList<>();
        object.get(name).forEach(elements::add);
        return elements;
    }

    /** The objects of an array; none when it is not there. */
    public List<Fields> objects(String name) {
        List<Fields> fields = new ArrayList<>();
        for (JsonNode element : elements(name)) {
            fields.add(of(element, path(name + '[' + fields.size() + ']')));
        }
        return fields;
    }

    /** The texts of an array, or the one text that stands there; none when nothing does. */
    public List<String> texts(String name) {
        if (has(name) && object.get(name).isString()) {
            return List.of(object.get(name).stringValue());
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode element : elements(name)) {
            if (!element.isString()) {
                throw new FieldException(
                        path(name + '[' + texts.size() + ']'), "expected a string, found " + Json.shown(element));
            }
            texts.add(element.stringValue());
        }
        return texts;
    }

    /** An object. */
    public Optional<Fields> object(String name) {
        return has(name) ? Optional.of(of(object.get(name), path(name))) : Optional.empty();
    }

    /** What to throw where a field is not what it should be. */
    public FieldException wrong(String name, String expected) {
        return new FieldException(path(name), "expected " + expected + ", found " + Json.shown(object.get(name)));
    }

    /** The path of a field, from the body on. */
    public String path(String name) {
        return path.isEmpty() ? name : path + '.' + name;
    }
}
