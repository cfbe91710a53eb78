package dev.tern.tokenizer;

import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Looks for faults that a vocabulary can have without being unreadable, and proves that two vocabularies do the same.
 * Stateless and thread-safe.
 */
public final class VocabularyCheck {
    /** What is wrong. */
    public enum Fault {
        /** Texts of tokens begin with the begin-of-text token. */
        BOS_BAKED_IN,
        /** Bytes have no token. */
        BYTES_MISSING,
        /** Merges or scores are missing, or stand twice. */
        MERGES,
        /** A special token is a row that no token has, or no token ends an answer. */
        SPECIAL_TOKEN
    }

    /**
     * Something that is wrong.
     *
     * @param fault what kind of thing
     * @param text what, in a sentence
     * @param cure what to do about it, in a sentence
     */
    public record Finding(Fault fault, String text, String cure) {}

    /** So many tokens must begin with BOS before it is no accident. */
    private static final int FEWEST_BAKED = 3;

    private static final String CONVERT_AGAIN = "Convert the checkpoint again with tern convert.";

    private VocabularyCheck() {}

    /** All that is wrong with the vocabulary; empty when nothing is. */
    public static List<Finding> findings(Vocabulary vocabulary) {
        List<Finding> findings = new ArrayList<>();
        Optional<String> bos = vocabulary.token(SpecialToken.BOS);
        bakedBos(vocabulary.tokens(), bos.orElse(""))
                .ifPresent(text -> findings.add(new Finding(Fault.BOS_BAKED_IN, text, CONVERT_AGAIN)));
        alphabet(vocabulary, findings);
        merges(vocabulary, findings);
        parts(vocabulary, findings);
        return findings;
    }

    /** As {@link #bakedBos(List, String)}, with the vocabulary's own BOS. */
    public static Optional<String> bakedBos(Vocabulary vocabulary) {
        return bakedBos(vocabulary.tokens(), vocabulary.token(SpecialToken.BOS).orElse(""));
    }

    /**
     * Whether the texts of tokens begin with a begin-of-text token. Some converters make a token's text by encoding and
     * decoding it with special tokens, so that a tokenizer that adds BOS puts it in front of every text; such a vocabulary
     * finds its added tokens in no text.
     *
     * @param tokens by id, as a file has them; they need not be a readable vocabulary
     * @param bos the text of the begin-of-text token; when empty, the common ones are tried
     * @return what is wrong, in a sentence
     */
    public static Optional<String> bakedBos(List<String> tokens, String bos) {
        // With the fault, BOS itself may have become BOS BOS.
        String half = bos.substring(0, bos.length() / 2);
        List<String> marks = bos.isEmpty()
                ? List.of("<|begin_of_text|>", "<s>", "<|startoftext|>", "<bos>", "<|endoftext|>")
                : half.isEmpty() || !bos.equals(half + half) ? List.of(bos) : List.of(half, bos);
        for (String mark : marks) {
            int count = 0;
            String example = "";
            for (String token : tokens) {
                if (token.length() > mark.length() && token.startsWith(mark)) {
                    count++;
                    example = example.isEmpty() ? token : example;
                }
            }
            if (count >= FEWEST_BAKED) {
                return Optional.of(count + " of " + tokens.size() + " tokens begin with the begin-of-text token '" + mark
                        + "', such as '" + shortened(example) + "': the converter baked it into their texts, so they are"
                        + " found in no text.");
            }
        }
        return Optional.empty();
    }

    /** Byte-level vocabularies must spell every byte, those with byte tokens have all 256. */
    private static void alphabet(Vocabulary vocabulary, List<Finding> findings) {
        Set<String> tokens = new HashSet<>(vocabulary.tokens());
        List<String> missing = new ArrayList<>();
        boolean byteLevel = vocabulary.model() instanceof SubwordModel.BytePairs;
        boolean bytes = switch (vocabulary.model()) {
            case SubwordModel.BytePairs model -> true;
            case SubwordModel.CharacterPairs model -> model.byteFallback();
            case SubwordModel.Unigram model -> model.byteFallback();
        };
        ByteAlphabet alphabet = new ByteAlphabet();
        for (int b = 0; bytes && b < 256; b++) {
            String letter = byteLevel ? alphabet.encode(new byte[] {(byte) b}, 0, 1) : "<0x%02X>".formatted(b);
            if (!tokens.contains(letter)) {
                missing.add("0x%02X".formatted(b));
            }
        }
        // Bytes that no UTF-8 has are left out of some vocabularies.
        missing.removeIf(b -> b.equals("0xC0") || b.equals("0xC1") || b.compareTo("0xF5") >= 0);
        if (!missing.isEmpty()) {
            findings.add(new Finding(
                    Fault.BYTES_MISSING,
                    missing.size() + " bytes have no token, such as " + missing.getFirst()
                            + ": texts with them cannot be encoded.",
                    "Look whether the tokenizer's file is whole. " + CONVERT_AGAIN));
        }
    }

    private static void merges(Vocabulary vocabulary, List<Finding> findings) {
        if (vocabulary.model() instanceof SubwordModel.BytePairs
                && vocabulary.merges().isEmpty()
                && vocabulary.size() > 512) {
            findings.add(new Finding(
                    Fault.MERGES,
                    "The vocabulary has " + vocabulary.size() + " tokens and no merges: every text becomes single bytes.",
                    CONVERT_AGAIN));
        }
        if (vocabulary.model() instanceof SubwordModel.CharacterPairs pairs
                && pairs.ranks().isEmpty()
                && vocabulary.size() > 512
                && new HashSet<>(pairs.scores()).size() == 1) {
            findings.add(new Finding(
                    Fault.MERGES,
                    "All tokens have the score " + pairs.scores().getFirst() + ": nothing says which pieces merge first.",
                    CONVERT_AGAIN));
        }
        Set<String> twice = new HashSet<>();
        long doubled = vocabulary.merges().stream().filter(merge -> !twice.add(merge)).count();
        if (doubled > 0) {
            findings.add(new Finding(Fault.MERGES, doubled + " merges stand twice in the list.", CONVERT_AGAIN));
        }
    }

    private static void parts(Vocabulary vocabulary, List<Finding> findings) {
        for (Map.Entry<SpecialToken, Integer> part : vocabulary.specialIds().entrySet()) {
            if (vocabulary.types().get(part.getValue()) == TokenType.UNUSED) {
                findings.add(new Finding(
                        Fault.SPECIAL_TOKEN,
                        part.getKey() + " is id " + part.getValue() + ", a row that no token has.",
                        "Correct " + part.getKey().ggufKey() + ", or convert the checkpoint again."));
            }
        }
        if (vocabulary.endIds().isEmpty()) {
            findings.add(new Finding(
                    Fault.SPECIAL_TOKEN,
                    "No token ends an answer: generation stops at its limit only.",
                    "Name eos_token in tokenizer_config.json, or eos_token_id in generation_config.json."));
        }
    }

    /**
     * What two vocabularies make of the same texts.
     *
     * @param texts on how many they were tried
     * @param restored how many of the texts came back as they were from the first vocabulary's tokens; one that
     *     normalizes, or lacks bytes, loses some by design
     * @param problems where the two differ, a sentence for each text; empty when they do nowhere
     */
    public record RoundTrip(int texts, int restored, List<String> problems) {
        public RoundTrip {
            problems = List.copyOf(problems);
        }
    }

    /**
     * Compares what two vocabularies make of texts in many scripts, with special tokens, runs of white space, code and
     * odd characters: the ids, with special tokens parsed and not, and the text of the ids. A text that neither can encode
     * is no difference.
     */
    public static RoundTrip roundTrip(Vocabulary a, Vocabulary b) {
        Tokenizer first = Tokenizer.of(a);
        Tokenizer second = Tokenizer.of(b);
        List<String> texts = new ArrayList<>(RoundTripTexts.TEXTS);
        texts.addAll(RoundTripTexts.withTokens(a));
        List<String> problems = new ArrayList<>();
        int restored = 0;
        for (String text : texts) {
            int[] ids = encoded(first, text, false);
            String characters = text.replaceAll("\\p{Cs}", "\uFFFD"); // half of a surrogate pair is none
            restored += ids != null && first.decode(ids, false).equals(characters) ? 1 : 0;
            difference(first, second, text, true)
                    .or(() -> difference(first, second, text, false))
                    .ifPresent(problems::add);
        }
        return new RoundTrip(texts.size(), restored, problems);
    }

    /** A few sentences that most vocabularies can encode, for models to be run on. */
    public static String sample() {
        return RoundTripTexts.PROSE;
    }

    private static Optional<String> difference(Tokenizer first, Tokenizer second, String text, boolean special) {
        int[] expected = encoded(first, text, special);
        int[] found = encoded(second, text, special);
        if (expected == null || found == null) {
            return expected == found
                    ? Optional.empty()
                    : Optional.of("The text '" + shortened(text) + "' can be encoded with one and not with the other.");
        }
        int at = Arrays.mismatch(expected, found);
        if (at >= 0) {
            return Optional.of("The text '" + shortened(text) + "' becomes other tokens: at place " + at + " "
                    + named(first, expected, at) + " in one, " + named(second, found, at) + " in the other.");
        }
        String one = first.decode(expected, special);
        String other = second.decode(found, special);
        return one.equals(other)
                ? Optional.empty()
                : Optional.of("The tokens of '" + shortened(text) + "' become another text: '" + shortened(one)
                        + "' in one, '" + shortened(other) + "' in the other.");
    }

    /** Null when the vocabulary has no tokens for the text. */
    private static int @Nullable [] encoded(Tokenizer tokenizer, String text, boolean special) {
        try {
            return tokenizer.encode(text, special, special);
        } catch (InputException e) {
            return null;
        }
    }

    private static String named(Tokenizer tokenizer, int[] ids, int at) {
        return at < ids.length
                ? ids[at] + " ('" + shortened(tokenizer.vocabulary().tokens().get(ids[at])) + "')"
                : "the end";
    }

    private static String shortened(String text) {
        String line = text.replace("\n", "\\n").replace("\r", "\\r");
        return line.length() > 60 ? line.substring(0, 60) + "…" : line;
    }
}
