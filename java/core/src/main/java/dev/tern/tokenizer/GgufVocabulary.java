package dev.tern.tokenizer;

import dev.tern.gguf.GgufValue;
import dev.tern.gguf.GgufValueType;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A {@link Vocabulary} as {@code tokenizer.*} metadata, in the form of llama.cpp's tokenizer models "gpt2" (byte-level
 * BPE), "llama" (SentencePiece's BPE) and "t5" (Unigram).
 */
final class GgufVocabulary {
    private static final String MODEL = "tokenizer.ggml.model";
    private static final String PRE = "tokenizer.ggml.pre";
    private static final String TOKENS = "tokenizer.ggml.tokens";
    private static final String SCORES = "tokenizer.ggml.scores";
    private static final String TYPES = "tokenizer.ggml.token_type";
    private static final String MERGES = "tokenizer.ggml.merges";
    private static final String ADD_BOS = "tokenizer.ggml.add_bos_token";
    private static final String ADD_EOS = "tokenizer.ggml.add_eos_token";
    private static final String ADD_SPACE_PREFIX = "tokenizer.ggml.add_space_prefix";
    private static final String CHARACTER_MAP = "tokenizer.ggml.precompiled_charsmap";
    private static final String CHAT_TEMPLATE = "tokenizer.chat_template";

    /** Ours: [id, flags, id, flags, …] of added tokens that are more than their type says. Absent from most files. */
    private static final String ADDED_FLAGS = "tokenizer.tern.added_token_flags";

    /** Ours: all end tokens, where a checkpoint lists one that no other key and no known name gives away. */
    private static final String END_IDS = "tokenizer.tern.end_token_ids";

    /**
     * Ours: what the name in {@link #PRE} does not say, as JSON: normalizer, pre_tokenizer and decoder in the words of
     * tokenizer.json, and ignore_merges, byte_fallback and fuse_unk of its model.
     */
    private static final String PIPELINE = "tokenizer.tern.pipeline";

    private static final String BYTE_PAIRS = "gpt2";
    private static final String CHARACTER_PAIRS = "llama";
    private static final String UNIGRAM = "t5";

    /** What a file need not say of a model where its names say it. */
    private record Ways(TextPipeline pipeline, boolean ignoreMerges, boolean byteFallback, boolean fuseUnknown) {

        static Ways of(Vocabulary v) {
            return switch (v.model()) {
                case SubwordModel.BytePairs m -> new Ways(v.pipeline(), m.ignoreMerges(), false, false);
                case SubwordModel.CharacterPairs m ->
                        new Ways(v.pipeline(), m.ignoreMerges(), m.byteFallback(), m.fuseUnknown());
                case SubwordModel.Unigram m -> new Ways(v.pipeline(), false, m.byteFallback(), true);
            };
        }

        static Ways of(JsonNode json) {
            return new Ways(
                    TextPipeline.of(json),
                    json.path("ignore_merges").asBoolean(false),
                    json.path("byte_fallback").asBoolean(false),
                    json.path("fuse_unk").asBoolean(false));
        }

        String json() {
            ObjectNode json = pipeline.json();
            json.put("ignore_merges", ignoreMerges).put("byte_fallback", byteFallback).put("fuse_unk", fuseUnknown);
            return json.toString();
        }

        static Ways named(GgufPre pre) {
            return new Ways(pre.preTokenizer.pipeline(), pre.ignoreMerges, false, false);
        }

        static Ways sentencePiece(boolean prefix, List<String> tokens) {
            boolean bytes = tokens.contains("<0x00>") && tokens.contains("<0xFF>");
            return new Ways(TextPipeline.sentencePiece(prefix), false, bytes, true);
        }
    }

    private final GgufKeys keys;
    private final String origin;
    private final List<String> notes = new ArrayList<>();

    GgufVocabulary(Map<String, GgufValue> metadata, String origin) {
        this.keys = new GgufKeys(metadata, origin);
        this.origin = origin;
    }

    // ---- writing

    static SequencedMap<String, GgufValue> write(Vocabulary v) {
        SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
        Ways implied = null;
        switch (v.model()) {
            case SubwordModel.BytePairs model -> {
                String label = GgufPre.label(v.preTokenizer(), model.ignoreMerges());
                GgufPre pre = GgufPre.of(label);
                implied = pre == null ? null : Ways.named(pre);
                metadata.put(MODEL, GgufValue.of(BYTE_PAIRS));
                metadata.put(PRE, GgufValue.of(label));
                metadata.put(TOKENS, GgufValue.strings(v.tokens()));
                putTypes(v, metadata);
                metadata.put(MERGES, GgufValue.strings(model.merges()));
            }
            case SubwordModel.CharacterPairs model -> {
                implied = putSentencePiece(v, CHARACTER_PAIRS, model.scores(), metadata);
                model.ranks().ifPresent(ranks -> metadata.put(MERGES, GgufValue.strings(ranks)));
            }
            case SubwordModel.Unigram model -> implied = putSentencePiece(v, UNIGRAM, model.scores(), metadata);
        }
        for (SpecialToken part : SpecialToken.values()) {
            v.id(part).ifPresent(id -> metadata.put(part.ggufKey(), GgufValue.u32(id)));
        }
        metadata.put(ADD_BOS, GgufValue.of(v.addBos()));
        metadata.put(ADD_EOS, GgufValue.of(v.addEos()));
        v.chatTemplate().ifPresent(template -> metadata.put(CHAT_TEMPLATE, GgufValue.of(template)));
        if (!v.addedFlags().isEmpty()) {
            metadata.put(ADDED_FLAGS, GgufValue.int32s(v.addedFlags().entrySet().stream()
                    .flatMapToInt(e -> IntStream.of(
                            e.getKey(), e.getValue().stream().mapToInt(AddedTokenFlag::bit).sum()))
                    .toArray()));
        }
        if (!v.endIds().equals(KnownTokens.of(v.specialIds(), v.tokens(), v.types()))) {
            metadata.put(END_IDS, GgufValue.int32s(v.endIds().stream().mapToInt(Integer::intValue).toArray()));
        }
        if (!Ways.of(v).equals(implied)) {
            metadata.put(PIPELINE, GgufValue.of(Ways.of(v).json()));
        }
        return metadata;
    }

    private static void putTypes(Vocabulary v, SequencedMap<String, GgufValue> metadata) {
        metadata.put(TYPES, GgufValue.int32s(v.types().stream().mapToInt(TokenType::id).toArray()));
    }

    private static Ways putSentencePiece(
            Vocabulary v, String model, List<Float> scores, SequencedMap<String, GgufValue> metadata) {
        boolean prefix = addsSpace(v.pipeline());
        metadata.put(MODEL, GgufValue.of(model));
        metadata.put(PRE, GgufValue.of(GgufPre.DEFAULT));
        metadata.put(TOKENS, GgufValue.strings(v.tokens()));
        float[] values = new float[scores.size()];
        for (int id = 0; id < values.length; id++) {
            values[id] = scores.get(id);
        }
        metadata.put(SCORES, GgufValue.float32s(values));
        putTypes(v, metadata);
        metadata.put(ADD_SPACE_PREFIX, GgufValue.of(prefix));
        for (JsonNode step : PipelineJson.steps(v.pipeline().json().path("normalizer"), "normalizers")) {
            if (PipelineJson.type(step).equals("Precompiled")) {
                byte[] map = Base64.getDecoder().decode(step.path("precompiled_charsmap").asString(""));
                metadata.put(CHARACTER_MAP, new GgufValue(GgufValueType.ARRAY, GgufValueType.UINT8, map));
            }
        }
        return Ways.sentencePiece(prefix, v.tokens());
    }

    /** Whether the pipeline puts a space in front of a text, for programs that know nothing else of it. */
    private static boolean addsSpace(TextPipeline pipeline) {
        ObjectNode json = pipeline.json();
        for (JsonNode step : PipelineJson.steps(json.path("normalizer"), "normalizers")) {
            if (PipelineJson.type(step).equals("Prepend")) {
                return true;
            }
        }
        for (JsonNode step : PipelineJson.steps(json.path("pre_tokenizer"), "pretokenizers")) {
            if (PipelineJson.type(step).equals("Metaspace")) {
                return !step.path("prepend_scheme")
                        .asString(step.path("add_prefix_space").asBoolean(true) ? "always" : "never")
                        .equals("never");
            }
        }
        return false;
    }

    // ---- reading

    Vocabulary read() {
        String model = keys.text(MODEL).orElseThrow(() -> keys.missing(MODEL));
        if (!List.of(BYTE_PAIRS, CHARACTER_PAIRS, UNIGRAM).contains(model)) {
            throw InputException.at(origin)
                    .key(MODEL)
                    .problem(model.equals("bert")
                            ? "WordPiece, the tokenizer of BERT, is not read by this version of Tern"
                            : "this version of Tern does not have this kind of tokenizer")
                    .expected("gpt2 (byte-level BPE), llama (SentencePiece BPE) or t5 (Unigram)")
                    .found("'" + model + "'")
                    .exception();
        }
        List<String> tokens = keys.strings(TOKENS);
        List<TokenType> types = types(tokens, model);
        Ways ways = ways(model, tokens);
        Map<SpecialToken, Integer> parts = new EnumMap<>(SpecialToken.class);
        for (SpecialToken part : SpecialToken.values()) {
            keys.integer(part.ggufKey()).ifPresent(id -> parts.put(part, id));
        }
        if (!model.equals(BYTE_PAIRS) && parts.isEmpty()) {
            // What llama.cpp assumes of such a file, where the types do not contradict.
            assume(parts, SpecialToken.UNKNOWN, 0, types);
            assume(parts, SpecialToken.BOS, 1, types);
            assume(parts, SpecialToken.EOS, 2, types);
        }
        Map<SpecialToken, Integer> completed = KnownTokens.completed(parts, tokens, types);
        int[] listedEnds = keys.integers(END_IDS);
        SortedSet<Integer> ends = KnownTokens.of(completed, tokens, types);
        if (listedEnds != null) {
            ends = new TreeSet<>();
            for (int id : listedEnds) {
                ends.add(id);
            }
        }
        return new Vocabulary(
                tokens,
                types,
                model(model, ways, tokens.size()),
                ways.pipeline(),
                addedFlags(),
                completed,
                ends,
                keys.bool(ADD_BOS).orElseGet(() -> bosByDefault(model, ways, completed)),
                keys.bool(ADD_EOS).orElse(false),
                keys.text(CHAT_TEMPLATE),
                origin,
                notes);
    }

    /** What llama.cpp assumes where the file does not say. */
    private static boolean bosByDefault(String model, Ways ways, Map<SpecialToken, Integer> parts) {
        return parts.containsKey(SpecialToken.BOS)
                && (model.equals(CHARACTER_PAIRS)
                        || PreTokenizer.LLAMA3.describes(ways.pipeline())
                        || PreTokenizer.TEKKEN.describes(ways.pipeline()));
    }

    private static void assume(Map<SpecialToken, Integer> parts, SpecialToken part, int id, List<TokenType> types) {
        if (id < types.size() && types.get(id).special()) {
            parts.put(part, id);
        }
    }

    private SubwordModel model(String model, Ways ways, int size) {
        if (model.equals(BYTE_PAIRS)) {
            return new SubwordModel.BytePairs(keys.strings(MERGES), ways.ignoreMerges());
        }
        float[] scores = keys.floats(SCORES);
        if (scores == null || scores.length != size) {
            throw InputException.at(origin)
                    .key(SCORES)
                    .expected(size + " scores")
                    .found(scores == null ? "no such key" : scores.length)
                    .exception();
        }
        List<Float> list = new ArrayList<>(size);
        for (float score : scores) {
            list.add(score);
        }
        if (model.equals(UNIGRAM)) {
            return new SubwordModel.Unigram(list, ways.byteFallback());
        }
        Optional<List<String>> ranks =
                keys.metadata().containsKey(MERGES) ? Optional.of(keys.strings(MERGES)) : Optional.empty();
        return new SubwordModel.CharacterPairs(ranks, list, ways.ignoreMerges(), ways.byteFallback(),
                ways.fuseUnknown());
    }

    private List<TokenType> types(List<String> tokens, String model) {
        int[] ids = keys.integers(TYPES);
        if (ids == null) {
            notes.add(TYPES + " is missing: all tokens are taken as ordinary");
            return Collections.nCopies(tokens.size(), TokenType.NORMAL);
        }
        if (ids.length != tokens.size()) {
            throw InputException.at(origin).key(TYPES).expected(tokens.size() + " types").found(ids.length).exception();
        }
        TokenType last = model.equals(BYTE_PAIRS) ? TokenType.UNUSED : TokenType.BYTE;
        TokenType[] known = TokenType.values();
        List<TokenType> types = new ArrayList<>(ids.length);
        for (int id = 0; id < ids.length; id++) {
            int type = ids[id];
            if (type < 0 || type > last.id()) {
                throw InputException.at(origin)
                        .key(TYPES)
                        .problem("token " + id + " has a type that no such vocabulary has")
                        .expected("1 to " + last.id())
                        .found(type)
                        .exception();
            }
            TokenType read = type == 0 ? TokenType.NORMAL : known[type - 1];
            // Converters have called the rows that no token has "user defined"; in a text they still mean nothing.
            boolean row = read == TokenType.USER_DEFINED && tokens.get(id).equals("[PAD" + id + "]");
            types.add(row ? TokenType.UNUSED : read);
        }
        return types;
    }

    private Ways ways(String model, List<String> tokens) {
        Optional<String> own = keys.text(PIPELINE);
        if (own.isPresent()) {
            String where = origin + ": key '" + PIPELINE + "'";
            return Ways.of(JsonFile.parse(own.get().getBytes(StandardCharsets.UTF_8), where));
        }
        if (model.equals(BYTE_PAIRS)) {
            return Ways.named(pre(tokens));
        }
        if (keys.metadata().containsKey(CHARACTER_MAP)) {
            throw InputException.at(origin)
                    .key(CHARACTER_MAP)
                    .problem("this version of Tern follows a character map only where the file also says what else"
                            + " is done to text")
                    .expected("the key '" + PIPELINE + "' beside it")
                    .cure("Convert the checkpoint again with tern convert, which writes it.")
                    .exception();
        }
        return Ways.sentencePiece(keys.bool(ADD_SPACE_PREFIX).orElse(true), tokens);
    }

    private GgufPre pre(List<String> tokens) {
        Optional<String> label = keys.text(PRE);
        GgufPre named = label.map(GgufPre::of).orElse(null);
        if (named != null) {
            return named;
        }
        // The first GGUF of BitNet b1.58 2B-4T, for one, names none. The vocabulary tells Llama 3 and GPT-2 for certain.
        if (label.isEmpty() || label.get().equals(GgufPre.DEFAULT)) {
            GgufPre guess = null;
            if (tokens.contains("<|begin_of_text|>") && tokens.contains("<|end_of_text|>")) {
                guess = GgufPre.LLAMA_BPE;
            } else if (tokens.size() >= 50257
                    && tokens.get(50256).equals("<|endoftext|>")
                    && tokens.get(262).equals("Ġthe")) {
                guess = GgufPre.GPT_2;
            }
            if (guess != null) {
                notes.add(PRE + (label.isEmpty() ? " is missing" : " is 'default'") + ": taken as " + guess.label
                        + ", because the vocabulary is of that family");
                return guess;
            }
        }
        throw InputException.at(origin)
                .key(PRE)
                .problem("this version of Tern does not have this pre-tokenizer")
                .expected(String.join(", ", Arrays.stream(GgufPre.values()).map(p -> p.label).toList()))
                .found(label.map(text -> "'" + text + "'").orElse("no such key"))
                .cure("Convert the checkpoint again with tern convert, which names it.")
                .exception();
    }

    private TreeMap<Integer, Set<AddedTokenFlag>> addedFlags() {
        TreeMap<Integer, Set<AddedTokenFlag>> flags = new TreeMap<>();
        int[] pairs = keys.integers(ADDED_FLAGS);
        for (int i = 0; pairs != null && i + 1 < pairs.length; i += 2) {
            Set<AddedTokenFlag> set = EnumSet.noneOf(AddedTokenFlag.class);
            for (AddedTokenFlag flag : AddedTokenFlag.values()) {
                if ((pairs[i + 1] & flag.bit()) != 0) {
                    set.add(flag);
                }
            }
            flags.put(pairs[i], Collections.unmodifiableSet(set));
        }
        return flags;
    }
}
