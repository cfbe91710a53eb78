package dev.tern.grammar;

import dev.tern.grammar.SchemaKeywords.Type;
import dev.tern.grammar.SchemaPiece.Kind;
import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Proves that no value that is written for one alternative of a {@code oneOf} satisfies another, as that would make it
 * satisfy neither. Where that cannot be proved, the schema is refused.
 */
final class SchemaDisjointness {
    private static final int MOST_SHAPES = 256;
    private static final int DEEPEST = 6;

    private final JsonSchemaRules schema;

    SchemaDisjointness(JsonSchemaRules schema) {
        this.schema = schema;
    }

    /** @throws InputException naming the two that may both be satisfied */
    void require(SchemaPiece oneOf, List<SchemaPiece> others) {
        for (int i = 0; i < oneOf.node().size(); i++) {
            for (int j = 0; j < i; j++) {
                List<SchemaPiece> first = JsonSchemaRules.with(others, oneOf.alternative(j));
                List<SchemaPiece> second = JsonSchemaRules.with(others, oneOf.alternative(i));
                if (!disjoint(first, second, 0)) {
                    throw InputException.at(oneOf.where())
                            .problem("a value may satisfy both alternatives " + j + " and " + i + " of 'oneOf'")
                            .cure("Write anyOf; or tell them apart by their types, or by a required property with"
                                    + " another const in each.")
                            .exception();
                }
            }
        }
    }

    private boolean disjoint(List<SchemaPiece> a, List<SchemaPiece> b, int depth) {
        List<SchemaShape> first = shapes(a);
        List<SchemaShape> second = shapes(b);
        if (first == null || second == null || depth == DEEPEST) {
            return false;
        }
        for (SchemaShape x : first) {
            for (SchemaShape y : second) {
                schema.effort.spend(100);
                if (!excludes(x, y, depth) || !excludes(y, x, depth)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** One for each way to choose among alternatives; null when there are too many, or one begins with itself. */
    private @Nullable List<SchemaShape> shapes(List<SchemaPiece> pieces) {
        List<SchemaShape> shapes = new ArrayList<>();
        List<List<SchemaPiece>> open = new ArrayList<>(List.of(pieces));
        for (int steps = 0; !open.isEmpty(); steps++) {
            Optional<List<SchemaPiece>> flat = schema.references().flatten(open.removeLast());
            if (flat.isEmpty()) {
                continue;
            }
            if (steps + open.size() > MOST_SHAPES) {
                return null;
            }
            Optional<SchemaPiece> choice =
                    flat.get().stream().filter(p -> p.kind() != Kind.KEYWORDS).findFirst();
            if (choice.isEmpty()) {
                shapes.add(new SchemaShape(flat.get(), schema.effort));
                continue;
            }
            List<SchemaPiece> others = new ArrayList<>(flat.get());
            others.remove(choice.get());
            for (int i = 0; i < choice.get().node().size(); i++) {
                open.add(JsonSchemaRules.with(others, choice.get().alternative(i)));
            }
        }
        return shapes;
    }

    /** Whether nothing that is written for a satisfies b. */
    private boolean excludes(SchemaShape a, SchemaShape b, int depth) {
        List<JsonNode> listed = a.listed();
        if (listed != null) {
            List<JsonNode> others = b.listed();
            return listed.stream().noneMatch(value -> others == null
                    ? mayAdmit(b, value)
                    : others.stream().anyMatch(other -> SchemaShape.equal(value, other)));
        }
        if (b.listed() != null) {
            return b.listed().stream().noneMatch(value -> mayAdmit(a, value));
        }
        return a.written().stream()
                .filter(type -> b.allowed().contains(type))
                .allMatch(type -> switch (type) {
                    case STRING -> a.strings().excludes(b.strings(), schema.effort.at(a.where()));
                    case INTEGER, NUMBER -> a.numbers().excludes(b.numbers());
                    case BOOLEAN, NULL -> false;
                    case ARRAY -> {
                        ArraySchema first = new ArraySchema(schema, a);
                        ArraySchema second = new ArraySchema(schema, b);
                        yield first.min() > second.max() || second.min() > first.max();
                    }
                    case OBJECT -> objectsExclude(new ObjectSchema(schema, a), new ObjectSchema(schema, b), depth);
                });
    }

    private static boolean mayAdmit(SchemaShape shape, JsonNode value) {
        Type type = SchemaKeywords.typeOf(value);
        boolean container = type == Type.OBJECT || type == Type.ARRAY;
        return shape.allowed().contains(type) && (container || shape.admits(value));
    }

    private boolean objectsExclude(ObjectSchema a, ObjectSchema b, int depth) {
        for (String name : b.required()) {
            if (!a.names().contains(name) && !a.writesOthers()) {
                return true;
            }
        }
        List<String> decisive = new ArrayList<>(a.required());
        decisive.addAll(b.required());
        return decisive.stream().distinct().anyMatch(name -> disjoint(a.valueOf(name), b.valueOf(name), depth + 1));
    }
}
