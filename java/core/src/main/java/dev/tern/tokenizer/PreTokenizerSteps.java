package dev.tern.tokenizer;

import dev.tern.tokenizer.MatchSplitter.Behavior;
import java.nio.charset.StandardCharsets;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * The {@code pre_tokenizer} of a tokenizer.json as a chain of {@link TextSplitter}s that cut as HF's do. The words of a
 * byte-level chain are plain bytes; of any other, text.
 *
 * @param splitter the chain
 * @param byteLevel whether words are spelled in the byte alphabet for the model
 */
record PreTokenizerSteps(TextSplitter splitter, boolean byteLevel) {
    private static final ByteAlphabet ALPHABET = new ByteAlphabet();
    private static final String KEY = "pre_tokenizer";

    /** Rust's {@code char::is_numeric}. */
    private static final CharacterClass NUMERIC = c -> WordClass.isNumber(c);

    /** ASCII's punctuation, which has some of Unicode's symbols, and Unicode's. */
    private static final CharacterClass PUNCTUATION = c -> c < 128
            ? c >= '!' && c <= '~' && !Character.isLetterOrDigit(c)
            : WordClass.isPunctuation(c);

    static PreTokenizerSteps of(JsonNode json, Object where) {
        TextSplitter chain = TextSplitter.whole();
        boolean byteLevel = false;
        boolean spelled = false;
        List<JsonNode> steps = PipelineJson.steps(json, "pretokenizers");
        for (int i = 0; i < steps.size(); i++) {
            JsonNode step = steps.get(i);
            String type = PipelineJson.type(step);
            if (byteLevel && (type.equals("ByteLevel") || type.equals("Metaspace"))) {
                throw PipelineJson.unsupported(where, KEY, "nothing behind ByteLevel that changes text", json);
            }
            chain = i == 0 ? step(step, where) : chain.then(step(step, where));
            if (type.equals("ByteLevel")) {
                byteLevel = true;
                spelled = i < steps.size() - 1;
                if (spelled) {
                    // What comes behind sees the spelling: there, some bytes are digits.
                    chain = chain.then(PreTokenizerSteps::spell);
                }
            }
        }
        return new PreTokenizerSteps(spelled ? chain.then(PreTokenizerSteps::unspell) : chain, byteLevel);
    }

    private static TextSplitter step(JsonNode step, Object where) {
        switch (PipelineJson.type(step)) {
            case "Split" -> {
                Behavior behavior = behavior(step, where);
                boolean invert = step.path("invert").asBoolean(false);
                PreTokenizer.Words known = PreTokenizer.Words.of(step.path("pattern").path("Regex").asString(""));
                // These patterns leave nothing between two matches, so "keep both" and "drop what is between" are one.
                if (known != null
                        && (behavior == Behavior.ISOLATED && !invert || behavior == Behavior.REMOVED && invert)) {
                    return known;
                }
                return new MatchSplitter(PipelineJson.pattern(step, where, KEY), behavior, invert);
            }
            case "ByteLevel" -> {
                TextSplitter cut =
                        step.path("use_regex").asBoolean(true) ? PreTokenizer.Words.GPT2 : TextSplitter.whole();
                return step.path("add_prefix_space").asBoolean(true) ? prefixed(" ", false).then(cut) : cut;
            }
            case "Digits" -> {
                boolean single = step.path("individual_digits").asBoolean(false);
                return new MatchSplitter(
                        MatchSplitter.characters(NUMERIC), single ? Behavior.ISOLATED : Behavior.CONTIGUOUS, false);
            }
            case "Punctuation" -> {
                Behavior behavior = step.has("behavior") ? behavior(step, where) : Behavior.ISOLATED;
                return new MatchSplitter(MatchSplitter.characters(PUNCTUATION), behavior, false);
            }
            case "WhitespaceSplit" -> {
                return new MatchSplitter(MatchSplitter.characters(CharacterClass.SPACE), Behavior.REMOVED, false);
            }
            case "Whitespace" -> {
                return new MatchSplitter(MatchSplitter.regex(compiled("\\w+|[^\\w\\s]+")), Behavior.REMOVED, true);
            }
            case "CharDelimiterSplit" -> {
                String delimiter = step.path("delimiter").asString("");
                if (delimiter.codePointCount(0, delimiter.length()) == 1) {
                    return new MatchSplitter(MatchSplitter.literal(Utf8.encode(delimiter)), Behavior.REMOVED, false);
                }
            }
            case "Metaspace" -> {
                return metaspace(step, where);
            }
            default -> { }
        }
        throw PipelineJson.unsupported(
                where,
                KEY,
                "Split, ByteLevel, Digits, Punctuation, Whitespace, WhitespaceSplit, CharDelimiterSplit, Metaspace",
                step);
    }

    private static Behavior behavior(JsonNode step, Object where) {
        Behavior behavior = Behavior.named(step.path("behavior").asString(""));
        if (behavior == null) {
            throw PipelineJson.unsupported(where, KEY, "a behavior", step);
        }
        return behavior;
    }

    private static Regex compiled(String pattern) {
        try {
            return Regex.compile(pattern);
        } catch (RegexParser.UnsupportedException e) {
            throw new AssertionError(pattern, e);
        }
    }

    private static TextSplitter metaspace(JsonNode step, Object where) {
        String mark = step.path("replacement").asString("\u2581");
        String scheme = step.path("prepend_scheme")
                .asString(step.path("add_prefix_space").asBoolean(true) ? "always" : "never");
        if (mark.codePointCount(0, mark.length()) != 1 || !List.of("always", "never", "first").contains(scheme)) {
            throw PipelineJson.unsupported(where, KEY, "one character, and prepend_scheme always, never or first",
                    step);
        }
        byte[] bytes = Utf8.encode(mark);
        TextSplitter chain = (utf8, from, to, first, out) -> {
            byte[] marked = TextNormalizer.replaced(utf8, from, to, MatchSplitter.literal(new byte[] {' '}), bytes);
            out.part(marked, 0, marked.length, first);
        };
        if (!scheme.equals("never")) {
            chain = chain.then(prefixed(mark, scheme.equals("first")));
        }
        return step.path("split").asBoolean(true)
                ? chain.then(new MatchSplitter(MatchSplitter.literal(bytes), Behavior.MERGED_WITH_NEXT, false))
                : chain;
    }

    /** Puts the prefix in front of a text that does not begin with it. */
    private static TextSplitter prefixed(String prefix, boolean onlyFirst) {
        byte[] bytes = Utf8.encode(prefix);
        return (utf8, from, to, first, out) -> {
            boolean there = to - from >= bytes.length
                    && java.util.Arrays.equals(utf8, from, from + bytes.length, bytes, 0, bytes.length);
            if (there || onlyFirst && !first) {
                out.part(utf8, from, to, first);
                return;
            }
            byte[] longer = new byte[bytes.length + to - from];
            System.arraycopy(bytes, 0, longer, 0, bytes.length);
            System.arraycopy(utf8, from, longer, bytes.length, to - from);
            out.part(longer, 0, longer.length, first);
        };
    }

    private static void spell(byte[] utf8, int from, int to, boolean first, TextSplitter.Sink out) {
        byte[] spelled = ALPHABET.encode(utf8, from, to).getBytes(StandardCharsets.UTF_8);
        out.part(spelled, 0, spelled.length, first);
    }

    private static void unspell(byte[] utf8, int from, int to, boolean first, TextSplitter.Sink out) {
        byte[] bytes = new byte[to - from];
        int length = ALPHABET.decode(utf8, from, to, bytes, 0);
        if (length < 0) {
            throw new IllegalStateException("cut inside a character");
        }
        out.part(bytes, 0, length, first);
    }
}
