package dev.tern.server.http;

/**
 * A whole answer.
 *
 * @param status such as 200
 * @param headers without length and connection, which the transport adds
 * @param body its bytes; not sent for HEAD
 */
public record Reply(int status, Headers headers, byte[] body) {}
