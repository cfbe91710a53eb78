package dev.tern.grammar;

import static dev.tern.grammar.Expression.sequence;

import dev.tern.grammar.Expression.Choice;
import dev.tern.grammar.Expression.Literal;
import dev.tern.grammar.Expression.Reference;
import dev.tern.grammar.Expression.Repeat;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * The rules of objects. Properties come in the order of the schema. Where a schema names properties and does not say
 * {@code additionalProperties}, it gets no others.
 */
final class ObjectSchema {
    private static final int MOST_PATTERNS = 4;

    private final JsonSchemaRules schema;
    private final SchemaShape shape;
    private final List<SchemaPiece> pieces;
    private final Set<String> names = new LinkedHashSet<>();
    private final Set<String> required = new LinkedHashSet<>();
    private final Map<String, Dfa> patterns = new LinkedHashMap<>();
    private int min;
    private int max = Integer.MAX_VALUE;

    ObjectSchema(JsonSchemaRules schema, SchemaShape shape) {
        this.schema = schema;
        this.shape = shape;
        this.pieces = shape.pieces();
        for (SchemaPiece piece : pieces) {
            JsonNode node = piece.node();
            if (node.has("properties")) {
                names.addAll(SchemaKeywords.object(piece, "properties").propertyNames());
            }
            // Draft 3 had a boolean in each property.
            if (node.has("required") && !node.get("required").isBoolean()) {
                required.addAll(SchemaKeywords.strings(piece, "required"));
            }
            if (node.has("patternProperties")) {
                for (String pattern : SchemaKeywords.object(piece, "patternProperties").propertyNames()) {
                    String where = SchemaPiece.where(piece.pointer() + "/patternProperties");
                    if (!patterns.containsKey(pattern)) {
                        patterns.put(pattern, Dfa.of(Regex.read(pattern, where), schema.effort.at(where)));
                    }
                }
            }
            min = Math.max(min, node.has("minProperties") ? count(piece, "minProperties") : 0);
            max = Math.min(max, node.has("maxProperties") ? count(piece, "maxProperties") : Integer.MAX_VALUE);
        }
        names.addAll(required);
    }

    private static int count(SchemaPiece piece, String keyword) {
        return SchemaKeywords.count(piece, keyword, Integer.MAX_VALUE);
    }

    Set<String> names() {
        return names;
    }

    Set<String> required() {
        return required;
    }

    /** Whether properties are written that no schema names. */
    boolean writesOthers() {
        return !patterns.isEmpty() || writesAny();
    }

    /** Whether properties are written that neither a name nor a pattern is for. */
    private boolean writesAny() {
        boolean named = pieces.stream().anyMatch(p -> p.node().has("properties") || p.node().has("patternProperties"));
        boolean said = pieces.stream().anyMatch(p -> p.node().has("additionalProperties"));
        return said || !named;
    }

    /** All that the value of a property has to satisfy. */
    List<SchemaPiece> valueOf(String name) {
        List<SchemaPiece> all = new ArrayList<>();
        for (SchemaPiece piece : pieces) {
            boolean known = false;
            if (piece.node().path("properties").has(name)) {
                all.add(piece.child("properties", name));
                known = true;
            }
            for (String pattern : piece.node().path("patternProperties").propertyNames()) {
                if (patterns.get(pattern).matches(name)) {
                    all.add(piece.child("patternProperties", pattern));
                    known = true;
                }
            }
            if (!known && piece.node().has("additionalProperties")) {
                all.add(piece.child("additionalProperties"));
            }
        }
        return all;
    }

    Expression expression() {
        if (names.isEmpty() && patterns.isEmpty() && min == 0 && max == Integer.MAX_VALUE
                && pieces.stream().noneMatch(p -> p.node().has("additionalProperties"))) {
            return schema.json.object();
        }
        if (max < required.size()) {
            return Expression.NOTHING;
        }
        if (min > Math.max(required.size(), 1)) {
            throw pieces.stream()
                    .filter(p -> p.node().has("minProperties"))
                    .findFirst()
                    .orElseThrow()
                    .error("minProperties")
                    .problem("'minProperties' is not supported beyond the number of required properties")
                    .expected("at most " + Math.max(required.size(), 1))
                    .found(min)
                    .cure("Name the properties in 'required'.")
                    .exception();
        }
        List<String> written = new ArrayList<>(names);
        for (int i = written.size() - 1; i >= 0 && written.size() > max; i--) {
            if (!required.contains(written.get(i))) {
                written.remove(i);
            }
        }
        int room = max == Integer.MAX_VALUE ? Repeat.UNBOUNDED : max - written.size();
        Expression other = room == 0 ? Expression.NOTHING : otherMember();
        return schema.json.braces(members(written, other, room));
    }

    /**
     * Rules that count through the properties: one for nothing written so far, and one for something, where a comma
     * stands before the next.
     */
    private Expression members(List<String> written, Expression other, int room) {
        Expression comma = schema.json.comma();
        Expression rest = new Repeat(sequence(comma, other), 0, room);
        List<Expression> ending = new ArrayList<>();
        if (min == 0 || !required.isEmpty()) {
            ending.add(Expression.EMPTY);
        }
        ending.add(sequence(other, room < 0 ? rest : new Repeat(sequence(comma, other), 0, Math.max(room - 1, 0))));
        String name = shape.where();
        Reference first = schema.rules.add(name, new Choice(ending));
        Reference later = schema.rules.add(name, rest);
        for (int i = written.size() - 1; i >= 0; i--) {
            Expression member = schema.json.member(
                    new Literal("\"" + JsonText.escaped(written.get(i)) + "\""),
                    schema.rule(valueOf(written.get(i)), true));
            List<Expression> begin = new ArrayList<>(List.of(sequence(member, later)));
            List<Expression> goOn = new ArrayList<>(List.of(sequence(comma, member, later)));
            if (!required.contains(written.get(i))) {
                begin.add(first);
                goOn.add(later);
            }
            first = schema.rules.add(name, new Choice(begin));
            later = schema.rules.add(name, new Choice(goOn));
        }
        return first;
    }

    /**
     * A property without a name in the schema: for each set of patterns that its key may match, the schemas for those.
     */
    private Expression otherMember() {
        if (patterns.size() > MOST_PATTERNS) {
            throw pieces.stream()
                    .filter(p -> p.node().has("patternProperties"))
                    .findFirst()
                    .orElseThrow()
                    .error("patternProperties")
                    .problem("too many patterns of property names")
                    .expected("at most " + MOST_PATTERNS)
                    .found(patterns.size())
                    .exception();
        }
        List<String> all = List.copyOf(patterns.keySet());
        List<Expression> alternatives = new ArrayList<>();
        for (int chosen = writesAny() ? 0 : 1; chosen < 1 << all.size(); chosen++) {
            List<SchemaPiece> value = new ArrayList<>();
            for (SchemaPiece piece : pieces) {
                boolean known = false;
                for (String pattern : piece.node().path("patternProperties").propertyNames()) {
                    if ((chosen >> all.indexOf(pattern) & 1) != 0) {
                        value.add(piece.child("patternProperties", pattern));
                        known = true;
                    }
                }
                if (!known && piece.node().has("additionalProperties")) {
                    value.add(piece.child("additionalProperties"));
                }
            }
            if (schema.references().flatten(value).isPresent()) {
                alternatives.add(schema.json.member(key(all, chosen), schema.rule(value, true)));
            }
        }
        return new Choice(alternatives);
    }

    /** The keys that match just these patterns and are no name of the schema. */
    private Expression key(List<String> all, int chosen) {
        if (all.isEmpty() && names.isEmpty()) {
            return schema.json.string();
        }
        Effort effort = schema.effort.at(shape.where());
        Dfa keys = Dfa.of(new Choice(names.stream().<Expression>map(Literal::new).toList()), effort).complement();
        for (int i = 0; i < all.size(); i++) {
            Dfa pattern = patterns.get(all.get(i));
            keys = keys.intersect((chosen >> i & 1) != 0 ? pattern : pattern.complement(), effort);
        }
        return JsonText.quoted(keys.toRules(schema.rules, schema.json, "other property of " + shape.where()));
    }
}
