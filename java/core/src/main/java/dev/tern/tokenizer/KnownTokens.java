package dev.tern.tokenizer;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Tokens known by their text, as llama.cpp knows them: no file of a checkpoint says which token ends a turn, or which
 * one a diffusion model fills in.
 */
final class KnownTokens {
    /** The first of these that a vocabulary has ends its turns. */
    private static final List<String> END_OF_TURN = List.of(
            "<|eot_id|>", "<|im_end|>", "<end_of_turn>", "<|end|>", "<turn|>", "<|eot|>", "<EOT>", "_<EOT>", "[EOT]",
            "<end_of_utterance>");

    private static final List<String> END_OF_MESSAGE = List.of("<|eom_id|>");

    /** These end a text, too. */
    private static final Set<String> END_OF_TEXT =
            Set.of("<|endoftext|>", "<|end_of_text|>", "<｜end▁of▁sentence｜>", "[EOS]", "<eos>", "</s>");

    /** Diffusion models name their mask in no file (Fast-dLLM: the first of these), or among additional tokens only. */
    private static final List<String> MASK = List.of("|<MASK>|", "<|MASK|>", "<|mask|>", "[MASK]", "<mask>");

    private KnownTokens() {}

    /**
     * Completes the parts by {@link SpecialToken#END_OF_TURN}, {@link SpecialToken#END_OF_MESSAGE} and, in diffusion
     * models, {@link SpecialToken#MASK}.
     */
    static Map<SpecialToken, Integer> completed(
            Map<SpecialToken, Integer> parts, List<String> tokens, List<TokenType> types) {
        Map<SpecialToken, Integer> completed = new EnumMap<>(SpecialToken.class);
        completed.putAll(parts);
        put(completed, SpecialToken.END_OF_TURN, END_OF_TURN, tokens, types);
        put(completed, SpecialToken.END_OF_MESSAGE, END_OF_MESSAGE, tokens, types);
        put(completed, SpecialToken.MASK, MASK, tokens, types);
        return completed;
    }

    private static void put(
            Map<SpecialToken, Integer> parts,
            SpecialToken part,
            List<String> names,
            List<String> tokens,
            List<TokenType> types) {
        int best = names.size();
        for (int id = 0; id < tokens.size() && !parts.containsKey(part); id++) {
            int rank = types.get(id).added() ? names.indexOf(tokens.get(id)) : -1;
            if (rank >= 0 && rank < best) {
                best = rank;
            }
        }
        if (best < names.size() && !parts.containsKey(part)) {
            parts.put(part, tokens.indexOf(names.get(best)));
        }
    }

    /** The end tokens that follow from parts and texts alone. */
    static SortedSet<Integer> of(Map<SpecialToken, Integer> parts, List<String> tokens, List<TokenType> types) {
        SortedSet<Integer> ends = new TreeSet<>();
        for (SpecialToken part : List.of(SpecialToken.EOS, SpecialToken.END_OF_TURN, SpecialToken.END_OF_MESSAGE)) {
            if (parts.containsKey(part)) {
                ends.add(parts.get(part));
            }
        }
        for (int id = 0; id < tokens.size(); id++) {
            if (types.get(id).added() && isEnd(tokens.get(id))) {
                ends.add(id);
            }
        }
        return ends;
    }

    private static boolean isEnd(String token) {
        return END_OF_TEXT.contains(token) || END_OF_TURN.contains(token) || END_OF_MESSAGE.contains(token);
    }
}
