package dev.tern.server.completion;

import dev.tern.grammar.Grammar;
import dev.tern.grammar.Part;
import dev.tern.sampling.TokenConstraint;
import dev.tern.server.json.FieldException;
import dev.tern.server.json.Fields;
import dev.tern.server.json.Json;
import dev.tern.server.served.Grammars;
import java.util.Optional;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/**
 * What an answer must follow: llama-server's {@code grammar} and {@code json_schema}, OpenAI's
 * {@code response_format}.
 */
public sealed interface ResponseFormat {
    /** Whatever the model says. */
    record Free() implements ResponseFormat {}

    /** Any JSON object. */
    record AnyObject() implements ResponseFormat {}

    /** JSON by a schema. */
    record Schema(JsonNode schema) implements ResponseFormat {}

    /** A text by a grammar in GBNF. */
    record Gbnf(String grammar) implements ResponseFormat {}

    static ResponseFormat read(Fields body) {
        Optional<String> grammar = body.text("grammar").filter(text -> !text.isBlank());
        if (grammar.isPresent()) {
            if (body.has("json_schema")) {
                throw new FieldException("grammar", "either a grammar or a json_schema, not both");
            }
            return new Gbnf(grammar.get());
        }
        if (body.has("json_schema")) {
            return new Schema(schema(body, "json_schema"));
        }
        return body.object("response_format").map(ResponseFormat::openAi).orElse(new Free());
    }

    private static ResponseFormat openAi(Fields format) {
        String type = format.requiredText("type");
        return switch (type) {
            case "text" -> new Free();
            case "json_object" -> format.has("schema") ? new Schema(schema(format, "schema")) : new AnyObject();
            case "json_schema" -> {
                Optional<Fields> wrapped = format.object("json_schema");
                if (wrapped.isPresent()) {
                    yield new Schema(schema(wrapped.get(), "schema"));
                }
                yield new Schema(schema(format, "schema"));
            }
            default -> throw format.wrong("type", "text, json_object or json_schema");
        };
    }

    private static JsonNode schema(Fields fields, String name) {
        JsonNode schema = fields.value(name);
        if (!schema.isObject() && !schema.isBoolean()) {
            throw fields.wrong(name, "a JSON Schema");
        }
        return schema;
    }

    /** The grammar of such answers; empty where there is none. */
    default Optional<Supplier<TokenConstraint>> constraint(Grammars grammars) {
        return switch (this) {
            case Free free -> Optional.empty();
            case AnyObject any -> Optional.of(grammars.constraint("object", Grammar::json));
            case Schema json ->
                Optional.of(grammars.constraint(
                        "schema " + Json.text(json.schema()), () -> Grammar.ofJsonSchema(json.schema())));
            case Gbnf gbnf ->
                Optional.of(grammars.constraint("gbnf " + gbnf.grammar(), () -> Grammar.parse(gbnf.grammar())));
        };
    }

    /** Such answers as a part of others; empty where anything goes, or where a grammar is a whole of its own. */
    default Optional<Part> part() {
        return switch (this) {
            case Free free -> Optional.empty();
            case AnyObject any -> Optional.of(new Part.Json(Json.object().put("type", "object")));
            case Schema json -> Optional.of(new Part.Json(json.schema()));
            case Gbnf gbnf -> Optional.empty();
        };
    }
}
