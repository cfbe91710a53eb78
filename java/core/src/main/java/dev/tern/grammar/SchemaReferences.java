package dev.tern.grammar;

import dev.tern.grammar.SchemaPiece.Kind;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** Follows {@code $ref} and {@code allOf}: takes schemas apart until each piece is simple. */
final class SchemaReferences {
    private final JsonNode root;
    private final Effort effort;

    SchemaReferences(JsonNode root, Effort effort) {
        this.root = root;
        this.effort = effort;
    }

    /**
     * All that has to be satisfied, in the order of the schemas; empty when one of them is {@code false}. True, and
     * what is there already, is left out.
     */
    Optional<List<SchemaPiece>> flatten(List<SchemaPiece> schemas) {
        List<SchemaPiece> flat = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        ArrayDeque<SchemaPiece> open = new ArrayDeque<>(schemas);
        while (!open.isEmpty()) {
            SchemaPiece piece = open.remove();
            effort.spend(1);
            if (!seen.add(piece.key())) {
                continue;
            }
            if (piece.kind() != Kind.WHOLE) {
                flat.add(piece);
                continue;
            }
            JsonNode node = piece.node();
            if (node.isBoolean()) {
                if (!node.booleanValue()) {
                    return Optional.empty();
                }
                continue;
            }
            if (!node.isObject()) {
                throw InputException.at(piece.where())
                        .expected("a schema: an object, true or false")
                        .found(JsonFile.shown(node))
                        .exception();
            }
            if (says(node)) {
                SchemaPiece keywords = new SchemaPiece(Kind.KEYWORDS, node, piece.pointer());
                if (seen.add(keywords.key())) {
                    flat.add(keywords);
                }
            }
            List<SchemaPiece> more = new ArrayList<>();
            if (node.has("$ref")) {
                more.add(target(piece));
            }
            for (int i = 0; node.has("allOf") && i < SchemaKeywords.array(piece, "allOf").size(); i++) {
                more.add(piece.child("allOf", i));
            }
            alternatives(piece, "anyOf", Kind.ANY_OF).ifPresent(more::add);
            alternatives(piece, "oneOf", Kind.ONE_OF).ifPresent(more::add);
            for (int i = more.size() - 1; i >= 0; i--) {
                open.addFirst(more.get(i));
            }
        }
        return Optional.of(flat);
    }

    /** Whether there is any keyword but those that combine schemas. */
    private static boolean says(JsonNode node) {
        return node.propertyNames().stream()
                .anyMatch(k -> !Set.of("$ref", "allOf", "anyOf", "oneOf", "$defs", "definitions").contains(k));
    }

    private static Optional<SchemaPiece> alternatives(SchemaPiece piece, String keyword, Kind kind) {
        if (!piece.node().has(keyword)) {
            return Optional.empty();
        }
        JsonNode alternatives = SchemaKeywords.array(piece, keyword);
        return Optional.of(new SchemaPiece(kind, alternatives, piece.pointer() + "/" + keyword));
    }

    private SchemaPiece target(SchemaPiece piece) {
        String reference = SchemaKeywords.string(piece, "$ref");
        if (!reference.equals("#") && !reference.startsWith("#/")) {
            throw piece.error("$ref")
                    .problem("only references within the schema are followed")
                    .expected("a JSON pointer such as #/$defs/name")
                    .found("'" + reference + "'")
                    .exception();
        }
        JsonNode node = root;
        StringBuilder pointer = new StringBuilder("#");
        String[] parts = reference.equals("#") ? new String[0] : decoded(piece, reference.substring(2)).split("/", -1);
        for (String part : parts) {
            String name = part.replace("~1", "/").replace("~0", "~");
            node = node.isArray() && part.matches("[0-9]{1,6}") ? node.path(Integer.parseInt(part)) : node.path(name);
            pointer.append('/').append(SchemaPiece.escaped(name));
        }
        if (node.isMissingNode()) {
            throw piece.error("$ref").problem("nothing stands at '" + reference + "'").exception();
        }
        return SchemaPiece.whole(node, pointer.toString());
    }

    private static String decoded(SchemaPiece piece, String fragment) {
        try {
            return URLDecoder.decode(fragment.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw piece.error("$ref").problem("no URI: " + e.getMessage()).exception(e);
        }
    }
}
