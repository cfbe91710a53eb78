package dev.tern.tokenizer;

import dev.tern.io.InputException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Text to ids and back, equal to Hugging Face's {@code tokenizers} id for id: byte-level BPE, SentencePiece's BPE and
 * Unigram. The time to encode grows as n log n at worst, whatever the text. Immutable and thread-safe.
 */
public final class Tokenizer {
    private final Vocabulary vocabulary;
    private final TokenBytes bytes;
    private final TextNormalizer normalizer;
    private final TextSplitter splitter;
    private final PieceDecoding decoding;
    private final SubwordEncoder.Tables tables;
    private final AddedTokens added;
    private final BitSet ends = new BitSet();

    private Tokenizer(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
        String origin = vocabulary.origin();
        TextPipeline pipeline = vocabulary.pipeline();
        normalizer = pipeline.normalizer(origin);
        PreTokenizerSteps steps = pipeline.preTokenizer(origin);
        boolean byteLevel = vocabulary.model() instanceof SubwordModel.BytePairs;
        if (steps.byteLevel() != byteLevel) {
            throw InputException.at(origin)
                    .key("pre_tokenizer")
                    .problem("the words are spelled in bytes and the model's pieces in characters, or the other way"
                            + " round")
                    .exception();
        }
        splitter = steps.splitter();
        decoding = pipeline.decoding(origin);
        bytes = new TokenBytes(vocabulary, decoding.byteLevel());
        tables = SubwordEncoder.of(
                vocabulary, byteLevel == decoding.byteLevel() ? bytes : new TokenBytes(vocabulary, byteLevel));
        added = AddedTokens.of(vocabulary, normalizer);
        vocabulary.endIds().forEach(ends::set);
    }

    /**
     * @throws InputException when a merge joins or makes a piece that the vocabulary does not have, or its pipeline
     *     has a step that this version does not have
     */
    public static Tokenizer of(Vocabulary vocabulary) {
        return new Tokenizer(vocabulary);
    }

    /**
     * The text's ids.
     *
     * @param addSpecial adds BOS in front and EOS behind where the vocabulary says so, whatever the text begins with: say
     *     false for a rendered chat template, which writes its own
     * @param parseSpecial whether text that spells a special token is that token; say false for text from outside
     * @throws InputException when the text has a byte that the vocabulary neither has nor can call unknown
     */
    public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
        byte[] utf8 = Utf8.encode(text);
        Encoding encoding = new Encoding(utf8.length);
        if (addSpecial && vocabulary.addBos()) {
            encoding.token(vocabulary.specialIds().get(SpecialToken.BOS));
        }
        added.split(utf8, parseSpecial, encoding);
        if (addSpecial && vocabulary.addEos()) {
            encoding.token(vocabulary.specialIds().get(SpecialToken.EOS));
        }
        return encoding.ids.toArray();
    }

    /**
     * The ids' text. Bytes that are not UTF-8 become U+FFFD; a space that the vocabulary puts in front of a text is
     * taken off again.
     *
     * @param skipSpecial leaves special tokens out
     * @throws InputException for an id out of range
     */
    public String decode(int[] ids, boolean skipSpecial) {
        if (!decoding.byteLevel()) {
            PieceDecoding.Assembly assembly = decoding.assembly(false);
            StringBuilder text = new StringBuilder(4 * ids.length);
            for (int id : ids) {
                if (appears(id, skipSpecial)) {
                    assembly.add(text(id), text);
                }
            }
            assembly.finish(text);
            return text.toString();
        }
        int length = 0;
        for (int id : ids) {
            length = Math.addExact(length, appears(id, skipSpecial) ? bytes.length(id) : 0);
        }
        byte[] all = new byte[length];
        int at = 0;
        for (int id : ids) {
            if (appears(id, skipSpecial)) {
                at += bytes.copy(id, all, at);
            }
        }
        return Utf8.decode(all, 0, length);
    }

    /** The bytes that the token adds to a text, unless it stands in front; none for a row that no token has. */
    public byte[] bytes(int id) {
        requireInRange(id);
        if (decoding.byteLevel()) {
            return Arrays.copyOfRange(bytes.pool, bytes.offsets[id], bytes.offsets[id + 1]);
        }
        int b = decoding.byteOf(text(id));
        return b >= 0 ? new byte[] {(byte) b} : Utf8.encode(decoding.text(text(id), false));
    }

    /** A decoder for ids that come one by one; together they are what {@link #decode} says. */
    public TokenStream stream(boolean skipSpecial) {
        return stream(skipSpecial, Set.of(), false);
    }

    /**
     * A decoder for ids that come one by one and continue a text, such as a prompt: the space in front of their first
     * word belongs between the two, and stays.
     */
    public TokenStream continuation(boolean skipSpecial) {
        return stream(skipSpecial, Set.of(), true);
    }

    /** As {@link #continuation(boolean)}, leaving out the special tokens but for these. */
    public TokenStream continuation(Set<Integer> shown) {
        return stream(true, Set.copyOf(shown), true);
    }

    private TokenStream stream(boolean skipSpecial, Set<Integer> shown, boolean continues) {
        return decoding.byteLevel()
                ? new TokenStream.OfBytes(this, bytes, skipSpecial, shown)
                : new TokenStream.OfPieces(this, decoding.assembly(continues), skipSpecial, shown);
    }

    /** Whether the model has finished with this token: end of text, of a turn, of a message. */
    public boolean isEnd(int id) {
        return id >= 0 && ends.get(id);
    }

    /** Whether the token is left out of text where special tokens are. */
    public boolean isSpecial(int id) {
        requireInRange(id);
        return vocabulary.types().get(id).special();
    }

    /** The id of the token that is spelled exactly so in the vocabulary, such as {@code <|eot_id|>}. */
    public OptionalInt find(String token) {
        int id = vocabulary.tokens().lastIndexOf(token);
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** What this tokenizer was made of. */
    public Vocabulary vocabulary() {
        return vocabulary;
    }

    /** Whether the id contributes to text. */
    boolean appears(int id, boolean skipSpecial) {
        requireInRange(id);
        return !(skipSpecial && vocabulary.types().get(id).special());
    }

    /** The token as the vocabulary spells it; nothing for a row that no token has. */
    String text(int id) {
        return vocabulary.types().get(id) == TokenType.UNUSED ? "" : vocabulary.tokens().get(id);
    }

    private void requireInRange(int id) {
        if (id < 0 || id >= vocabulary.size()) {
            throw InputException.at("token id " + id)
                    .problem("not in the vocabulary")
                    .expected("0 to " + (vocabulary.size() - 1))
                    .exception();
        }
    }

    /** One text on its way to ids. */
    private final class Encoding implements AddedTokens.Sink {
        private final SubwordEncoder encoder = tables.encoder();
        private final IdList ids;

        Encoding(int bytes) {
            this.ids = new IdList(bytes / 3);
        }

        @Override
        public void text(byte[] utf8, int from, int to, boolean first) {
            splitter.split(utf8, from, to, first, (text, start, end, begins) -> encoder.word(text, start, end, ids));
        }

        @Override
        public void token(int id) {
            ids.add(id);
        }
    }
}
