package dev.tern.server.http;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a request line asks for, decoded.
 *
 * @param path begins with a slash; {@code *} of {@code OPTIONS *}
 * @param query parameters by name; of several with one name the first
 */
public record RequestTarget(String path, Map<String, String> query) {

    /** Reads the origin form, the absolute form (what proxies get) and the asterisk (RFC 9112, section 3.2). */
    static RequestTarget parse(String target) throws HttpException {
        if (target.equals("*")) {
            return new RequestTarget("*", Map.of());
        }
        String rest = target;
        if (!rest.startsWith("/")) {
            int scheme = rest.indexOf("://");
            if (scheme < 0) {
                throw new HttpException(400, "the request's target is no path");
            }
            int slash = rest.indexOf('/', scheme + 3);
            rest = slash < 0 ? "/" : rest.substring(slash);
        }
        if (rest.indexOf('#') >= 0) {
            throw new HttpException(400, "the request's target has a fragment");
        }
        int mark = rest.indexOf('?');
        String path = decode(mark < 0 ? rest : rest.substring(0, mark), false);
        return new RequestTarget(path, mark < 0 ? Map.of() : query(rest.substring(mark + 1)));
    }

    private static Map<String, String> query(String text) throws HttpException {
        Map<String, String> parameters = new LinkedHashMap<>();
        for (String pair : text.split("&")) {
            if (!pair.isEmpty()) {
                int equals = pair.indexOf('=');
                String name = decode(equals < 0 ? pair : pair.substring(0, equals), true);
                parameters.putIfAbsent(name, equals < 0 ? "" : decode(pair.substring(equals + 1), true));
            }
        }
        return parameters;
    }

    /** Percent-decoding to UTF-8; control characters are refused. */
    private static String decode(String text, boolean plusIsSpace) throws HttpException {
        byte[] bytes = new byte[text.length()];
        int length = 0;
        for (int i = 0; i < text.length(); i++) {
            int c = text.charAt(i);
            if (c == '%') {
                int high = i + 2 < text.length() ? Character.digit(text.charAt(i + 1), 16) : -1;
                int low = i + 2 < text.length() ? Character.digit(text.charAt(i + 2), 16) : -1;
                if (high < 0 || low < 0) {
                    throw new HttpException(400, "the request's target has a broken percent-encoding");
                }
                c = 16 * high + low;
                i += 2;
            } else if (c == '+' && plusIsSpace) {
                c = ' ';
            }
            if (c < ' ' || c == 0x7f) {
                throw new HttpException(400, "the request's target has a control character");
            }
            bytes[length++] = (byte) c;
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes, 0, length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new HttpException(400, "the request's target is not UTF-8");
        }
    }
}
