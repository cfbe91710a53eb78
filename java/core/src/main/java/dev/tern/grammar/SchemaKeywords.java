package dev.tern.grammar;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** Reads the values of a JSON Schema's keywords, and refuses those whose meaning no grammar can keep. */
final class SchemaKeywords {
    /** Types of values; a number that is whole is an integer, the others are numbers. */
    enum Type {
        OBJECT,
        ARRAY,
        STRING,
        INTEGER,
        NUMBER,
        BOOLEAN,
        NULL
    }

    private static final Set<String> UNSUPPORTED = Set.of(
            "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies", "contains",
            "minContains", "maxContains", "unevaluatedProperties", "unevaluatedItems", "propertyNames", "$dynamicRef",
            "$recursiveRef");

    private static final int MOST_DIGITS = 60;

    private SchemaKeywords() {}

    /** @throws InputException naming the keyword and its place */
    static void refuseUnsupported(SchemaPiece piece) {
        for (String keyword : piece.node().propertyNames()) {
            if (UNSUPPORTED.contains(keyword)) {
                throw piece.error(keyword)
                        .problem("the keyword '" + keyword + "' is not supported")
                        .cure("Leave it away, or say the same with enum, const, anyOf, allOf, $ref and the keywords of"
                                + " types.")
                        .exception();
            }
        }
        if (piece.node().path("uniqueItems").asBoolean(false)
                && piece.node().path("maxItems").asInt(Integer.MAX_VALUE) > 1) {
            throw piece.error("uniqueItems")
                    .problem("the keyword 'uniqueItems' is not supported")
                    .cure("Leave it away.")
                    .exception();
        }
    }

    /** The types that {@code type} names, and null where OpenAPI's {@code nullable} says so. */
    static EnumSet<Type> types(SchemaPiece piece) {
        JsonNode type = piece.node().get("type");
        EnumSet<Type> types = EnumSet.noneOf(Type.class);
        for (JsonNode name : type.isArray() ? type : List.of(type)) {
            switch (name.isString() ? name.stringValue() : "") {
                case "object" -> types.add(Type.OBJECT);
                case "array" -> types.add(Type.ARRAY);
                case "string" -> types.add(Type.STRING);
                case "integer" -> types.add(Type.INTEGER);
                case "number" -> types.addAll(EnumSet.of(Type.NUMBER, Type.INTEGER));
                case "boolean" -> types.add(Type.BOOLEAN);
                case "null" -> types.add(Type.NULL);
                default -> throw piece.error("type")
                        .problem("unknown type")
                        .expected("object, array, string, number, integer, boolean, null, or an array of them")
                        .found(JsonFile.shown(type))
                        .exception();
            }
        }
        if (piece.node().path("nullable").asBoolean(false)) {
            types.add(Type.NULL);
        }
        return types;
    }

    static Type typeOf(JsonNode value) {
        return switch (value.getNodeType()) {
            case OBJECT -> Type.OBJECT;
            case ARRAY -> Type.ARRAY;
            case STRING -> Type.STRING;
            case BOOLEAN -> Type.BOOLEAN;
            case NUMBER -> decimal(value).stripTrailingZeros().scale() <= 0 ? Type.INTEGER : Type.NUMBER;
            default -> Type.NULL;
        };
    }

    private static BigDecimal decimal(JsonNode number) {
        return number.isFloatingPointNumber() && !Double.isFinite(number.doubleValue())
                ? BigDecimal.ZERO
                : number.decimalValue();
    }

    /** The number that is the keyword's value, of a size that can be written out. */
    static BigDecimal number(SchemaPiece piece, String keyword) {
        JsonNode node = piece.node().get(keyword);
        if (!node.isNumber()) {
            throw piece.error(keyword).expected("a number").found(JsonFile.shown(node)).exception();
        }
        return checked(node, piece, keyword);
    }

    /** The value of a number. */
    static BigDecimal checked(JsonNode node, SchemaPiece piece, String keyword) {
        boolean finite = node.isBigDecimal() || !node.isFloatingPointNumber() || Double.isFinite(node.doubleValue());
        BigDecimal value = finite ? node.decimalValue() : BigDecimal.ZERO;
        if (!finite || value.precision() > MOST_DIGITS || Math.abs((long) value.scale()) > MOST_DIGITS) {
            throw piece.error(keyword)
                    .problem("a number is too large or too fine")
                    .expected("at most " + MOST_DIGITS + " digits")
                    .found(JsonFile.shown(node))
                    .exception();
        }
        return value.signum() == 0 ? BigDecimal.ZERO : value;
    }

    /** The count that is the keyword's value; a larger one than {@code most} becomes that. */
    static int count(SchemaPiece piece, String keyword, int most) {
        BigDecimal value = number(piece, keyword);
        if (value.signum() < 0 || value.stripTrailingZeros().scale() > 0) {
            throw piece.error(keyword)
                    .expected("a whole number from 0 on")
                    .found(JsonFile.shown(piece.node().get(keyword)))
                    .exception();
        }
        return value.min(BigDecimal.valueOf(most)).intValue();
    }

    static String string(SchemaPiece piece, String keyword) {
        JsonNode node = piece.node().get(keyword);
        if (!node.isString()) {
            throw piece.error(keyword).expected("a string").found(JsonFile.shown(node)).exception();
        }
        return node.stringValue();
    }

    static JsonNode object(SchemaPiece piece, String keyword) {
        JsonNode node = piece.node().get(keyword);
        if (!node.isObject()) {
            throw piece.error(keyword).expected("an object").found(JsonFile.shown(node)).exception();
        }
        return node;
    }

    static JsonNode array(SchemaPiece piece, String keyword) {
        JsonNode node = piece.node().get(keyword);
        if (!node.isArray()) {
            throw piece.error(keyword).expected("an array").found(JsonFile.shown(node)).exception();
        }
        return node;
    }

    static List<String> strings(SchemaPiece piece, String keyword) {
        List<String> strings = new ArrayList<>();
        for (JsonNode node : array(piece, keyword)) {
            if (!node.isString()) {
                throw piece.error(keyword).expected("strings").found(JsonFile.shown(node)).exception();
            }
            strings.add(node.stringValue());
        }
        return strings;
    }
}
