package dev.tern.grammar;

import dev.tern.io.InputException;
import tools.jackson.databind.JsonNode;

/**
 * A part of a JSON Schema that a value has to satisfy.
 *
 * @param kind how much of it is meant
 * @param node the schema; for {@link Kind#ANY_OF} and {@link Kind#ONE_OF} the array of its alternatives
 * @param pointer where it stands, as a JSON pointer in a fragment: {@code #/properties/a}
 */
record SchemaPiece(Kind kind, JsonNode node, String pointer) {
    enum Kind {
        /** All of the schema. */
        WHOLE,
        /** Its own keywords, without those that combine schemas. */
        KEYWORDS,
        /** One or more of its alternatives. */
        ANY_OF,
        /** One of its alternatives, and no other. */
        ONE_OF
    }

    static SchemaPiece whole(JsonNode node, String pointer) {
        return new SchemaPiece(Kind.WHOLE, node, pointer);
    }

    /** The schema that is the value of a keyword. */
    SchemaPiece child(String keyword) {
        return whole(node.get(keyword), pointer + "/" + escaped(keyword));
    }

    /** A schema in a keyword's object. */
    SchemaPiece child(String keyword, String name) {
        return whole(node.get(keyword).get(name), pointer + "/" + escaped(keyword) + "/" + escaped(name));
    }

    /** A schema in a keyword's array. */
    SchemaPiece child(String keyword, int index) {
        return whole(node.get(keyword).get(index), pointer + "/" + escaped(keyword) + "/" + index);
    }

    /** An alternative, of a piece that has them. */
    SchemaPiece alternative(int index) {
        return whole(node.get(index), pointer + "/" + index);
    }

    static String escaped(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }

    /** What is the same for equal pieces. */
    String key() {
        return kind + " " + pointer;
    }

    String where() {
        return where(pointer);
    }

    static String where(String pointer) {
        return "schema at " + (pointer.length() > 200 ? pointer.substring(0, 200) + "…" : pointer);
    }

    InputException.Builder error(String keyword) {
        return InputException.at(where(pointer + "/" + escaped(keyword)));
    }
}
