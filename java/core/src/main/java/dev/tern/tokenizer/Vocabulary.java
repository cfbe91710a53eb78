package dev.tern.tokenizer;

import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufStrings;
import dev.tern.gguf.GgufValue;
import dev.tern.io.InputException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A vocabulary, whatever file it came from: what {@link Tokenizer} needs, and what a GGUF file holds.
 * Immutable. Two are equal when all but {@code origin} and {@code notes} is.
 *
 * @param tokens by id, one for each row of the embedding; pieces of byte-level models spelled in GPT-2's byte
 *     alphabet, of others with U+2581 for a space
 * @param types by id
 * @param model how words become tokens
 * @param pipeline how text becomes words, and tokens text
 * @param addedFlags of the added tokens that have any
 * @param specialIds the tokens that play a part
 * @param endIds tokens after which a model has nothing more to say
 * @param addBos whether {@link SpecialToken#BOS} goes in front of a text
 * @param addEos whether {@link SpecialToken#EOS} goes behind it
 * @param chatTemplate Jinja source
 * @param origin the file or folder, for errors
 * @param notes what had to be assumed while reading, for people
 */
public record Vocabulary(
        List<String> tokens,
        List<TokenType> types,
        SubwordModel model,
        TextPipeline pipeline,
        SortedMap<Integer, Set<AddedTokenFlag>> addedFlags,
        Map<SpecialToken, Integer> specialIds,
        SortedSet<Integer> endIds,
        boolean addBos,
        boolean addEos,
        Optional<String> chatTemplate,
        String origin,
        List<String> notes) {

    /** More rows than any vocabulary has; a larger number in a file is a mistake or an attack. */
    static final int MAX_SIZE = 1 << 21;

    /** @throws InputException when the parts contradict each other: sizes, duplicates, ids that no token has */
    public Vocabulary {
        tokens = GgufStrings.copyOf(tokens);
        types = List.copyOf(types);
        addedFlags = Collections.unmodifiableSortedMap(new TreeMap<>(addedFlags));
        specialIds = Map.copyOf(specialIds);
        endIds = Collections.unmodifiableSortedSet(new TreeSet<>(endIds));
        notes = List.copyOf(notes);
        if (tokens.isEmpty() || tokens.size() > MAX_SIZE) {
            throw InputException.at(origin)
                    .problem("the vocabulary's size is out of range")
                    .expected("1 to " + MAX_SIZE)
                    .found(tokens.size())
                    .exception();
        }
        if (types.size() != tokens.size()) {
            throw InputException.at(origin)
                    .problem("each token needs a type")
                    .expected(tokens.size() + " types")
                    .found(types.size())
                    .exception();
        }
        int scores = switch (model) {
            case SubwordModel.BytePairs pairs -> tokens.size();
            case SubwordModel.CharacterPairs pairs -> pairs.scores().size();
            case SubwordModel.Unigram unigram -> unigram.scores().size();
        };
        if (scores != tokens.size()) {
            throw InputException.at(origin)
                    .problem("each token needs a score")
                    .expected(tokens.size() + " scores")
                    .found(scores)
                    .exception();
        }
        requireDistinct(origin, tokens, types);
        for (Map.Entry<SpecialToken, Integer> special : specialIds.entrySet()) {
            requireInRange(origin, tokens.size(), special.getKey().ggufKey(), special.getValue());
        }
        for (int id : endIds) {
            requireInRange(origin, tokens.size(), "end tokens", id);
        }
        for (int id : addedFlags.keySet()) {
            requireInRange(origin, tokens.size(), "added tokens", id);
        }
        requirePresent(origin, addBos, specialIds, SpecialToken.BOS);
        requirePresent(origin, addEos, specialIds, SpecialToken.EOS);
    }

    /**
     * Reads tokenizer.json, tokenizer.model, tokenizer_config.json, special_tokens_map.json, added_tokens.json,
     * generation_config.json, config.json and chat_template.jinja or chat_template.json. One of the first two is
     * needed; tokenizer.json decides where both are there.
     *
     * @param vocabSize rows of the model's embedding; rows without a token become {@link TokenType#UNUSED}
     * @throws InputException when the tokenizer is not one that this version reads exactly as Hugging Face does
     */
    public static Vocabulary ofCheckpoint(Path folder, int vocabSize) {
        Vocabulary vocabulary = new CheckpointVocabulary(folder).read(vocabSize);
        Tokenizer.of(vocabulary); // merges that refer to nothing show now, not when a converted file is run
        return vocabulary;
    }

    /**
     * Reads the {@code tokenizer.*} keys of a GGUF file.
     *
     * @throws InputException as {@link #ofGguf(Map, Object)}
     */
    public static Vocabulary ofGguf(GgufFile file) {
        return ofGguf(file.metadata(), file.path());
    }

    /**
     * Reads the {@code tokenizer.*} keys of GGUF metadata.
     *
     * @param origin the file, for errors
     * @throws InputException when they are missing, contradict each other, or are of another kind of tokenizer
     */
    public static Vocabulary ofGguf(Map<String, GgufValue> metadata, Object origin) {
        return new GgufVocabulary(metadata, String.valueOf(origin)).read();
    }

    /** The {@code tokenizer.*} keys as llama.cpp reads them, with keys of our own only for what it has no word for. */
    public SequencedMap<String, GgufValue> toGguf() {
        return GgufVocabulary.write(this);
    }

    /** By rank, "left right"; none for a model without ranks. */
    public List<String> merges() {
        return model.merges();
    }

    /** The name of the pipeline, of those that have one. */
    public PreTokenizer preTokenizer() {
        return PreTokenizer.of(pipeline);
    }

    /** Rows of the embedding. */
    public int size() {
        return tokens.size();
    }

    /** The token that plays the part. */
    public OptionalInt id(SpecialToken part) {
        Integer id = specialIds.get(part);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** The spelling of the token that plays the part, such as {@code <|begin_of_text|>}: a chat template's {@code bos_token}. */
    public Optional<String> token(SpecialToken part) {
        return Optional.ofNullable(specialIds.get(part)).map(tokens::get);
    }

    /** How the token is searched in text; empty for most. */
    public Set<AddedTokenFlag> flags(int id) {
        return addedFlags.getOrDefault(id, Set.of());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Vocabulary v
                && addBos == v.addBos
                && addEos == v.addEos
                && specialIds.equals(v.specialIds)
                && endIds.equals(v.endIds)
                && chatTemplate.equals(v.chatTemplate)
                && addedFlags.equals(v.addedFlags)
                && types.equals(v.types)
                && tokens.equals(v.tokens)
                && pipeline.equals(v.pipeline)
                && model.equals(v.model);
    }

    @Override
    public int hashCode() {
        return Objects.hash(tokens.size(), pipeline, specialIds, endIds, chatTemplate);
    }

    @Override
    public String toString() {
        return "Vocabulary[" + tokens.size() + " tokens, " + merges().size() + " merges, " + preTokenizer() + ", "
                + origin + "]";
    }

    private static void requireDistinct(String origin, List<String> tokens, List<TokenType> types) {
        PieceTable ids = new PieceTable(Spellings.of(tokens));
        for (int id = 0; id < tokens.size(); id++) {
            int other = types.get(id) == TokenType.UNUSED ? PieceTable.ABSENT : ids.put(id);
            // Texts that no file but JSON can hold, with halves of surrogate pairs, differ where their UTF-8 does not.
            if (other != PieceTable.ABSENT && tokens.get(other).equals(tokens.get(id))) {
                throw InputException.at(origin)
                        .problem("token '" + tokens.get(id) + "' has two ids, " + other + " and " + id)
                        .exception();
            }
        }
    }

    private static void requireInRange(String origin, int size, String what, int id) {
        if (id < 0 || id >= size) {
            throw InputException.at(origin)
                    .key(what)
                    .problem("refers to a token that the vocabulary does not have")
                    .expected("an id below " + size)
                    .found(id)
                    .exception();
        }
    }

    private static void requirePresent(
            String origin, boolean required, Map<SpecialToken, Integer> ids, SpecialToken part) {
        if (required && !ids.containsKey(part)) {
            throw InputException.at(origin)
                    .problem("the tokenizer adds a " + part + " token to each text, but none is named")
                    .expected(part.ggufKey() + " or " + part.configName())
                    .exception();
        }
    }
}
