package dev.tern.server.llama;

import dev.tern.server.json.Json;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** llama-server's {@code response_fields}: the fields a client wants; {@code a/b} brings b to the top. */
final class ResponseFields {
    private ResponseFields() {}

    /** The wanted fields of an answer; all where none is named. Those that are not there are left out. */
    static ObjectNode select(ObjectNode answer, List<String> fields) {
        if (fields.isEmpty()) {
            return answer;
        }
        ObjectNode selected = Json.object();
        for (String field : fields) {
            JsonNode value = answer;
            String name = field;
            for (String part : field.split("/")) {
                value = value.path(part);
                name = part;
            }
            if (!value.isMissingNode()) {
                selected.set(name, value);
            }
        }
        return selected;
    }
}
