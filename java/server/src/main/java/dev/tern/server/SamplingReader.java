package dev.tern.server;

import dev.tern.GenerationOptions;
import dev.tern.server.json.Fields;
import java.util.List;
import java.util.OptionalLong;

/**
 * How to choose tokens and when to stop, as llama-server's and OpenAI's clients say it. What they do not say is as
 * llama-server has it.
 */
final class SamplingReader {
    private static final long LLAMA_RANDOM_SEED = 0xffff_ffffL; // -1 as llama-server's unsigned seeds have it

    private final Fields body;

    SamplingReader(Fields body) {
        this.body = body;
    }

    /**
     * The options of one of several completions of a prompt.
     *
     * @param index which of them; each has a seed of its own, counted up from the request's
     */
    GenerationOptions options(int index) {
        GenerationOptions.Builder options = GenerationOptions.builder();
        String limit = body.firstOf("n_predict", "max_completion_tokens", "max_tokens", "max_output_tokens");
        int max = body.integer(limit, -2, Integer.MAX_VALUE).orElse(-1);
        options.maxTokens(Math.max(-1, max));
        body.number("temperature").ifPresent(value -> options.temperature(Math.max(0, value)));
        body.integer("top_k", -1, Integer.MAX_VALUE).ifPresent(value -> options.topK(Math.max(0, value)));
        body.number("top_p").ifPresent(value -> options.topP(Math.clamp(value, Float.MIN_NORMAL, 1)));
        body.number("min_p").ifPresent(options::minP);
        body.number("repeat_penalty").ifPresent(options::repeatPenalty);
        body.integer("repeat_last_n", -1, Integer.MAX_VALUE).ifPresent(options::repeatLastN);
        seed().ifPresent(value -> options.seed(value + index));
        options.stop(stop());
        options.ignoreEos(body.flag("ignore_eos", false));
        try {
            return options.build();
        } catch (IllegalArgumentException e) {
            throw ApiException.invalid(String.valueOf(e.getMessage()));
        }
    }

    private OptionalLong seed() {
        OptionalLong seed = body.wholeNumber("seed", Long.MIN_VALUE, Long.MAX_VALUE);
        boolean random = seed.isPresent() && (seed.getAsLong() == -1 || seed.getAsLong() == LLAMA_RANDOM_SEED);
        return random ? OptionalLong.empty() : seed;
    }

    private List<String> stop() {
        return body.texts(body.firstOf("stop", "stop_sequences")).stream()
                .filter(text -> !text.isEmpty())
                .toList();
    }
}
