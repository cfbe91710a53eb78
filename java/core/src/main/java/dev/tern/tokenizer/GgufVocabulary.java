package dev.tern.tokenizer;

import dev.tern.gguf.GgufValue;
import dev.tern.gguf.GgufValueType;
import dev.tern.io.InputException;
import java.util.ArrayList;
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
import org.jspecify.annotations.Nullable;

/** A {@link Vocabulary} as {@code tokenizer.*} metadata, in the form of llama.cpp's tokenizer model "gpt2". */
final class GgufVocabulary {
    private static final String MODEL = "tokenizer.ggml.model";
    private static final String PRE = "tokenizer.ggml.pre";
    private static final String TOKENS = "tokenizer.ggml.tokens";
    private static final String TYPES = "tokenizer.ggml.token_type";
    private static final String MERGES = "tokenizer.ggml.merges";
    private static final String ADD_BOS = "tokenizer.ggml.add_bos_token";
    private static final String ADD_EOS = "tokenizer.ggml.add_eos_token";
    private static final String CHAT_TEMPLATE = "tokenizer.chat_template";

    /** Ours: [id, flags, id, flags, …] of added tokens that are more than their type says. Absent from most files. */
    private static final String ADDED_FLAGS = "tokenizer.tern.added_token_flags";

    /** Ours: all end tokens, where a checkpoint lists one that no other key and no known name gives away. */
    private static final String END_IDS = "tokenizer.tern.end_token_ids";

    /**
     * llama.cpp's names of a pre-tokenizer that mean exactly one of ours; it ties {@code ignore_merges} to the name. The
     * first name of each kind is the one written.
     */
    private enum Pre {
        LLAMA3("llama-bpe", PreTokenizer.LLAMA3, true),
        LLAMA3_OTHER_NAME("llama3", PreTokenizer.LLAMA3, true),
        LLAMA3_OLD_NAME("llama-v3", PreTokenizer.LLAMA3, true),
        LLAMA3_MERGING("smaug-bpe", PreTokenizer.LLAMA3, false),
        LLAMA3_MERGING_OTHER_NAME("dbrx", PreTokenizer.LLAMA3, false),
        GPT2("gpt-2", PreTokenizer.GPT2, false);

        final String label;
        final PreTokenizer preTokenizer;
        final boolean ignoreMerges;

        Pre(String label, PreTokenizer preTokenizer, boolean ignoreMerges) {
            this.label = label;
            this.preTokenizer = preTokenizer;
            this.ignoreMerges = ignoreMerges;
        }
    }

    private final Map<String, GgufValue> metadata;
    private final String origin;
    private final List<String> notes = new ArrayList<>();

    GgufVocabulary(Map<String, GgufValue> metadata, String origin) {
        this.metadata = metadata;
        this.origin = origin;
    }

    static SequencedMap<String, GgufValue> write(Vocabulary v) {
        SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put(MODEL, GgufValue.of("gpt2"));
        metadata.put(PRE, GgufValue.of(preLabel(v)));
        metadata.put(TOKENS, GgufValue.strings(v.tokens()));
        metadata.put(TYPES, GgufValue.int32s(v.types().stream().mapToInt(TokenType::id).toArray()));
        metadata.put(MERGES, GgufValue.strings(v.merges()));
        for (SpecialToken part : SpecialToken.values()) {
            v.id(part).ifPresent(id -> metadata.put(part.ggufKey(), GgufValue.u32(id)));
        }
        metadata.put(ADD_BOS, GgufValue.of(v.addBos()));
        metadata.put(ADD_EOS, GgufValue.of(v.addEos()));
        v.chatTemplate().ifPresent(template -> metadata.put(CHAT_TEMPLATE, GgufValue.of(template)));
        if (!v.addedFlags().isEmpty()) {
            metadata.put(ADDED_FLAGS, GgufValue.int32s(v.addedFlags().entrySet().stream()
                    .flatMapToInt(e -> java.util.stream.IntStream.of(
                            e.getKey(), e.getValue().stream().mapToInt(AddedTokenFlag::bit).sum()))
                    .toArray()));
        }
        if (!v.endIds().equals(EndTokens.of(v.specialIds(), v.tokens(), v.types()))) {
            metadata.put(END_IDS, GgufValue.int32s(v.endIds().stream().mapToInt(Integer::intValue).toArray()));
        }
        return metadata;
    }

    private static String preLabel(Vocabulary v) {
        for (Pre pre : Pre.values()) {
            if (pre.preTokenizer == v.preTokenizer() && pre.ignoreMerges == v.ignoreMerges()) {
                return pre.label;
            }
        }
        throw InputException.at(v.origin())
                .key("model.ignore_merges")
                .problem("GGUF has no name for the " + v.preTokenizer() + " pre-tokenizer with ignore_merges " + v.ignoreMerges())
                .exception();
    }

    Vocabulary read() {
        String model = text(MODEL).orElseThrow(() -> missing(MODEL));
        if (!model.equals("gpt2")) {
            throw InputException.at(origin)
                    .key(MODEL)
                    .problem("this version of Tern reads byte-level BPE tokenizers only")
                    .expected("gpt2")
                    .found(model)
                    .exception();
        }
        List<String> tokens = strings(TOKENS);
        List<TokenType> types = types(tokens);
        List<String> merges = strings(MERGES);
        Pre pre = pre(tokens);
        Map<SpecialToken, Integer> parts = new EnumMap<>(SpecialToken.class);
        for (SpecialToken part : SpecialToken.values()) {
            integer(part.ggufKey()).ifPresent(id -> parts.put(part, id));
        }
        Map<SpecialToken, Integer> completed = EndTokens.completed(parts, tokens, types);
        int[] listedEnds = integers(END_IDS);
        SortedSet<Integer> ends = EndTokens.of(completed, tokens, types);
        if (listedEnds != null) {
            ends = new TreeSet<>();
            for (int id : listedEnds) {
                ends.add(id);
            }
        }
        // What llama.cpp assumes where the file does not say.
        boolean bosByDefault = pre.preTokenizer == PreTokenizer.LLAMA3 && completed.containsKey(SpecialToken.BOS);
        return new Vocabulary(
                tokens,
                types,
                merges,
                pre.preTokenizer,
                pre.ignoreMerges,
                addedFlags(),
                completed,
                ends,
                bool(ADD_BOS).orElse(bosByDefault),
                bool(ADD_EOS).orElse(false),
                text(CHAT_TEMPLATE),
                origin,
                notes);
    }

    private List<TokenType> types(List<String> tokens) {
        int[] ids = integers(TYPES);
        if (ids == null) {
            notes.add(TYPES + " is missing: all tokens are taken as ordinary");
            return Collections.nCopies(tokens.size(), TokenType.NORMAL);
        }
        if (ids.length != tokens.size()) {
            throw InputException.at(origin).key(TYPES).expected(tokens.size() + " types").found(ids.length).exception();
        }
        List<TokenType> types = new ArrayList<>(ids.length);
        for (int id = 0; id < ids.length; id++) {
            int type = ids[id];
            if (type < 0 || type > TokenType.UNUSED.id()) {
                throw InputException.at(origin)
                        .key(TYPES)
                        .problem("token " + id + " has a type that no byte-level BPE has")
                        .expected("1 to 5")
                        .found(type)
                        .exception();
            }
            TokenType read = type == 0 ? TokenType.NORMAL : TokenType.values()[type - 1];
            // Converters have called the rows that no token has "user defined"; in a text they still mean nothing.
            boolean row = read == TokenType.USER_DEFINED && tokens.get(id).equals("[PAD" + id + "]");
            types.add(row ? TokenType.UNUSED : read);
        }
        return types;
    }

    private Pre pre(List<String> tokens) {
        Optional<String> label = text(PRE);
        for (Pre pre : Pre.values()) {
            if (label.isPresent() && label.get().equals(pre.label)) {
                return pre;
            }
        }
        // The first GGUF of BitNet b1.58 2B-4T, for one, names none. The vocabulary tells Llama 3 and GPT-2 for certain.
        if (label.isEmpty() || label.get().equals("default")) {
            Pre guess = null;
            if (tokens.contains("<|begin_of_text|>") && tokens.contains("<|end_of_text|>")) {
                guess = Pre.LLAMA3;
            } else if (tokens.size() >= 50257 && tokens.get(50256).equals("<|endoftext|>") && tokens.get(262).equals("Ġthe")) {
                guess = Pre.GPT2;
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
                .expected(String.join(", ", java.util.Arrays.stream(Pre.values()).map(p -> p.label).toList()))
                .found(label.map(text -> "'" + text + "'").orElse("no such key"))
                .cure("Convert the checkpoint again with tern convert, which names it.")
                .exception();
    }

    private TreeMap<Integer, Set<AddedTokenFlag>> addedFlags() {
        TreeMap<Integer, Set<AddedTokenFlag>> flags = new TreeMap<>();
        int[] pairs = integers(ADDED_FLAGS);
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

    private Optional<String> text(String key) {
        GgufValue value = metadata.get(key);
        if (value == null) {
            return Optional.empty();
        }
        return Optional.of(value.value() instanceof String text ? text : wrongType(key, "a string", value));
    }

    private Optional<Boolean> bool(String key) {
        GgufValue value = metadata.get(key);
        if (value == null) {
            return Optional.empty();
        }
        return Optional.of(value.value() instanceof Boolean bool ? bool : wrongType(key, "a boolean", value));
    }

    private Optional<Integer> integer(String key) {
        GgufValue value = metadata.get(key);
        if (value == null || value.value() instanceof Integer none && none == -1) {
            return Optional.empty(); // -1 (unsigned: the largest) is llama.cpp's "none"
        }
        if (value.value() instanceof Long id && id >= 0 && id <= Integer.MAX_VALUE) {
            return Optional.of(id.intValue());
        }
        return Optional.of(value.value() instanceof Integer id ? id : wrongType(key, "an integer id", value));
    }

    private int @Nullable [] integers(String key) {
        GgufValue value = metadata.get(key);
        if (value == null) {
            return null;
        }
        return value.value() instanceof int[] ids ? ids : wrongType(key, "an array of 32-bit integers", value);
    }

    @SuppressWarnings("unchecked") // GgufValue promises a List<String> for arrays of strings
    private List<String> strings(String key) {
        GgufValue value = metadata.get(key);
        if (value == null) {
            throw missing(key);
        }
        return value.type() == GgufValueType.ARRAY && value.elementType() == GgufValueType.STRING
                ? (List<String>) value.value()
                : wrongType(key, "an array of strings", value);
    }

    private <T> T wrongType(String key, String expected, GgufValue found) {
        throw InputException.at(origin)
                .key(key)
                .expected(expected)
                .found(found.type() + (found.type() == GgufValueType.ARRAY ? " of " + found.elementType() : ""))
                .exception();
    }

    private InputException missing(String key) {
        return InputException.at(origin)
                .key(key)
                .problem("missing: the file has no tokenizer")
                .cure("Convert the checkpoint again with tern convert.")
                .exception();
    }
}
