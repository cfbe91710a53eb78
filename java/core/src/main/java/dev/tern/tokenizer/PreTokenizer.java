package dev.tern.tokenizer;

import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * How text is normalized and cut into words before merging; merges never cross a cut. The constants are the ways that
 * have a name in GGUF files ({@code tokenizer.ggml.pre}), each with what tokenizer.json says for it; {@link #OTHER} is
 * every other.
 */
public enum PreTokenizer {
    /**
     * Llama 3, and with it BitNet b1.58 2B-4T, Falcon3, Falcon-E: words with one leading character, digits in threes.
     */
    LLAMA3(null, split(Words.LLAMA3.pattern), byteLevel(false)),
    /** Qwen2 and Qwen2.5: NFC, single digits, the words of Llama 3 otherwise. */
    QWEN2("NFC", split(Words.QWEN2.pattern), byteLevel(false)),
    /** StableLM 2: as Qwen2, without NFC. */
    STABLELM2(null, split(Words.QWEN2.pattern), byteLevel(false)),
    /** GPT-2: words, numbers and signs with at most one leading space. */
    GPT2(null, byteLevel(true)),
    /** MPT, OLMo and GPT-NeoX: NFC, then as GPT-2. */
    MPT("NFC", byteLevel(true)),
    /** SmolLM, StarCoder and Refact: single digits, then as GPT-2. */
    SMOLLM(null, "{\"type\":\"Digits\",\"individual_digits\":true}", byteLevel(true)),
    /** Command R: NFC, then as SmolLM. */
    COMMAND_R("NFC", "{\"type\":\"Digits\",\"individual_digits\":true}", byteLevel(true)),
    /** Falcon: runs of punctuation, then as GPT-2, then digits, in threes. */
    FALCON(
            null,
            "{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}",
            byteLevel(true),
            "{\"type\":\"Digits\",\"individual_digits\":false}",
            split("[0-9][0-9][0-9]")),
    /** DeepSeek LLM: line ends, cased letters, ASCII and full-width signs, CJK, single digits. */
    DEEPSEEK_LLM(
            null,
            split("[\r\n]"),
            split("\\s?[A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF"
                    + "\u0370-\u0373\u0376\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1"
                    + "\u03A3-\u03F5\u03F7-\u0481\u048A-\u052F\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5\u13F8-\u13FD"
                    + "\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-\u1D77\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D"
                    + "\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B\u1F5D\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-"
                    + "\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB\u1FE0-\u1FEC\u1FF2-\u1FF4"
                    + "\u1FF6-\u1FFC\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D"
                    + "\u212F-\u2134\u2139\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B\u2C7E-\u2CE4"
                    + "\u2CEB-\u2CEE\u2CF2\u2CF3\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E"
                    + "\uAB70-\uABBF\uFB00-\uFB06\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A\uD801\uDC00-\uD801\uDC4F"
                    + "\uD801\uDCB0-\uD801\uDCD3\uD801\uDCD8-\uD801\uDCFB\uD803\uDC80-\uD803\uDCB2"
                    + "\uD803\uDCC0-\uD803\uDCF2\uD806\uDCA0-\uD806\uDCDF\uD83A\uDD00-\uD83A\uDD43]+"),
            split("\\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+"),
            split("\\s+$"),
            split("[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+"),
            "{\"type\":\"Digits\",\"individual_digits\":true}",
            byteLevel(false)),
    /** DeepSeek Coder: line ends, letters, punctuation, CJK, single digits. */
    DEEPSEEK_CODER(
            null,
            split("[\r\n]"),
            split("\\s?\\p{L}+"),
            split("\\s?\\p{P}+"),
            split("[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+"),
            "{\"type\":\"Digits\",\"individual_digits\":true}",
            byteLevel(false)),
    /** DeepSeek V3: digits in threes, CJK, words with marks. */
    DEEPSEEK_V3(
            null,
            split("\\p{N}{1,3}"),
            split("[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+"),
            split("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                    + "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"),
            byteLevel(false)),
    /** GPT-4o and Llama 4: words end where capitals begin, digits in threes. */
    GPT4O(
            null,
            split("[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
                    + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
                    + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
                    + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
                    + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
            byteLevel(false)),
    /** Mistral's Tekken: as GPT-4o, without contractions, single digits. */
    TEKKEN(
            null,
            split("[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
                    + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
                    + "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
            byteLevel(false)),
    /** Llama 2, and SentencePiece without a normalization of its own: spaces are marks, one goes in front, no words. */
    SENTENCE_PIECE(() -> TextPipeline.sentencePiece(true)),
    /** What no other constant describes; {@link Vocabulary#pipeline} does. */
    OTHER((Supplier<TextPipeline>) null);

    /** Null for {@link #OTHER}. */
    private final @Nullable LazyPipeline pipeline;

    /**
     * A constant that is made when somebody asks, and equal whoever makes it: a model needs one pipeline, and to parse
     * all takes longer than to load it.
     */
    private static final class LazyPipeline {
        private final Supplier<TextPipeline> description;
        private volatile @Nullable TextPipeline made;

        LazyPipeline(Supplier<TextPipeline> description) {
            this.description = description;
        }

        TextPipeline get() {
            TextPipeline known = made;
            if (known == null) {
                made = known = description.get();
            }
            return known;
        }
    }

    PreTokenizer(@Nullable Supplier<TextPipeline> description) {
        this.pipeline = description == null ? null : new LazyPipeline(description);
    }

    PreTokenizer(@Nullable String normalizer, String... steps) {
        String joined = "{\"type\":\"Sequence\",\"pretokenizers\":[" + String.join(",", steps) + "]}";
        String normalized = normalizer == null ? "null" : "{\"type\":\"" + normalizer + "\"}";
        this.pipeline = new LazyPipeline(() -> new TextPipeline(normalized, joined, "{\"type\":\"ByteLevel\"}"));
    }

    /** The constant that describes the pipeline. */
    static PreTokenizer of(TextPipeline pipeline) {
        for (PreTokenizer known : values()) {
            if (known.describes(pipeline)) {
                return known;
            }
        }
        // Gemma cuts behind spaces, of which its normalizer has left none.
        TextPipeline bare = TextPipeline.sentencePiece(false);
        boolean cutsNothing = pipeline.preTokenizer().equals(bare.preTokenizer())
                || pipeline.preTokenizer().startsWith("{\"type\":\"Split\",")
                        && pipeline.preTokenizer().endsWith("\"pattern\":{\"String\":\" \"}}");
        boolean same = pipeline.normalizer().equals(bare.normalizer()) && pipeline.decoder().equals(bare.decoder());
        return same && cutsNothing ? SENTENCE_PIECE : OTHER;
    }

    /** What tokenizer.json says for it. */
    TextPipeline pipeline() {
        if (pipeline == null) {
            throw new IllegalStateException("no one pipeline");
        }
        return pipeline.get();
    }

    /** Whether the pipeline does what this constant does. */
    boolean describes(TextPipeline other) {
        return pipeline != null && pipeline().equals(other);
    }

    private static String split(String pattern) {
        return "{\"type\":\"Split\",\"pattern\":{\"Regex\":" + PipelineJson.quoted(pattern)
                + "},\"behavior\":\"Isolated\",\"invert\":false}";
    }

    private static String byteLevel(boolean useRegex) {
        return "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":" + useRegex + "}";
    }

    /**
     * Brings a {@code pre_tokenizer} into the form in which the constants are written: of these patterns, which leave
     * nothing between two matches, "drop what is between" is "keep both".
     */
    static JsonNode plain(JsonNode step) {
        if (step instanceof tools.jackson.databind.node.ObjectNode split
                && PipelineJson.type(split).equals("Split")
                && MatchSplitter.Behavior.named(split.path("behavior").asString("")) == MatchSplitter.Behavior.REMOVED
                && split.path("invert").asBoolean(false)
                && LeavingNothing.PATTERNS.contains(split.path("pattern").path("Regex").asString(""))) {
            return split.deepCopy().put("behavior", "Isolated").put("invert", false);
        }
        return step;
    }

    /** The patterns that leave nothing between two matches. */
    private static final class LeavingNothing {
        static final List<String> PATTERNS = List.of(
                Words.LLAMA3.pattern, Words.QWEN2.pattern, regex(GPT4O), regex(TEKKEN));

        private static String regex(PreTokenizer known) {
            JsonNode json = JsonMapper.shared().readTree(known.pipeline().preTokenizer());
            return json.path("pretokenizers").path(0).path("pattern").path("Regex").stringValue();
        }
    }

    /**
     * Patterns that whole families of models share, written by hand over UTF-8: several times as fast as {@link Regex}.
     */
    enum Words implements TextSplitter {
        LLAMA3(
                "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                        + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+") {
            @Override
            int end(byte[] utf8, int from, int to) {
                return WordScanner.llama3(utf8, from, to, 3);
            }
        },
        QWEN2(
                "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                        + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+") {
            @Override
            int end(byte[] utf8, int from, int to) {
                return WordScanner.llama3(utf8, from, to, 1);
            }
        },
        /** The pattern of HF's ByteLevel itself. */
        GPT2("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+") {
            @Override
            int end(byte[] utf8, int from, int to) {
                return WordScanner.gpt2(utf8, from, to);
            }
        };

        private final String pattern;

        Words(String pattern) {
            this.pattern = pattern;
        }

        /** The one with this pattern, or null. */
        static @Nullable Words of(String pattern) {
            for (Words words : values()) {
                if (words.pattern.equals(pattern)) {
                    return words;
                }
            }
            return null;
        }

        String pattern() {
            return pattern;
        }

        /**
         * The end, above {@code from}, of the word that begins at {@code from}, in valid UTF-8 that ends at {@code to}.
         */
        abstract int end(byte[] utf8, int from, int to);

        @Override
        public void split(byte[] utf8, int from, int to, boolean first, Sink out) {
            for (int at = from; at < to; ) {
                int end = end(utf8, at, to);
                out.part(utf8, at, end, first && at == from);
                at = end;
            }
        }
    }
}
