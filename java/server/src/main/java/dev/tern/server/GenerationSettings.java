package dev.tern.server;

import dev.tern.GenerationOptions;
import dev.tern.server.json.Json;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Options as llama-server shows them in {@code generation_settings} and {@code /props}. */
final class GenerationSettings {
    private GenerationSettings() {}

    static ObjectNode of(GenerationOptions options) {
        ObjectNode node = Json.object();
        node.put("n_predict", options.maxTokens());
        node.put("max_tokens", options.maxTokens());
        node.put("seed", options.seed().orElse(-1));
        node.put("temperature", options.temperature());
        node.put("top_k", options.topK());
        node.put("top_p", options.topP());
        node.put("min_p", options.minP());
        node.put("repeat_last_n", options.repeatLastN());
        node.put("repeat_penalty", options.repeatPenalty());
        ArrayNode stop = node.putArray("stop");
        options.stop().forEach(stop::add);
        node.put("ignore_eos", options.ignoreEos());
        return node;
    }
}
