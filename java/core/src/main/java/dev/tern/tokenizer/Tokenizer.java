package dev.tern.tokenizer;

import dev.tern.io.InputException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Byte-level BPE: text to ids and back, equal to Hugging Face's {@code tokenizers} id for id. The time to encode grows as
 * n log n at worst, whatever the text. Immutable and thread-safe.
 */
public final class Tokenizer {
    private final Vocabulary vocabulary;
    private final byte[] pool;
    private final int[] offsets;
    private final PieceTable pieces;
    private final MergeTable merges;
    private final int[] byteIds = new int[256];
    private final AddedTokens added;
    private final BitSet ends = new BitSet();

    private Tokenizer(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
        ByteAlphabet alphabet = new ByteAlphabet();
        offsets = new int[vocabulary.size() + 1];
        pool = pool(vocabulary, alphabet, offsets);
        pieces = pieces(vocabulary, alphabet);
        merges = merges(vocabulary, alphabet);
        byte[] one = new byte[1];
        for (int b = 0; b < 256; b++) {
            one[0] = (byte) b;
            byteIds[b] = pieces.find(one, 0, 1);
        }
        added = AddedTokens.of(vocabulary);
        vocabulary.endIds().forEach(ends::set);
    }

    /**
     * @throws InputException when a merge joins or makes a piece that the vocabulary does not have
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
        Encoding encoding = new Encoding(utf8);
        if (addSpecial && vocabulary.addBos()) {
            encoding.token(vocabulary.specialIds().get(SpecialToken.BOS));
        }
        added.split(utf8, parseSpecial, encoding);
        if (addSpecial && vocabulary.addEos()) {
            encoding.token(vocabulary.specialIds().get(SpecialToken.EOS));
        }
        return encoding.ids();
    }

    /**
     * The ids' text; bytes that are not UTF-8 become U+FFFD.
     *
     * @param skipSpecial leaves special tokens out
     * @throws InputException for an id out of range
     */
    public String decode(int[] ids, boolean skipSpecial) {
        int length = 0;
        for (int id : ids) {
            length = Math.addExact(length, appears(id, skipSpecial) ? offsets[id + 1] - offsets[id] : 0);
        }
        byte[] bytes = new byte[length];
        int at = 0;
        for (int id : ids) {
            if (appears(id, skipSpecial)) {
                int count = offsets[id + 1] - offsets[id];
                System.arraycopy(pool, offsets[id], bytes, at, count);
                at += count;
            }
        }
        return Utf8.decode(bytes, 0, length);
    }

    /** The token's bytes; none for a row that no token has. */
    public byte[] bytes(int id) {
        requireInRange(id);
        return Arrays.copyOfRange(pool, offsets[id], offsets[id + 1]);
    }

    /** A decoder for ids that come one by one. */
    public TokenStream stream(boolean skipSpecial) {
        return new TokenStream(this, skipSpecial);
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
        for (int id = vocabulary.size() - 1; id >= 0; id--) {
            if (vocabulary.tokens().get(id).equals(token)) {
                return OptionalInt.of(id);
            }
        }
        return OptionalInt.empty();
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

    /** Copies the token's bytes; returns how many. {@code out} must have room for {@link #longest} more. */
    int copy(int id, byte[] out, int at) {
        int count = length(id);
        System.arraycopy(pool, offsets[id], out, at, count);
        return count;
    }

    int length(int id) {
        return offsets[id + 1] - offsets[id];
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
        private final byte[] utf8;
        private final BytePairMerger merger = new BytePairMerger(merges);
        private int[] ids;
        private int count;

        Encoding(byte[] utf8) {
            this.utf8 = utf8;
            this.ids = new int[utf8.length / 3 + 8];
        }

        @Override
        public void text(int from, int to) {
            PreTokenizer preTokenizer = vocabulary.preTokenizer();
            for (int at = from; at < to; ) {
                int end = preTokenizer.end(utf8, at, to);
                word(at, end);
                at = end;
            }
        }

        private void word(int from, int to) {
            if (vocabulary.ignoreMerges() || to - from == 1) {
                int id = pieces.find(utf8, from, to);
                if (id != PieceTable.ABSENT) {
                    token(id);
                    return;
                }
            }
            int[] word = merger.pieces(to - from);
            for (int i = from; i < to; i++) {
                int id = byteIds[utf8[i] & 0xFF];
                word[i - from] = id != PieceTable.ABSENT ? id : unknown(utf8[i] & 0xFF);
            }
            int left = merger.merge(to - from);
            room(left);
            System.arraycopy(word, 0, ids, count, left);
            count += left;
        }

        private int unknown(int b) {
            return vocabulary.id(SpecialToken.UNKNOWN).orElseThrow(() -> InputException.at(vocabulary.origin())
                    .problem("the vocabulary has no token for byte 0x%02X of the text, and none for what is unknown".formatted(b))
                    .exception());
        }

        @Override
        public void token(int id) {
            room(1);
            ids[count++] = id;
        }

        private void room(int more) {
            if (count + more > ids.length) {
                ids = Arrays.copyOf(ids, Math.max(count + more, ids.length + (ids.length >> 1)));
            }
        }

        int[] ids() {
            return count == ids.length ? ids : Arrays.copyOf(ids, count);
        }
    }

    /**
     * All tokens' bytes, one after the other. As in HF's ByteLevel decoder a token spells bytes when all its characters are
     * of the byte alphabet, whatever its type, and itself otherwise.
     */
    private static byte[] pool(Vocabulary vocabulary, ByteAlphabet alphabet, int[] offsets) {
        byte[] pool = new byte[vocabulary.size() * 8];
        int end = 0;
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.types().get(id) != TokenType.UNUSED) {
                String token = vocabulary.tokens().get(id);
                byte[] bytes = alphabet.decode(token);
                if (bytes == null) {
                    bytes = Utf8.encode(token);
                }
                if (bytes.length > pool.length - end) {
                    pool = Arrays.copyOf(pool, Math.addExact(Math.addExact(end, bytes.length), pool.length / 2));
                }
                System.arraycopy(bytes, 0, pool, end, bytes.length);
                end += bytes.length;
            }
            offsets[id + 1] = end;
        }
        return Arrays.copyOf(pool, end);
    }

    /** The pieces that ordinary text can become. */
    private PieceTable pieces(Vocabulary vocabulary, ByteAlphabet alphabet) {
        PieceTable table = new PieceTable(pool, offsets);
        for (int id = 0; id < vocabulary.size(); id++) {
            boolean piece = vocabulary.types().get(id) == TokenType.NORMAL
                    || vocabulary.flags(id).contains(AddedTokenFlag.IN_MODEL);
            if (piece && !vocabulary.tokens().get(id).isEmpty() && alphabet.decode(vocabulary.tokens().get(id)) != null) {
                table.put(id);
            }
        }
        return table;
    }

    private MergeTable merges(Vocabulary vocabulary, ByteAlphabet alphabet) {
        MergeTable table = new MergeTable(vocabulary.merges().size());
        Map<String, Integer> addedIds = new HashMap<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.types().get(id).added()) {
                addedIds.put(vocabulary.tokens().get(id), id);
            }
        }
        byte[] scratch = new byte[256];
        for (int rank = 0; rank < vocabulary.merges().size(); rank++) {
            String merge = vocabulary.merges().get(rank);
            int space = merge.indexOf(' ');
            if (space <= 0 || space == merge.length() - 1 || merge.indexOf(' ', space + 1) >= 0) {
                throw badMerge(rank, "two pieces with a space between them", "'" + merge + "'");
            }
            if (merge.length() > scratch.length) {
                scratch = new byte[merge.length()];
            }
            int left = alphabet.decode(merge, 0, space, scratch, 0);
            int right = left < 0 ? -1 : alphabet.decode(merge, space + 1, merge.length(), scratch, left);
            if (right < 0) {
                throw badMerge(rank, "pieces spelled in the byte alphabet of GPT-2", "'" + merge + "'");
            }
            table.put(
                    piece(scratch, 0, left, addedIds, alphabet, rank),
                    piece(scratch, left, left + right, addedIds, alphabet, rank),
                    rank,
                    piece(scratch, 0, left + right, addedIds, alphabet, rank));
        }
        return table;
    }

    /** A piece of a merge. Files that do not say which added tokens are pieces too betray it here. */
    private int piece(byte[] bytes, int from, int to, Map<String, Integer> addedIds, ByteAlphabet alphabet, int rank) {
        int id = pieces.find(bytes, from, to);
        if (id == PieceTable.ABSENT) {
            String spelled = alphabet.encode(bytes, from, to);
            Integer addedId = addedIds.get(spelled);
            if (addedId == null) {
                throw badMerge(rank, "pieces of the vocabulary", "'" + spelled + "'");
            }
            id = addedId;
            pieces.put(id);
        }
        return id;
    }

    private InputException badMerge(int rank, String expected, String found) {
        return InputException.at(vocabulary.origin())
                .problem("merge " + rank + " is broken")
                .expected(expected)
                .found(found)
                .exception();
    }
}
