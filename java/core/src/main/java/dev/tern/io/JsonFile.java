package dev.tern.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** JSON files that hold one object, read strictly: no trailing text, no duplicate keys, no exhausting size. */
public final class JsonFile {
    /** Three times the largest tokenizer.json in use. */
    private static final long MAX_BYTES = 100_000_000;

    private static final int SHOWN_AT_MOST = 120;

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private JsonFile() {}

    /**
     * Reads the file's one object.
     *
     * @throws InputException when the file is missing, unreadable, too large, not JSON, or no object
     */
    public static ObjectNode read(Path file) {
        if (!Files.exists(file)) {
            throw InputException.at(file).problem("no such file").exception();
        }
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw InputException.at(file)
                        .problem("too large for a JSON file of a model")
                        .expected("at most " + MAX_BYTES + " bytes")
                        .found(Files.size(file))
                        .exception();
            }
            return parse(Files.readAllBytes(file), file);
        } catch (IOException e) {
            throw InputException.at(file).problem("cannot be read", e).exception(e);
        }
    }

    /** Parses one object; {@code where} names it in errors. */
    public static ObjectNode parse(byte[] utf8, Object where) {
        JsonNode node;
        try {
            node = MAPPER.readTree(utf8);
        } catch (JacksonException e) {
            InputException.Builder error =
                    InputException.at(where).problem("not valid JSON: " + e.getOriginalMessage());
            if (e.getLocation() != null) { // the parser's own limits have none
                error.found("the error at " + e.getLocation().offsetDescription());
            }
            throw error.exception(e);
        }
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw InputException.at(where).expected("a JSON object").found(node.getNodeType()).exception();
    }

    /** A value as an error shows it: cut where it is long, "nothing" where it is absent. */
    public static String shown(@Nullable JsonNode node) {
        if (node == null || node.isMissingNode()) {
            return "nothing";
        }
        if (node.isContainer() && node.size() > SHOWN_AT_MOST) {
            return (node.isArray() ? "an array of " : "an object of ") + node.size();
        }
        String text = node.toString();
        return text.length() <= SHOWN_AT_MOST ? text : text.substring(0, SHOWN_AT_MOST) + " …";
    }
}
