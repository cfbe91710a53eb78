package dev.tern.measure.comparison;

import com.fasterxml.jackson.annotation.Nulls;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JacksonException.Reference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.databind.exc.ValueInstantiationException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.type.LogicalType;

/**
 * A {@link Comparison} as a JSON document: one object whose {@code format} and {@code version} come first and whose
 * other fields are those of the records, in their order and in snake case. What is not there is {@code null}. A number is
 * written with as many digits as tell it from every other, so what is read equals what was written, bit for bit; one that
 * JSON has no number for is the text {@code NaN}, {@code Infinity} or {@code -Infinity}.
 */
public final class ComparisonJson {
    /** What the field {@code format} says. */
    public static final String FORMAT = "tern-comparison";

    /** Of the fields; another one is refused. */
    public static final int VERSION = 1;

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .withCoercionConfig(LogicalType.Textual, config -> {
                for (CoercionInputShape shape :
                        List.of(CoercionInputShape.Integer, CoercionInputShape.Float, CoercionInputShape.Boolean)) {
                    config.setCoercion(shape, CoercionAction.Fail);
                }
            })
            .changeDefaultNullHandling(nulls -> nulls.withContentNulls(Nulls.FAIL))
            .build();

    private ComparisonJson() {}

    /** The document, indented, with a newline at its end. */
    public static String write(Comparison comparison) {
        ObjectNode document =
                MAPPER.createObjectNode().put("format", FORMAT).put("version", VERSION);
        document.setAll((ObjectNode) MAPPER.valueToTree(comparison));
        return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(document) + "\n";
    }

    /**
     * Reads a document from a file.
     *
     * @throws InputException when the file cannot be read or is no comparison of this version; the message says which field
     */
    public static Comparison read(Path file) {
        return comparison(JsonFile.read(file), file);
    }

    /**
     * Reads a document from a text.
     *
     * @param where names the text in errors
     * @throws InputException as {@link #read}
     */
    public static Comparison parse(String json, Object where) {
        return comparison(JsonFile.parse(json.getBytes(StandardCharsets.UTF_8), where), where);
    }

    private static Comparison comparison(ObjectNode document, Object where) {
        JsonNode format = document.remove("format");
        if (format == null || !format.isString() || !format.asString().equals(FORMAT)) {
            throw InputException.at(where)
                    .key("format")
                    .problem("this is no comparison")
                    .expected("\"" + FORMAT + "\"")
                    .found(JsonFile.shown(format))
                    .cure("`tern compare CHECKPOINT -o FILE.json` writes one.")
                    .exception();
        }
        JsonNode version = document.remove("version");
        if (version == null || !version.isInt() || version.asInt() != VERSION) {
            throw InputException.at(where)
                    .key("version")
                    .problem("a comparison of another version")
                    .expected(VERSION)
                    .found(JsonFile.shown(version))
                    .cure("Read it with the version of Tern that wrote it, or measure again.")
                    .exception();
        }
        try {
            return MAPPER.treeToValue(document, Comparison.class);
        } catch (JacksonException e) {
            throw error(document, where, e);
        }
    }

    private static InputException error(ObjectNode document, Object where, JacksonException e) {
        List<Reference> path = e.getPath();
        String key = path.stream()
                .map(step -> step.getPropertyName() == null ? "[" + step.getIndex() + "]" : "." + step.getPropertyName())
                .collect(Collectors.joining());
        InputException.Builder error = InputException.at(where);
        if (!key.isEmpty()) {
            error.key(key.startsWith(".") ? key.substring(1) : key);
        }
        JsonNode found = at(document, path);
        switch (e) {
            case UnrecognizedPropertyException unknown ->
                error.problem("an unknown field").expected("one of " + unknown.getKnownPropertyIds());
            case ValueInstantiationException refused when refused.getCause() != null ->
                error.problem(String.valueOf(refused.getCause().getMessage()));
            case MismatchedInputException mismatch when found.isMissingNode() || found.isNull() ->
                error.problem(found.isNull() ? "is null" : "is missing").expected(kind(mismatch.getTargetType()));
            case MismatchedInputException mismatch ->
                error.expected(kind(mismatch.getTargetType())).found(JsonFile.shown(found));
            default -> error.problem(e.getOriginalMessage());
        }
        return error.exception(e);
    }

    private static JsonNode at(JsonNode document, List<Reference> path) {
        JsonNode node = document;
        for (Reference step : path) {
            node = step.getPropertyName() == null ? node.path(step.getIndex()) : node.path(step.getPropertyName());
        }
        return node;
    }

    private static String kind(Class<?> type) {
        return switch (type) {
            case Class<?> c when c == int.class || c == Integer.class -> "an integer of 32 bits";
            case Class<?> c when c == long.class || c == Long.class -> "an integer of 64 bits";
            case Class<?> c when c == double.class || c == Double.class -> "a number";
            case Class<?> c when c == boolean.class -> "true or false";
            case Class<?> c when c == String.class -> "a text";
            case Class<?> c when List.class.isAssignableFrom(c) -> "an array";
            default -> "an object";
        };
    }
}
