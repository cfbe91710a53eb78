package dev.tern.server.json;

import dev.tern.io.JsonFile;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.util.RawValue;

/** JSON as it comes from and goes to clients. */
public final class Json {
    private static final int MAX_DEPTH = 200;
    private static final int MAX_STRING = 64 << 20;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxStringLength(MAX_STRING) // a request's size is limited where it is read
                            .build())
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Json() {}

    /**
     * Reads a request's body.
     *
     * @throws FieldException when it is not UTF-8 or not JSON; the message says where
     */
    public static JsonNode read(byte[] utf8) {
        requireUtf8(utf8);
        JsonNode node;
        try {
            node = MAPPER.readTree(utf8);
        } catch (JacksonException e) {
            String where =
                    e.getLocation() == null ? "" : " at " + e.getLocation().offsetDescription();
            throw new FieldException("", "the body is not valid JSON" + where + ": " + e.getOriginalMessage());
        }
        if (node == null || node.isMissingNode()) {
            throw new FieldException("", "the body is empty: expected a JSON object");
        }
        return node;
    }

    /** How many names and values there are in a text of JSON, about, found without memory; texts are looked over. */
    public static long values(byte[] utf8) {
        long values = 1;
        boolean inString = false;
        for (int i = 0; i < utf8.length; i++) {
            switch (utf8[i]) {
                case '"' -> inString = !inString;
                case '\\' -> i += inString ? 1 : 0;
                case '{', '[', ',', ':' -> values += inString ? 0 : 1;
                default -> {}
            }
        }
        return values;
    }

    private static void requireUtf8(byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(1 << 12);
        while (true) {
            CoderResult result = decoder.decode(in, out, true);
            if (result.isUnderflow()) {
                return;
            }
            if (result.isError()) {
                throw new FieldException("", "the body is not UTF-8: byte " + in.position() + " begins no character");
            }
            out.clear();
        }
    }

    /** An empty object. */
    public static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    /** An empty array. */
    public static ArrayNode array() {
        return JsonNodeFactory.instance.arrayNode();
    }

    /** An array of numbers. */
    public static ArrayNode array(int[] numbers) {
        ArrayNode array = array();
        for (int number : numbers) {
            array.add(number);
        }
        return array;
    }

    /** The value as UTF-8, without white space. */
    public static byte[] bytes(JsonNode node) {
        return MAPPER.writeValueAsBytes(node);
    }

    /** The value as text, without white space. */
    public static String text(JsonNode node) {
        return MAPPER.writeValueAsString(node);
    }

    /** A text as JSON has it, in quotation marks. */
    public static String text(String text) {
        return MAPPER.writeValueAsString(text);
    }

    /** A text of JSON that was checked, to be written as it stands. */
    public static JsonNode raw(String text) {
        return JsonNodeFactory.instance.rawValueNode(new RawValue(text));
    }

    /** A value as an error shows it. */
    public static String shown(@Nullable JsonNode node) {
        return JsonFile.shown(node);
    }
}
