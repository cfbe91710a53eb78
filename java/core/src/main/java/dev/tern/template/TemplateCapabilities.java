package dev.tern.template;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a chat template can render, found by rendering short conversations and looking for what they said.
 *
 * @param systemRole a system message appears
 * @param tools the descriptions of tools appear
 * @param toolCalls an assistant's calls of tools appear
 * @param parallelToolCalls so do several in one message
 * @param toolResponses what a tool answered appears
 * @param objectArguments a call's arguments may be an object; where not, they are to be a string of JSON
 * @param stringContent a message's content may be a string
 * @param typedContent it may be an array of parts
 * @param nullContent it may be null beside calls of tools
 * @param callsWithoutContent calls appear only where the content is null
 * @param shortCallIds calls' ids must have nine letters and digits, as Mistral's must
 * @param emptyTools where there are no tools, an empty list of them is wanted and not none
 * @param preservesReasoning {@code reasoning_content} of answers past appears
 * @param thinkingSwitch {@code enable_thinking} makes a difference
 * @param reasoningEffort {@code reasoning_effort} makes a difference
 * @param endOfTurn what stands behind an assistant's answer up to the end of its line; empty where nothing does. A text
 *     to stop at where the vocabulary knows no such token
 */
public record TemplateCapabilities(
        boolean systemRole,
        boolean tools,
        boolean toolCalls,
        boolean parallelToolCalls,
        boolean toolResponses,
        boolean objectArguments,
        boolean stringContent,
        boolean typedContent,
        boolean nullContent,
        boolean callsWithoutContent,
        boolean shortCallIds,
        boolean emptyTools,
        boolean preservesReasoning,
        boolean thinkingSwitch,
        boolean reasoningEffort,
        String endOfTurn) {

    /** Of this template, with these special tokens. Some twenty short renderings. */
    public static TemplateCapabilities of(ChatTemplate template, Map<String, String> specialTokens) {
        return new CapabilityProbe(template, specialTokens).capabilities();
    }

    /** Whether tools, and calls of them, are what the template has words for. */
    public boolean nativeTools() {
        return tools && toolCalls;
    }

    /** By the names that llama-server's {@code /props} has in {@code chat_template_caps}. */
    public Map<String, Boolean> asProperties() {
        Map<String, Boolean> caps = new LinkedHashMap<>();
        caps.put("supports_object_arguments", objectArguments);
        caps.put("supports_parallel_tool_calls", parallelToolCalls);
        caps.put("supports_preserve_reasoning", preservesReasoning);
        caps.put("supports_reasoning_effort", reasoningEffort);
        caps.put("supports_string_content", stringContent);
        caps.put("supports_system_role", systemRole);
        caps.put("supports_tool_calls", toolCalls);
        caps.put("supports_tool_responses", toolResponses);
        caps.put("supports_tools", tools);
        caps.put("supports_typed_content", typedContent);
        return caps;
    }
}
