package dev.tern.server.completion;

import dev.tern.sampling.TokenProbability;
import dev.tern.server.json.Json;
import dev.tern.tokenizer.Tokenizer;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** How likely tokens were, as llama-server and OpenAI say it. */
public final class ProbabilitiesJson {
    /** JSON has no infinity; nothing is less likely than this in practice. */
    private static final float LEAST = -9999;

    private final Tokenizer tokenizer;

    public ProbabilitiesJson(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * One element of {@code completion_probabilities}, or of {@code logprobs.content}.
     *
     * @param token the token itself, then the likeliest
     * @param afterSampling whether these are probabilities after the sampler's filters
     */
    public ObjectNode token(List<TokenProbability> token, boolean afterSampling) {
        ObjectNode node = one(token.getFirst(), afterSampling);
        ArrayNode top = node.putArray(afterSampling ? "top_probs" : "top_logprobs");
        token.stream().skip(1).forEach(other -> top.add(one(other, afterSampling)));
        return node;
    }

    public ArrayNode tokens(List<List<TokenProbability>> tokens, boolean afterSampling) {
        ArrayNode array = Json.array();
        tokens.forEach(token -> array.add(token(token, afterSampling)));
        return array;
    }

    private ObjectNode one(TokenProbability probability, boolean afterSampling) {
        byte[] bytes = TokenText.bytes(tokenizer, probability.id());
        ObjectNode node = Json.object();
        node.put("id", probability.id());
        node.put("token", TokenText.text(tokenizer, probability.id()));
        node.set("bytes", TokenText.array(bytes));
        if (afterSampling) {
            node.put("prob", (float) Math.exp(probability.logProbability()));
        } else {
            node.put("logprob", Math.max(LEAST, probability.logProbability()));
        }
        return node;
    }

    /**
     * {@code logprobs} of OpenAI's text completions, and {@code content} beside it as chats have it.
     *
     * @param offset where the text of the first token begins
     */
    public ObjectNode ofText(List<List<TokenProbability>> tokens, int offset) {
        ObjectNode node = Json.object();
        ArrayNode texts = node.putArray("tokens");
        ArrayNode logs = node.putArray("token_logprobs");
        ArrayNode tops = node.putArray("top_logprobs");
        ArrayNode offsets = node.putArray("text_offset");
        int at = offset;
        for (List<TokenProbability> token : tokens) {
            String text = TokenText.text(tokenizer, token.getFirst().id());
            texts.add(text);
            logs.add(Math.max(LEAST, token.getFirst().logProbability()));
            ObjectNode top = tops.addObject();
            token.stream()
                    .skip(1)
                    .forEach(other -> top.put(
                            TokenText.text(tokenizer, other.id()), Math.max(LEAST, other.logProbability())));
            offsets.add(at);
            at += text.length();
        }
        node.set("content", tokens(tokens, false));
        return node;
    }
}
