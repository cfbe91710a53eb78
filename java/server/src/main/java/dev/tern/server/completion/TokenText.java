package dev.tern.server.completion;

import dev.tern.server.json.Json;
import dev.tern.tokenizer.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;

/** Single tokens as texts and bytes. */
public final class TokenText {
    private TokenText() {}

    /** The token's bytes: a special token's are what it is spelled with. */
    public static byte[] bytes(Tokenizer tokenizer, int id) {
        return tokenizer.bytes(id);
    }

    /** The token's text, with U+FFFD for what is no character. */
    static String text(Tokenizer tokenizer, int id) {
        return new String(bytes(tokenizer, id), StandardCharsets.UTF_8);
    }

    /** Bytes as a text; null when they are not UTF-8, as parts of a character are not. */
    public static @Nullable String strict(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    /** Bytes as an array of numbers from 0 to 255. */
    public static ArrayNode array(byte[] bytes) {
        ArrayNode array = Json.array();
        for (byte b : bytes) {
            array.add(b & 0xff);
        }
        return array;
    }
}
