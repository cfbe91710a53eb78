package dev.tern.tools;

/**
 * A call of a tool.
 *
 * @param id by which the tool's answer refers to it: nine letters and digits, unless the model gave one
 * @param name the function's
 * @param arguments a JSON object, as the model wrote it
 */
public record ToolCall(String id, String name, String arguments) {}
