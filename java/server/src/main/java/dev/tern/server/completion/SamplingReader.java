package dev.tern.server.completion;

import dev.tern.EndTokens;
import dev.tern.GenerationOptions;
import dev.tern.sampling.Probabilities;
import dev.tern.sampling.SamplerStage;
import dev.tern.sampling.SamplingOptions;
import dev.tern.sampling.SamplingOptionsBuilder;
import dev.tern.sampling.TokenConstraint;
import dev.tern.server.api.ApiException;
import dev.tern.server.json.FieldException;
import dev.tern.server.json.Fields;
import dev.tern.server.served.Served;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleConsumer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/**
 * How to choose tokens and when to stop, as llama-server's and OpenAI's clients say it. What they do not say is as
 * llama-server has it.
 */
final class SamplingReader {
    private static final long LLAMA_RANDOM_SEED = 0xffff_ffffL; // -1 as llama-server's unsigned seeds have it
    private static final int MOST_PROBABILITIES = 1000;

    private final Served served;
    private final Fields body;
    private final long seed;

    SamplingReader(Served served, Fields body) {
        this.served = served;
        this.body = body;
        this.seed = seed().orElseGet(() -> ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE));
    }

    /**
     * The options of the completions of a prompt, which differ in their seeds, counted up from the request's.
     *
     * @param count how many they are
     * @param moreStops texts to stop at beside the request's own
     * @param shown special tokens whose text is wanted
     * @param constraint what the answer must follow
     */
    List<GenerationOptions> options(
            int count,
            List<String> moreStops,
            Set<Integer> shown,
            Optional<Supplier<TokenConstraint>> constraint) {
        GenerationOptions.Builder options = GenerationOptions.builder();
        String limit = body.firstOf("n_predict", "max_completion_tokens", "max_tokens");
        options.maxTokens(Math.max(-1, body.integer(limit, -2, Integer.MAX_VALUE).orElse(-1)));
        try {
            options.sampling(sampling());
        } catch (IllegalArgumentException e) {
            throw ApiException.invalid(String.valueOf(e.getMessage()));
        }
        List<String> stops = new ArrayList<>(body.texts("stop"));
        stops.addAll(moreStops);
        options.stop(stops.stream().filter(text -> !text.isEmpty()).toList());
        options.endTokens(body.flag("ignore_eos", false) ? EndTokens.BAN : EndTokens.STOP);
        options.shown(shown);
        constraint.ifPresent(options::constraint);
        return IntStream.range(0, count).mapToObj(i -> options.seed(seed + i).build()).toList();
    }

    private SamplingOptions sampling() {
        SamplingOptionsBuilder options = SamplingOptions.builder();
        number("temperature", value -> options.temperature(Math.max(0, value)));
        number("dynatemp_range", options::dynatempRange);
        number("dynatemp_exponent", options::dynatempExponent);
        integer("top_k", -1, value -> options.topK(Math.max(0, value)));
        number("top_p", value -> options.topP(share(value)));
        number("min_p", options::minP);
        number(body.firstOf("typical_p", "typ_p"), value -> options.typicalP(share(value)));
        number("top_n_sigma", options::topNSigma);
        integer("min_keep", 0, options::minKeep);
        number("repeat_penalty", options::repeatPenalty);
        number("presence_penalty", options::presencePenalty);
        number("frequency_penalty", options::frequencyPenalty);
        integer("repeat_last_n", -1, options::repeatLastN);
        number("dry_multiplier", options::dryMultiplier);
        number("dry_base", value -> options.dryBase(Math.max(1, value)));
        integer("dry_allowed_length", 0, options::dryAllowedLength);
        integer("dry_penalty_last_n", -1, options::dryPenaltyLastN);
        if (body.has("dry_sequence_breakers")) {
            options.drySequenceBreakers(body.texts("dry_sequence_breakers"));
        }
        number("xtc_probability", options::xtcProbability);
        number("xtc_threshold", options::xtcThreshold);
        integer("mirostat", 0, options::mirostat);
        number("mirostat_tau", options::mirostatTau);
        number("mirostat_eta", options::mirostatEta);
        if (body.has("logit_bias")) {
            options.logitBias(new LogitBias(served).read(body));
        }
        if (body.has("samplers")) {
            options.samplers(samplers());
        }
        return options.probabilities(probabilities()).build();
    }

    /** A share of the probability, of which 0 keeps as little as can be. */
    private static double share(double value) {
        return Math.clamp(value, Float.MIN_NORMAL, 1);
    }

    private void number(String name, DoubleConsumer setter) {
        body.number(name).ifPresent(setter::accept);
    }

    private void integer(String name, int min, IntConsumer setter) {
        body.integer(name, min, Integer.MAX_VALUE).ifPresent(setter);
    }

    private List<SamplerStage> samplers() {
        List<SamplerStage> stages = new ArrayList<>();
        for (JsonNode element : body.elements("samplers")) {
            String field = body.path("samplers[" + stages.size() + ']');
            try {
                stages.add(SamplerStage.of(element.asString("")));
            } catch (IllegalArgumentException e) {
                throw new FieldException(field, String.valueOf(e.getMessage()));
            }
        }
        return stages;
    }

    /**
     * {@code n_probs}; or OpenAI's {@code logprobs}, a number for texts and a switch for chats, which have
     * {@code top_logprobs} beside.
     */
    private Probabilities probabilities() {
        boolean after = body.flag("post_sampling_probs", false);
        int wanted = body.integer("n_probs", 0, MOST_PROBABILITIES).orElse(0);
        if (wanted > 0) {
            return new Probabilities(wanted, after);
        }
        int top = body.integer("top_logprobs", 0, MOST_PROBABILITIES).orElse(0);
        if (!body.value("logprobs").isNumber()) {
            return body.flag("logprobs", false) ? new Probabilities(top, after) : Probabilities.OFF;
        }
        return new Probabilities(body.integer("logprobs", 0, MOST_PROBABILITIES).orElse(0), after);
    }

    /** The request's; else one is drawn, which the answer tells, so that it can be had again. */
    private OptionalLong seed() {
        OptionalLong seed = body.wholeNumber("seed", Long.MIN_VALUE, Long.MAX_VALUE);
        boolean random = seed.isPresent() && (seed.getAsLong() == -1 || seed.getAsLong() == LLAMA_RANDOM_SEED);
        return random ? OptionalLong.empty() : seed;
    }
}
