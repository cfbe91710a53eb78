package dev.tern.checkpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.SequencedMap;

/**
 * A tokenizer of a given kind and size, in the layout of the family's checkpoints: pieces first, special tokens where
 * the family has them. The merges build pronounceable words out of consonant-vowel syllables, so every text can be
 * encoded and every token decodes to something readable. The same kind and size give the same bytes. Immutable.
 */
final class SyntheticTokenizer {
    /** The bytes and the fewest special tokens; every kind has room for its own in this. */
    static final int LEAST_VOCAB = 256 + 16;

    static final String MASK = "|<MASK>|";

    /** The tokenizers of model families. */
    enum Kind {
        /** Llama 3 and BitNet b1.58 2B-4T: BOS in front, digits in threes, {@code ignore_merges}. */
        LLAMA3,
        /** Falcon3: the words of Llama 3, no BOS. */
        FALCON3,
        /** Falcon-E: the words of Llama 3, no BOS. */
        FALCON_E,
        /** SmolLM2: single digits, then the words of GPT-2. */
        SMOLLM,
        /** Qwen2.5: NFC, single digits, the words of Llama 3 otherwise. */
        QWEN2,
        /** GPT-2. */
        GPT2,
        /** Llama 2: SentencePiece BPE with bytes, as tokenizer.model and as tokenizer.json. */
        SENTENCE_PIECE,
        /** The same, as tokenizer.model alone. */
        SENTENCE_PIECE_MODEL;

        boolean byteLevel() {
            return this != SENTENCE_PIECE && this != SENTENCE_PIECE_MODEL;
        }
    }

    /** A merge of two earlier tokens. */
    record Merge(String left, String right) {
        String result() {
            return left + right;
        }
    }

    /** From here on as many special tokens as Llama 3 has. */
    private static final int LARGE_VOCAB = 16384;

    private static final String CONSONANTS = "bcdfghjklmnpqrstvwxyz";
    private static final String VOWELS = "aeiou";

    private final Kind kind;
    private final int vocabSize;
    private final boolean masked;
    private final List<String> specials;
    private final List<String> letters;
    private final List<Merge> merges;

    private SyntheticTokenizer(Kind kind, int vocabSize, boolean masked) {
        if (vocabSize < LEAST_VOCAB) {
            throw new IllegalArgumentException("vocabulary of " + vocabSize);
        }
        this.kind = kind;
        this.vocabSize = vocabSize;
        this.masked = masked;
        this.specials = specials(kind, vocabSize < LARGE_VOCAB ? 16 : 256);
        int room = vocabSize - specials.size() - 256;
        this.letters = kind.byteLevel()
                ? ByteLevelAlphabet.letters()
                : printable().subList(0, Math.min(printable().size(), room));
        this.merges = merges(kind.byteLevel() ? room : room - letters.size(), kind.byteLevel() ? "\u0120" : "\u2581");
    }

    /** @throws IllegalArgumentException below {@link #LEAST_VOCAB} */
    static SyntheticTokenizer of(Kind kind, int vocabSize) {
        return new SyntheticTokenizer(kind, vocabSize, false);
    }

    /** The same with one more token behind all others, the mask of masked-diffusion models. */
    SyntheticTokenizer withMask() {
        return new SyntheticTokenizer(kind, vocabSize, true);
    }

    Kind kind() {
        return kind;
    }

    /** All tokens, the mask among them: rows of the model's embedding. */
    int size() {
        return masked ? vocabSize + 1 : vocabSize;
    }

    /** The token that begins a text, or, where the family has none, the one that its configuration names instead. */
    int bosId() {
        return specialId(bosToken());
    }

    int eosId() {
        return specialId(eosToken());
    }

    /** The end of a turn; the end of the text where the family has no other. */
    int endOfTurnId() {
        return specialId(endOfTurnToken());
    }

    OptionalInt maskId() {
        return masked ? OptionalInt.of(vocabSize) : OptionalInt.empty();
    }

    String bosToken() {
        return kind == Kind.LLAMA3 ? "<|begin_of_text|>" : kind.byteLevel() ? "<|endoftext|>" : "<s>";
    }

    String eosToken() {
        return kind == Kind.LLAMA3 ? "<|end_of_text|>" : kind.byteLevel() ? "<|endoftext|>" : "</s>";
    }

    String endOfTurnToken() {
        return kind == Kind.LLAMA3 ? "<|eot_id|>" : kind.byteLevel() ? "<|im_end|>" : "</s>";
    }

    /** Whether the tokenizer puts {@link #bosToken} in front of a text. */
    boolean addsBos() {
        return kind == Kind.LLAMA3 || !kind.byteLevel();
    }

    /**
     * All files of the tokenizer by name: tokenizer_config.json, special_tokens_map.json and, by kind, tokenizer.json,
     * tokenizer.model, added_tokens.json.
     *
     * @param contextLength tokens
     */
    SequencedMap<String, byte[]> files(int contextLength) {
        return new SyntheticTokenizerFiles(this).all(contextLength);
    }

    /** Special tokens in order of their ids, without the mask. */
    List<String> specials() {
        return specials;
    }

    /** SentencePiece has them in front, byte-level vocabularies behind. */
    int firstSpecial() {
        return kind.byteLevel() ? vocabSize - specials.size() : 0;
    }

    /** The pieces that merging starts from: the byte alphabet, or characters. */
    List<String> letters() {
        return letters;
    }

    /** By rank. */
    List<Merge> merges() {
        return merges;
    }

    private int specialId(String token) {
        return firstSpecial() + specials.indexOf(token);
    }

    private static List<String> specials(Kind kind, int count) {
        List<String> names = new ArrayList<>(switch (kind) {
            case LLAMA3 -> List.of(
                    "<|begin_of_text|>", "<|end_of_text|>", reserved(0), reserved(1), "<|finetune_right_pad_id|>",
                    reserved(2), "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>",
                    "<|python_tag|>");
            case SENTENCE_PIECE, SENTENCE_PIECE_MODEL -> List.of("<unk>", "<s>", "</s>");
            default -> List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>");
        });
        int reserved = kind == Kind.LLAMA3 ? 3 : 0;
        while (kind.byteLevel() && names.size() < count) {
            names.add(reserved(reserved++));
        }
        return List.copyOf(names);
    }

    private static String reserved(int i) {
        return "<|reserved_special_token_" + i + "|>";
    }

    /** What a SentencePiece vocabulary spells without its bytes: the space, letters, then the rest of ASCII. */
    private static List<String> printable() {
        List<String> characters = new ArrayList<>(List.of("\u2581"));
        for (String letter : (VOWELS + CONSONANTS).split("")) {
            characters.add(letter);
        }
        for (char c = '!'; c <= '~'; c++) {
            if (c < 'a' || c > 'z') {
                characters.add(String.valueOf(c));
            }
        }
        return characters;
    }

    /** Syllables, with and without a space before them; then words, each one syllable longer than an earlier one. */
    private static List<Merge> merges(int count, String space) {
        List<Merge> merges = new ArrayList<>(Math.max(0, count));
        List<String> syllables = new ArrayList<>();
        for (String consonant : CONSONANTS.split("")) {
            merges.add(new Merge(space, consonant));
            for (String vowel : VOWELS.split("")) {
                merges.add(new Merge(space + consonant, vowel));
                merges.add(new Merge(consonant, vowel));
                syllables.add(consonant + vowel);
            }
        }
        List<String> words = merges.stream().map(Merge::result).filter(word -> !word.matches(space + ".")).toList();
        while (merges.size() < count) {
            List<String> longer = new ArrayList<>();
            for (String syllable : syllables) {
                for (String word : words) {
                    if (merges.size() < count) {
                        merges.add(new Merge(word, syllable));
                        longer.add(word + syllable);
                    }
                }
            }
            words = longer;
        }
        return List.copyOf(merges.subList(0, count));
    }

    /** GPT-2's alphabet of printable characters for the 256 bytes, in the order of their characters. */
    private static final class ByteLevelAlphabet {
        static List<String> letters() {
            List<String> alphabet = new ArrayList<>();
            for (int b = 0; b < 256; b++) {
                if (b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae) {
                    alphabet.add(String.valueOf((char) b));
                }
            }
            for (int i = 0; alphabet.size() < 256; i++) {
                alphabet.add(String.valueOf((char) (256 + i)));
            }
            return alphabet;
        }
    }
}
