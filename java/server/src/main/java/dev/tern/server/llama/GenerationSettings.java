package dev.tern.server.llama;

import dev.tern.EndTokens;
import dev.tern.GenerationOptions;
import dev.tern.sampling.SamplingOptions;
import dev.tern.server.json.Json;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Options as llama-server shows them in {@code generation_settings} and {@code /props}. */
final class GenerationSettings {
    private GenerationSettings() {}

    static ObjectNode of(GenerationOptions options) {
        SamplingOptions sampling = options.sampling();
        ObjectNode node = Json.object();
        node.put("n_predict", options.maxTokens());
        node.put("max_tokens", options.maxTokens());
        node.put("seed", options.seed().orElse(-1));
        node.put("temperature", sampling.temperature().value());
        node.put("dynatemp_range", sampling.temperature().range());
        node.put("dynatemp_exponent", sampling.temperature().exponent());
        node.put("top_k", sampling.truncation().topK());
        node.put("top_p", sampling.truncation().topP());
        node.put("min_p", sampling.truncation().minP());
        node.put("typical_p", sampling.truncation().typicalP());
        node.put("top_n_sigma", sampling.truncation().topNSigma());
        node.put("min_keep", sampling.truncation().minKeep());
        node.put("repeat_last_n", sampling.penalties().lastN());
        node.put("repeat_penalty", sampling.penalties().repeat());
        node.put("presence_penalty", sampling.penalties().presence());
        node.put("frequency_penalty", sampling.penalties().frequency());
        node.put("dry_multiplier", sampling.dry().multiplier());
        node.put("dry_base", sampling.dry().base());
        node.put("dry_allowed_length", sampling.dry().allowedLength());
        node.put("dry_penalty_last_n", sampling.dry().lastN());
        ArrayNode breakers = node.putArray("dry_sequence_breakers");
        sampling.dry().sequenceBreakers().forEach(breakers::add);
        node.put("xtc_probability", sampling.xtc().probability());
        node.put("xtc_threshold", sampling.xtc().threshold());
        node.put("mirostat", sampling.mirostat().version());
        node.put("mirostat_tau", sampling.mirostat().tau());
        node.put("mirostat_eta", sampling.mirostat().eta());
        ArrayNode stop = node.putArray("stop");
        options.stop().forEach(stop::add);
        node.put("ignore_eos", options.endTokens() == EndTokens.BAN);
        node.put("n_probs", Math.max(0, sampling.probabilities().count()));
        node.put("post_sampling_probs", sampling.probabilities().afterSampling());
        ArrayNode samplers = node.putArray("samplers");
        sampling.samplers().forEach(stage -> samplers.add(stage.label()));
        node.put("speculative.n_max", options.draft().maxTokens());
        return node;
    }
}
