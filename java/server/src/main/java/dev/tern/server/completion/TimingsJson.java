package dev.tern.server.completion;

import dev.tern.server.json.Json;
import dev.tern.server.slots.CompletionTimings;
import tools.jackson.databind.node.ObjectNode;

/** What a completion has cost, as llama-server and OpenAI say it. */
public final class TimingsJson {
    private TimingsJson() {}

    /** llama-server's {@code timings}. */
    public static ObjectNode timings(CompletionTimings timings) {
        double promptMillis = timings.promptNanos() * 1e-6;
        double generationMillis = timings.generationNanos() * 1e-6;
        ObjectNode node = Json.object();
        node.put("cache_n", timings.cachedTokens());
        node.put("prompt_n", timings.promptTokens());
        node.put("prompt_ms", promptMillis);
        node.put("prompt_per_token_ms", ratio(promptMillis, timings.promptTokens()));
        node.put("prompt_per_second", ratio(1e3 * timings.promptTokens(), promptMillis));
        node.put("predicted_n", timings.generatedTokens());
        node.put("predicted_ms", generationMillis);
        // The first token comes of the prompt's pass, so its time is not in there.
        int later = Math.max(0, timings.generatedTokens() - 1);
        node.put("predicted_per_token_ms", ratio(generationMillis, later));
        node.put("predicted_per_second", ratio(1e3 * later, generationMillis));
        if (timings.draftedTokens() > 0) {
            node.put("draft_n", timings.draftedTokens());
            node.put("draft_n_accepted", timings.acceptedTokens());
        }
        return node;
    }

    /** OpenAI's {@code usage}: the completions of one prompt are many, the prompt is counted once. */
    public static ObjectNode usage(Iterable<Choice> choices) {
        int prompt = 0;
        int cached = 0;
        int generated = 0;
        int[] last = {};
        for (Choice choice : choices) {
            if (choice.prompt() != last) {
                last = choice.prompt();
                prompt += last.length;
                cached += choice.timings().cachedTokens();
            }
            generated += choice.count();
        }
        ObjectNode node = Json.object();
        node.put("prompt_tokens", prompt);
        node.put("completion_tokens", generated);
        node.put("total_tokens", prompt + generated);
        node.putObject("prompt_tokens_details").put("cached_tokens", cached);
        return node;
    }

    private static double ratio(double numerator, double denominator) {
        return denominator > 0 ? numerator / denominator : 0;
    }
}
