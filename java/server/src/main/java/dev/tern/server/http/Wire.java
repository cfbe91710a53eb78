package dev.tern.server.http;

import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Answers as they are sent. */
final class Wire {
    static final byte[] CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US);

    private Wire() {}

    /** An answer with its length. */
    static byte[] whole(Reply reply, RequestHead head, boolean keepAlive) {
        return whole(reply, head.method().equals("HEAD"), keepAlive);
    }

    static byte[] whole(Reply reply, boolean withoutBody, boolean keepAlive) {
        StringBuilder text = start(reply.status(), reply.headers(), keepAlive);
        if (reply.status() != 204 && reply.status() != 304) {
            text.append("Content-Length: ").append(reply.body().length).append("\r\n");
        }
        byte[] head = bytes(text.append("\r\n"));
        int body = withoutBody || reply.status() == 204 || reply.status() == 304 ? 0 : reply.body().length;
        byte[] all = new byte[head.length + body];
        System.arraycopy(head, 0, all, 0, head.length);
        System.arraycopy(reply.body(), 0, all, head.length, body);
        return all;
    }

    /** The head of an answer that comes in pieces. */
    static byte[] head(int status, Headers headers, RequestHead request, boolean keepAlive) {
        StringBuilder text = start(status, headers, keepAlive);
        if (request.http11()) {
            text.append("Transfer-Encoding: chunked\r\n");
        }
        return bytes(text.append("\r\n"));
    }

    private static StringBuilder start(int status, Headers headers, boolean keepAlive) {
        StringBuilder text = new StringBuilder(256);
        text.append("HTTP/1.1 ").append(status).append(' ').append(reason(status)).append("\r\n");
        text.append("Date: ")
                .append(date(ZonedDateTime.now(ZoneOffset.UTC)))
                .append("\r\n");
        headers.forEach((name, value) -> {
            if ((name + value).chars().anyMatch(c -> c == '\r' || c == '\n' || c > 0xff)) {
                throw new IllegalArgumentException("a header that cannot be sent: " + name);
            }
            text.append(name).append(": ").append(value).append("\r\n");
        });
        if (!keepAlive) {
            text.append("Connection: close\r\n");
        }
        return text;
    }

    /** As RFC 9110 has it, with two digits for the day, of which Java's RFC 1123 has one where it can. */
    static String date(ZonedDateTime utc) {
        return DATE.format(utc);
    }

    private static byte[] bytes(CharSequence text) {
        return text.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String reason(int status) {
        return switch (status) {
            case 200 -> "OK";
            case 204 -> "No Content";
            case 304 -> "Not Modified";
            case 400 -> "Bad Request";
            case 401 -> "Unauthorized";
            case 403 -> "Forbidden";
            case 404 -> "Not Found";
            case 405 -> "Method Not Allowed";
            case 408 -> "Request Timeout";
            case 413 -> "Content Too Large";
            case 414 -> "URI Too Long";
            case 417 -> "Expectation Failed";
            case 429 -> "Too Many Requests";
            case 431 -> "Request Header Fields Too Large";
            case 500 -> "Internal Server Error";
            case 501 -> "Not Implemented";
            case 503 -> "Service Unavailable";
            case 505 -> "HTTP Version Not Supported";
            default -> "Status";
        };
    }
}
