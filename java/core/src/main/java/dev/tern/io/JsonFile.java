package dev.tern.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** JSON files that hold one object, read strictly: no trailing text, no duplicate keys. */
public final class JsonFile {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(tools.jackson.databind.DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private JsonFile() {}

    /**
     * Reads the file's one object.
     *
     * @throws InputException when the file is missing, unreadable, not JSON, or no object
     */
    public static ObjectNode read(Path file) {
        if (!Files.exists(file)) {
            throw InputException.at(file).problem("no such file").exception();
        }
        try {
            return parse(Files.readAllBytes(file), file);
        } catch (IOException e) {
            throw InputException.at(file).problem("cannot be read: " + e.getMessage()).exception(e);
        }
    }

    /** Parses one object; {@code where} names it in errors. */
    public static ObjectNode parse(byte[] utf8, Object where) {
        JsonNode node;
        try {
            node = MAPPER.readTree(utf8);
        } catch (JacksonException e) {
            throw InputException.at(where)
                    .problem("not valid JSON: " + e.getOriginalMessage())
                    .found("the error at " + e.getLocation().offsetDescription())
                    .exception(e);
        }
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw InputException.at(where).expected("a JSON object").found(node.getNodeType()).exception();
    }
}
