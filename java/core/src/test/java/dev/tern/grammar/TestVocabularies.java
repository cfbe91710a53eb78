package dev.tern.grammar;

import dev.tern.tokenizer.SubwordModel;
import dev.tern.tokenizer.TokenType;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;

/** Vocabularies for tests of grammars. */
final class TestVocabularies {
    private TestVocabularies() {}

    /** The tiny model's, 4,096 rows. */
    static VocabularyTrie tiny() {
        Path folder = Path.of(System.getProperty("tern.testdata")).resolve("tiny-bitnet/packed-u8");
        return VocabularyTrie.of(Tokenizer.of(Vocabulary.ofCheckpoint(folder, 4096)));
    }

    /**
     * A byte-level vocabulary: all bytes, then tokens as large models have them: words with and without a space, runs
     * of blanks and of signs that JSON is made of, numbers, pieces of characters of several bytes; then a special token
     * and two that end an answer.
     */
    static VocabularyTrie large(int size) {
        SplittableRandom random = new SplittableRandom(7);
        Set<String> texts = new LinkedHashSet<>();
        for (int b = 0; b < 256; b++) {
            texts.add(spelled(new byte[] {(byte) b}));
        }
        for (int blanks = 2; blanks <= 128; blanks++) {
            texts.add(spelled(" ".repeat(blanks)));
            texts.add(spelled("\n" + " ".repeat(blanks)));
        }
        String signs = "{}[]\",:\\ \n-.0123456789tfn";
        String letters = "abcdefghijklmnopqrstuvwxyz_";
        while (texts.size() < size - 3) {
            byte[] bytes = switch (random.nextInt(8)) {
                case 0 -> utf8(word(random, signs, 1, 5));
                case 1 -> utf8(word(random, letters, 1, 9) + word(random, signs, 1, 3));
                case 2 -> utf8(word(random, "0123456789", 1, 3));
                case 3 -> utf8(Character.toString(0x80 + random.nextInt(0xD000)).repeat(2));
                case 4 -> cut(random, utf8(Character.toString(0x1F300 + random.nextInt(700))));
                default -> utf8((random.nextBoolean() ? " " : "") + word(random, letters, 1, 9));
            };
            texts.add(spelled(bytes));
        }
        texts.addAll(List.of("<|call|>", "<|end|>", "<|eot|>"));
        List<TokenType> types = new ArrayList<>();
        for (int id = 0; id < size; id++) {
            types.add(id < size - 3 ? TokenType.NORMAL : TokenType.CONTROL);
        }
        Path folder = Path.of(System.getProperty("tern.testdata")).resolve("tiny-bitnet/packed-u8");
        return VocabularyTrie.of(Tokenizer.of(new Vocabulary(
                List.copyOf(texts),
                types,
                new SubwordModel.BytePairs(List.of(), false),
                Vocabulary.ofCheckpoint(folder, 4096).pipeline(),
                new TreeMap<>(),
                Map.of(),
                new TreeSet<>(Set.of(size - 2, size - 1)),
                false,
                false,
                Optional.empty(),
                "large",
                List.of())));
    }

    private static String word(SplittableRandom random, String alphabet, int least, int most) {
        StringBuilder word = new StringBuilder();
        for (int length = random.nextInt(least, most + 1); length > 0; length--) {
            word.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return word.toString();
    }

    private static byte[] cut(SplittableRandom random, byte[] character) {
        return Arrays.copyOfRange(character, random.nextInt(2), 1 + random.nextInt(1, character.length));
    }

    private static String spelled(String text) {
        return spelled(utf8(text));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** GPT-2's alphabet: printable bytes of Latin-1 are themselves, the others follow from U+0100 on. */
    private static String spelled(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte signed : bytes) {
            int b = signed & 0xFF;
            int others = 0;
            for (int before = 0; before < b; before++) {
                others += printable(before) ? 0 : 1;
            }
            text.append(printable(b) ? (char) b : (char) (0x100 + others));
        }
        return text.toString();
    }

    private static boolean printable(int b) {
        return b >= 0x21 && b <= 0x7E || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
    }
}
