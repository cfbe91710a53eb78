package dev.tern.grammar;

import java.util.List;
import tools.jackson.databind.JsonNode;

/** What a text is put together from: literals, with JSON between them. For {@link Grammar#of}. */
public sealed interface Part {
    /** This text. */
    record Text(String text) implements Part {}

    /** JSON that satisfies a schema, as {@link Grammar#ofJsonSchema}; references in it are into this schema. */
    record Json(JsonNode schema) implements Part {}

    /** All, one after the other. */
    record Sequence(List<Part> parts) implements Part {
        public Sequence {
            parts = List.copyOf(parts);
        }
    }

    /** One of them. */
    record OneOf(List<Part> alternatives) implements Part {
        public OneOf {
            alternatives = List.copyOf(alternatives);
        }
    }

    /** Once or more often, with a text between. */
    record Repeated(Part part, String separator) implements Part {}
}
