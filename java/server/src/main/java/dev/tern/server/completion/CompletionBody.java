package dev.tern.server.completion;

import dev.tern.GenerationOptions;
import dev.tern.sampling.TokenConstraint;
import dev.tern.server.api.ApiException;
import dev.tern.server.api.Call;
import dev.tern.server.json.Fields;
import dev.tern.server.slots.CompletionRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What llama-server's and OpenAI's requests for completions have in common.
 *
 * @param requests the completions asked for, those of one prompt together
 * @param stream whether the answer is to come as it is made
 * @param usage whether a stream ends with what it has cost
 * @param returnTokens whether token ids are wanted
 * @param timingsPerToken whether each part of a stream says what it has cost so far
 * @param pings time between comments in a silent stream
 */
public record CompletionBody(
        List<CompletionRequest> requests,
        boolean stream,
        boolean usage,
        boolean returnTokens,
        boolean timingsPerToken,
        Duration pings) {

    private static final Duration NEVER = Duration.ofDays(1);

    /** @param many the field that says how many completions of a prompt are wanted */
    public static CompletionBody read(Call call, Fields body, String many) {
        int most = call.options().maxChoices();
        long wanted = (long) Prompts.count(body, "prompt") * perPrompt(body, many, most);
        if (wanted > most) { // said before so many prompts are read
            throw ApiException.invalid("the request asks for " + wanted + " completions; this server gives at most "
                    + most + " at once");
        }
        return read(
                call,
                body,
                many,
                new Prompts(call.served()).read(body, "prompt"),
                List.of(),
                Set.of(),
                ResponseFormat.read(body).constraint(call.served().grammars()));
    }

    /**
     * @param prompts token ids, of each prompt
     * @param moreStops texts to stop at beside the request's own
     * @param shown special tokens whose text is wanted
     * @param constraint what the answers must follow
     */
    public static CompletionBody read(
            Call call,
            Fields body,
            String many,
            List<int[]> prompts,
            List<String> moreStops,
            Set<Integer> shown,
            Optional<Supplier<TokenConstraint>> constraint) {
        int perPrompt = perPrompt(body, many, call.options().maxChoices());
        SamplingReader sampling = new SamplingReader(call.served(), body);
        List<GenerationOptions> each = sampling.options(perPrompt, moreStops, shown, constraint);
        int slot = body.integer("id_slot", -1, call.served().completions().slots().size() - 1)
                .orElse(-1);
        int millis = body.integer("t_max_predict_ms", -1, Integer.MAX_VALUE).orElse(-1);
        Optional<Duration> limit = millis > 0 ? Optional.of(Duration.ofMillis(millis)) : Optional.empty();
        boolean stream = body.flag("stream", false);
        boolean progress = stream && body.flag("return_progress", false);
        boolean cached = body.flag("cache_prompt", true);
        List<CompletionRequest> requests = new ArrayList<>();
        for (int[] prompt : prompts) {
            for (GenerationOptions one : each) {
                requests.add(new CompletionRequest(
                        prompt,
                        one,
                        slot < 0 ? OptionalInt.empty() : OptionalInt.of(slot),
                        cached,
                        limit,
                        progress));
            }
        }
        boolean usage = body.object("stream_options")
                .map(options -> options.flag("include_usage", false))
                .orElse(false);
        int pings = body.integer("sse_ping_interval", -1, 3600).orElse(0);
        return new CompletionBody(
                requests,
                stream,
                usage,
                body.flag("return_tokens", false),
                body.flag("timings_per_token", false),
                pings == 0 ? call.options().pingInterval() : pings < 0 ? NEVER : Duration.ofSeconds(pings));
    }

    private static int perPrompt(Fields body, String many, int most) {
        return body.integer(many, 1, most).orElse(1);
    }
}
