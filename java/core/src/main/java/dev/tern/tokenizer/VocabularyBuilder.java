package dev.tern.tokenizer;

import dev.tern.io.InputException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Tokens, types, scores and flags by id, as the files of a checkpoint name them one by one. Used once. */
final class VocabularyBuilder {
    /** The score of tokens that are no pieces of a scored model, as llama.cpp's converter sets it. */
    static final float ADDED_SCORE = -1000f;

    private final Path file;
    private final Map<String, Integer> ids = new HashMap<>();
    private final TreeMap<Integer, Set<AddedTokenFlag>> flags = new TreeMap<>();
    private final @Nullable String[] tokens;
    private final @Nullable TokenType[] types;
    private final float[] scores;

    VocabularyBuilder(Path file, int vocabSize) {
        this.file = file;
        this.tokens = new String[vocabSize];
        this.types = new TokenType[vocabSize];
        this.scores = new float[vocabSize];
        java.util.Arrays.fill(scores, ADDED_SCORE);
    }

    /** Enters a piece of the model. */
    void piece(String token, int id, TokenType type, float score) {
        enter(token, id, type);
        scores[id] = score;
    }

    /** Enters an added token in the form of tokenizer.json, {@code {"content", "special", "lstrip", …}}. */
    void added(JsonNode token, int id, Path where) {
        String content = token.path("content").isString() ? token.path("content").stringValue() : "";
        if (content.isEmpty()) {
            throw InputException.at(where).key("added_tokens").problem("added token " + id + " has no text")
                    .exception();
        }
        Set<AddedTokenFlag> found = EnumSet.noneOf(AddedTokenFlag.class);
        for (AddedTokenFlag flag : List.of(
                AddedTokenFlag.SINGLE_WORD, AddedTokenFlag.LSTRIP, AddedTokenFlag.RSTRIP, AddedTokenFlag.NORMALIZED)) {
            if (token.path(flag.name().toLowerCase(Locale.ROOT)).asBoolean(false)) {
                found.add(flag);
            }
        }
        added(content, id, token.path("special").asBoolean(false) ? TokenType.CONTROL : TokenType.USER_DEFINED, found);
    }

    void added(String content, int id, TokenType type, Set<AddedTokenFlag> withFlags) {
        Set<AddedTokenFlag> found = EnumSet.noneOf(AddedTokenFlag.class);
        found.addAll(withFlags);
        if (content.equals(id >= 0 && id < tokens.length ? tokens[id] : null)) {
            found.add(AddedTokenFlag.IN_MODEL);
            types[id] = type;
        } else {
            enter(content, id, type);
        }
        if (!found.isEmpty()) {
            flags.put(id, Collections.unmodifiableSet(found));
        }
    }

    private void enter(String token, int id, TokenType type) {
        if (id < 0 || id >= tokens.length) {
            throw InputException.at(file)
                    .problem("token '" + token + "' has an id beyond the model's vocabulary")
                    .expected("below vocab_size " + tokens.length)
                    .found(id)
                    .cure("The tokenizer and config.json are of different models, or the embedding was not resized"
                            + " for added tokens.")
                    .exception();
        }
        Integer other = ids.put(token, id);
        if (other != null || tokens[id] != null) {
            throw InputException.at(file)
                    .problem(other != null
                            ? "token '" + token + "' has two ids, " + other + " and " + id
                            : "id " + id + " has two tokens, '" + tokens[id] + "' and '" + token + "'")
                    .exception();
        }
        tokens[id] = token;
        types[id] = type;
    }

    @Nullable Integer id(String token) {
        return ids.get(token);
    }

    /** The token with this id, or null. */
    @Nullable String token(int id) {
        return id >= 0 && id < tokens.length ? tokens[id] : null;
    }

    boolean is(int id, TokenType type) {
        return types[id] == type;
    }

    void type(int id, TokenType type) {
        types[id] = type;
    }

    void score(int id, float score) {
        scores[id] = score;
    }

    int size() {
        return tokens.length;
    }

    /** Gives the rows that no token has a name that is none. */
    void pad() {
        for (int id = 0; id < tokens.length; id++) {
            if (tokens[id] == null) {
                tokens[id] = "[PAD" + id + "]";
                types[id] = TokenType.UNUSED;
            }
        }
    }

    /** By id, once {@link #pad} was called. */
    List<String> tokens() {
        return java.util.Arrays.stream(tokens).<String>map(Objects::requireNonNull).toList();
    }

    /** By id, once {@link #pad} was called. */
    List<TokenType> types() {
        return java.util.Arrays.stream(types).<TokenType>map(Objects::requireNonNull).toList();
    }

    List<Float> scores() {
        Float[] boxed = new Float[scores.length];
        for (int id = 0; id < scores.length; id++) {
            boxed[id] = scores[id];
        }
        return List.of(boxed);
    }

    TreeMap<Integer, Set<AddedTokenFlag>> flags() {
        return flags;
    }
}
