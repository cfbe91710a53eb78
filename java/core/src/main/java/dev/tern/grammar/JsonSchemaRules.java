package dev.tern.grammar;

import dev.tern.grammar.Expression.Choice;
import dev.tern.grammar.Expression.Literal;
import dev.tern.grammar.Expression.Reference;
import dev.tern.grammar.SchemaKeywords.Type;
import dev.tern.grammar.SchemaPiece.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/**
 * Makes rules of a JSON Schema, draft 4 to 2020-12. A rule is made of all the schemas that one value has to satisfy, so
 * {@code allOf} and keywords beside {@code $ref} are no more than several of them; each alternative of {@code anyOf}
 * joins the others. Not thread-safe.
 */
final class JsonSchemaRules {
    final RuleSet rules;
    final JsonText json;
    final Effort effort = new Effort();
    private final SchemaReferences references;
    private final SchemaDisjointness disjointness;
    private final Map<String, Reference> made = new HashMap<>();
    private final ArrayDeque<Runnable> pending = new ArrayDeque<>();

    private JsonSchemaRules(JsonNode schema, RuleSet rules) {
        this.rules = rules;
        json = new JsonText(rules);
        references = new SchemaReferences(schema, effort);
        disjointness = new SchemaDisjointness(this);
    }

    /** The rules of the schema; a text is what rule 0 of the result's root says. */
    static Rooted read(JsonNode schema) {
        RuleSet rules = new RuleSet("schema");
        return new Rooted(rules, addTo(rules, schema).rule());
    }

    /** Adds the rules of the schema to others; what is returned is one of its values. */
    static Reference addTo(RuleSet rules, JsonNode schema) {
        JsonSchemaRules made = new JsonSchemaRules(schema, rules);
        Reference root = made.rule(List.of(SchemaPiece.whole(schema, "#")));
        while (!made.pending.isEmpty()) {
            made.pending.remove().run();
        }
        return root;
    }

    /** Rules, and the one that a text follows. */
    record Rooted(RuleSet rules, int root) {}

    /** The rule of the values that satisfy all of the schemas; any value where there are none. */
    Expression rule(List<SchemaPiece> schemas, boolean any) {
        return schemas.isEmpty() && any ? json.value() : rule(schemas);
    }

    private Reference rule(List<SchemaPiece> schemas) {
        Optional<List<SchemaPiece>> flat = references.flatten(schemas);
        if (flat.isEmpty()) {
            return made.computeIfAbsent("", key -> rules.add("nothing", Expression.NOTHING));
        }
        List<SchemaPiece> pieces = flat.get();
        if (pieces.isEmpty()) {
            return json.value();
        }
        String key = pieces.stream().map(SchemaPiece::key).sorted().collect(Collectors.joining("\n"));
        Reference found = made.get(key);
        if (found == null) {
            effort.spend(key.length());
            found = new Reference(rules.declare(schemas.getFirst().pointer()));
            made.put(key, found);
            int number = found.rule();
            pending.add(() -> rules.define(number, body(pieces)));
        }
        return found;
    }

    private Expression body(List<SchemaPiece> pieces) {
        for (SchemaPiece piece : pieces) {
            if (piece.kind() != Kind.KEYWORDS) {
                List<SchemaPiece> others = new ArrayList<>(pieces);
                others.remove(piece);
                if (piece.kind() == Kind.ONE_OF) {
                    disjointness.require(piece, others);
                }
                List<Expression> alternatives = new ArrayList<>();
                for (int i = 0; i < piece.node().size(); i++) {
                    alternatives.add(rule(with(others, piece.alternative(i))));
                }
                return new Choice(alternatives);
            }
        }
        SchemaShape shape = new SchemaShape(pieces, effort);
        List<JsonNode> listed = shape.listed();
        if (listed != null) {
            return new Choice(listed.stream().<Expression>map(value -> new Literal(written(value))).toList());
        }
        return new Choice(shape.written().stream().map(type -> ofType(type, shape)).toList());
    }

    static List<SchemaPiece> with(List<SchemaPiece> pieces, SchemaPiece more) {
        List<SchemaPiece> all = new ArrayList<>(pieces);
        all.add(more);
        return all;
    }

    /** A value as JSON on one line, without blanks. */
    private static String written(JsonNode value) {
        return switch (value.getNodeType()) {
            case STRING -> "\"" + JsonText.escaped(value.stringValue()) + "\"";
            case ARRAY -> value.valueStream().map(JsonSchemaRules::written).collect(Collectors.joining(",", "[", "]"));
            case OBJECT -> value.propertyStream()
                    .map(p -> "\"" + JsonText.escaped(p.getKey()) + "\":" + written(p.getValue()))
                    .collect(Collectors.joining(",", "{", "}"));
            default -> value.toString();
        };
    }

    private Expression ofType(Type type, SchemaShape shape) {
        return switch (type) {
            case OBJECT -> new ObjectSchema(this, shape).expression();
            case ARRAY -> new ArraySchema(this, shape).expression();
            case STRING -> shape.strings().expression(rules, json, effort, shape.where());
            case NUMBER -> numbers(shape, false);
            case INTEGER -> shape.written().contains(Type.NUMBER) ? Expression.NOTHING : numbers(shape, true);
            case BOOLEAN -> JsonText.bool();
            case NULL -> new Literal("null");
        };
    }

    private Expression numbers(SchemaShape shape, boolean whole) {
        return new NumberSchema(rules, json, effort).numbers(shape.numbers(), whole, shape.where());
    }

    SchemaReferences references() {
        return references;
    }
}
