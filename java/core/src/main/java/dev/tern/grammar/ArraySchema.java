package dev.tern.grammar;

import dev.tern.grammar.Expression.Repeat;
import dev.tern.grammar.Expression.Sequence;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * The rules of arrays. A tuple ({@code prefixItems}, or {@code items} as an array) is written whole where it may be,
 * and nothing behind it unless {@code items} is said or more are demanded.
 */
final class ArraySchema {
    private static final int LONGEST = 16_384;

    private final JsonSchemaRules schema;
    private final List<SchemaPiece> pieces;
    private final int prefix;
    private final int min;
    private final int max;

    ArraySchema(JsonSchemaRules schema, SchemaShape shape) {
        this.schema = schema;
        this.pieces = shape.pieces();
        int longest = 0;
        int least = 0;
        int most = Integer.MAX_VALUE;
        for (SchemaPiece piece : pieces) {
            longest = Math.max(longest, tuple(piece).size());
            if (piece.node().has("minItems")) {
                least = Math.max(least, SchemaKeywords.count(piece, "minItems", Integer.MAX_VALUE));
                if (least > LONGEST) {
                    throw piece.error("minItems")
                            .problem("'minItems' is too large")
                            .expected("at most " + LONGEST)
                            .exception();
                }
            }
            if (piece.node().has("maxItems")) {
                most = Math.min(most, SchemaKeywords.count(piece, "maxItems", Integer.MAX_VALUE));
            }
            if (piece.node().path("uniqueItems").asBoolean(false)) {
                most = Math.min(most, 1);
            }
        }
        prefix = longest;
        min = least;
        max = most;
    }

    int min() {
        return min;
    }

    int max() {
        return max;
    }

    /** The keyword that has a tuple's schemas; an absent array where there is none. */
    private static JsonNode tuple(SchemaPiece piece) {
        String keyword = tupleKeyword(piece);
        return piece.node().has(keyword) ? SchemaKeywords.array(piece, keyword) : piece.node().path(keyword);
    }

    /** Until 2019-09 a tuple was the value of items, and additionalItems was for what follows. */
    private static String tupleKeyword(SchemaPiece piece) {
        return piece.node().path("items").isArray() ? "items" : "prefixItems";
    }

    private static String restKeyword(SchemaPiece piece) {
        return piece.node().path("items").isArray() ? "additionalItems" : "items";
    }

    /** All that the element at an index has to satisfy. */
    private List<SchemaPiece> elementAt(int index) {
        List<SchemaPiece> all = new ArrayList<>();
        for (SchemaPiece piece : pieces) {
            if (index < tuple(piece).size()) {
                all.add(piece.child(tupleKeyword(piece), index));
            } else if (piece.node().has(restKeyword(piece))) {
                all.add(piece.child(restKeyword(piece)));
            }
        }
        return all;
    }

    Expression expression() {
        int most = max;
        for (int i = 0; i <= prefix; i++) {
            if (schema.references().flatten(elementAt(i)).isEmpty()) {
                most = Math.min(most, i);
            }
        }
        boolean closed = prefix > 0 && pieces.stream().noneMatch(p -> p.node().has(restKeyword(p)));
        if (closed) {
            most = Math.min(most, Math.max(prefix, min));
        }
        if (min > most) {
            return Expression.NOTHING;
        }
        if (prefix == 0) {
            int bound = most == Integer.MAX_VALUE ? Repeat.UNBOUNDED : Math.min(most, LONGEST);
            return most == 0
                    ? schema.json.brackets(Expression.EMPTY)
                    : schema.json.array(schema.rule(elementAt(0), true), min, bound);
        }
        int whole = Math.min(prefix, most);
        List<Expression> parts = new ArrayList<>();
        for (int i = 0; i < whole; i++) {
            if (i > 0) {
                parts.add(schema.json.comma());
            }
            parts.add(schema.rule(elementAt(i), true));
        }
        if (most > whole) {
            Expression more = Expression.sequence(schema.json.comma(), schema.rule(elementAt(prefix), true));
            int bound = most == Integer.MAX_VALUE ? Repeat.UNBOUNDED : Math.min(most, LONGEST + prefix) - prefix;
            parts.add(new Repeat(more, Math.max(min - prefix, 0), bound));
        }
        return schema.json.brackets(new Sequence(parts));
    }
}
