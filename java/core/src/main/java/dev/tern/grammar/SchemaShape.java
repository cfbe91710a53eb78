package dev.tern.grammar;

import static dev.tern.grammar.SchemaKeywords.count;
import static dev.tern.grammar.SchemaKeywords.number;
import static dev.tern.grammar.SchemaKeywords.string;

import dev.tern.grammar.SchemaKeywords.Type;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** What the keywords of some schemas say together, alternatives apart. Read once, then only asked. */
final class SchemaShape {
    private static final Set<String> OF_OBJECTS = Set.of(
            "properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties");
    private static final Set<String> OF_ARRAYS =
            Set.of("items", "prefixItems", "additionalItems", "minItems", "maxItems");
    private static final Set<String> OF_STRINGS = Set.of("minLength", "maxLength", "pattern", "format");
    private static final Set<String> OF_NUMBERS =
            Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf");

    private final List<SchemaPiece> pieces;
    private final Effort effort;
    private @Nullable EnumSet<Type> stated;
    private @Nullable List<JsonNode> listed;
    private StringSchema strings = StringSchema.ANY;
    private NumberBounds numbers = NumberBounds.NONE;
    private final EnumSet<Type> implied = EnumSet.noneOf(Type.class);

    /** @param pieces all of the kind {@link SchemaPiece.Kind#KEYWORDS} */
    SchemaShape(List<SchemaPiece> pieces, Effort effort) {
        this.pieces = List.copyOf(pieces);
        this.effort = effort;
        for (SchemaPiece piece : pieces) {
            SchemaKeywords.refuseUnsupported(piece);
            read(piece);
        }
        if (listed != null) {
            listed = listed.stream().filter(this::admits).toList();
        }
    }

    private void read(SchemaPiece piece) {
        JsonNode node = piece.node();
        if (node.has("type")) {
            EnumSet<Type> types = SchemaKeywords.types(piece);
            if (stated != null) {
                types.retainAll(stated);
            }
            stated = types;
        }
        if (node.has("const")) {
            list(List.of(node.get("const")), piece, "const");
        }
        if (node.has("enum")) {
            List<JsonNode> values = new ArrayList<>();
            SchemaKeywords.array(piece, "enum").forEach(values::add);
            list(values, piece, "enum");
        }
        node.propertyNames().forEach(keyword -> {
            if (OF_OBJECTS.contains(keyword)) {
                implied.add(Type.OBJECT);
            } else if (OF_ARRAYS.contains(keyword)) {
                implied.add(Type.ARRAY);
            } else if (OF_STRINGS.contains(keyword)) {
                implied.add(Type.STRING);
            } else if (OF_NUMBERS.contains(keyword)) {
                implied.addAll(EnumSet.of(Type.NUMBER, Type.INTEGER));
            }
        });
        readString(piece);
        readNumber(piece);
    }

    private void list(List<JsonNode> values, SchemaPiece piece, String keyword) {
        for (JsonNode value : values) {
            if (value.isNumber()) {
                SchemaKeywords.checked(value, piece, keyword);
            }
        }
        List<JsonNode> before = listed;
        listed = before == null
                ? values
                : before.stream().filter(v -> values.stream().anyMatch(w -> equal(v, w))).toList();
    }

    /** As JSON Schema compares: numbers by value. */
    static boolean equal(JsonNode a, JsonNode b) {
        return a.isNumber() && b.isNumber() ? a.decimalValue().compareTo(b.decimalValue()) == 0 : a.equals(b);
    }

    private void readString(SchemaPiece piece) {
        JsonNode node = piece.node();
        int min = node.has("minLength") ? count(piece, "minLength", Integer.MAX_VALUE) : 0;
        int max = node.has("maxLength") ? count(piece, "maxLength", Integer.MAX_VALUE) : Expression.Repeat.UNBOUNDED;
        List<Expression> patterns = new ArrayList<>();
        if (node.has("pattern")) {
            patterns.add(Regex.read(string(piece, "pattern"), SchemaPiece.where(piece.pointer() + "/pattern")));
        }
        if (node.has("format")) {
            String format = string(piece, "format");
            if (StringFormats.unsupported(format)) {
                throw piece.error("format")
                        .problem("the format '" + format + "' is not supported")
                        .cure("Leave it away, or write a pattern.")
                        .exception();
            }
            String pattern = StringFormats.pattern(format);
            if (pattern != null) {
                patterns.add(Regex.read(pattern, piece.where()));
            }
        }
        strings = strings.and(new StringSchema(min, max, patterns));
    }

    private void readNumber(SchemaPiece piece) {
        JsonNode node = piece.node();
        // In draft 4 exclusiveMinimum and exclusiveMaximum said how to read minimum and maximum.
        if (node.has("minimum")) {
            numbers = numbers.atLeast(number(piece, "minimum"), node.path("exclusiveMinimum").asBoolean(false));
        }
        if (node.has("maximum")) {
            numbers = numbers.atMost(number(piece, "maximum"), node.path("exclusiveMaximum").asBoolean(false));
        }
        if (node.has("exclusiveMinimum") && !node.get("exclusiveMinimum").isBoolean()) {
            numbers = numbers.atLeast(number(piece, "exclusiveMinimum"), true);
        }
        if (node.has("exclusiveMaximum") && !node.get("exclusiveMaximum").isBoolean()) {
            numbers = numbers.atMost(number(piece, "exclusiveMaximum"), true);
        }
        if (node.has("multipleOf")) {
            BigDecimal step = number(piece, "multipleOf");
            if (step.signum() <= 0) {
                throw piece.error("multipleOf").expected("a number above 0").found(step).exception();
            }
            numbers = numbers.multipleOf(step);
        }
    }

    List<SchemaPiece> pieces() {
        return pieces;
    }

    /** Where the first of the schemas stands. */
    String where() {
        return pieces.isEmpty() ? "schema" : pieces.getFirst().where();
    }

    /** The values that are allowed, where they are listed. */
    @Nullable List<JsonNode> listed() {
        return listed;
    }

    /** The types that values may have. */
    EnumSet<Type> allowed() {
        return stated == null ? EnumSet.allOf(Type.class) : stated;
    }

    /** The types of the values that are written: where no type is named, those that the other keywords are about. */
    EnumSet<Type> written() {
        return stated != null || implied.isEmpty() ? allowed() : implied;
    }

    StringSchema strings() {
        return strings;
    }

    NumberBounds numbers() {
        return numbers;
    }

    /** Whether a keyword of some type says more than the type. */
    boolean speaksOf(Type type) {
        return implied.contains(type);
    }

    /** Whether a value that is listed is allowed by the other keywords. */
    boolean admits(JsonNode value) {
        Type type = SchemaKeywords.typeOf(value);
        if (!allowed().contains(type)) {
            return false;
        }
        return switch (type) {
            case STRING -> strings.admits(value.stringValue(), effort.at(where()));
            case INTEGER, NUMBER -> numbers.admits(value.decimalValue());
            case OBJECT, ARRAY -> {
                if (speaksOf(type)) {
                    throw InputException.at(where())
                            .problem("a listed value is an object or array, and other keywords say more of it")
                            .found(JsonFile.shown(value))
                            .cure("Leave the other keywords away.")
                            .exception();
                }
                yield true;
            }
            case BOOLEAN, NULL -> true;
        };
    }
}
