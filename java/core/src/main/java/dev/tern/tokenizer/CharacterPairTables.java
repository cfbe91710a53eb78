package dev.tern.tokenizer;

import dev.tern.io.InputException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** BPE over characters whose merges have ranks, as in HF's {@code BPE} model. */
final class CharacterPairTables implements SubwordEncoder.Tables {
    private final SubwordModel.CharacterPairs model;
    private final PieceTable pieces;
    private final MergeTable merges;
    private final int @Nullable [] byteIds;
    private final int unknown;

    CharacterPairTables(Vocabulary vocabulary, SubwordModel.CharacterPairs model, TokenBytes bytes) {
        this.model = model;
        this.pieces = bytes.pieces(vocabulary);
        this.merges = merges(vocabulary, model.merges());
        this.byteIds = model.byteFallback() ? TokenBytes.byteTokens(vocabulary) : null;
        this.unknown = TokenBytes.unknown(vocabulary);
    }

    @Override
    public SubwordEncoder encoder() {
        BytePairMerger merger = new BytePairMerger(merges);
        return (utf8, from, to, ids) -> {
            if (model.ignoreMerges()) {
                int id = pieces.find(utf8, from, to);
                if (id != PieceTable.ABSENT) {
                    ids.add(id);
                    return;
                }
            }
            int[] word = merger.pieces(to - from);
            ids.addAll(word, merger.merge(spell(utf8, from, to, word)));
        };
    }

    /** The first pieces: characters, or their bytes, or the unknown token; returns how many. */
    private int spell(byte[] utf8, int from, int to, int[] word) {
        int count = 0;
        boolean unknownBefore = false;
        for (int at = from; at < to; ) {
            int length = Utf8.length(utf8[at]);
            int id = pieces.find(utf8, at, at + length);
            if (id != PieceTable.ABSENT) {
                word[count++] = id;
            } else if (byteIds != null) {
                for (int i = at; i < at + length; i++) {
                    word[count++] = byteIds[utf8[i] & 0xFF];
                }
            } else if (unknown != PieceTable.ABSENT && !(unknownBefore && model.fuseUnknown())) {
                word[count++] = unknown;
            }
            unknownBefore = id == PieceTable.ABSENT && byteIds == null;
            at += length;
        }
        return count;
    }

    private static MergeTable merges(Vocabulary vocabulary, List<String> ranks) {
        PieceTable ids = new PieceTable(Spellings.of(vocabulary.tokens()));
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.types().get(id) != TokenType.UNUSED) {
                ids.put(id);
            }
        }
        Spellings spellings = Spellings.of(ranks);
        MergeTable table = new MergeTable(ranks.size());
        byte[] scratch = new byte[256];
        for (int rank = 0; rank < ranks.size(); rank++) {
            int space = spellings.space(rank);
            if (space < 0) {
                throw noPair(vocabulary, rank);
            }
            int from = spellings.offsets()[rank];
            int left = space - from;
            int length = spellings.offsets()[rank + 1] - from - 1;
            if (length > scratch.length) {
                scratch = new byte[length];
            }
            System.arraycopy(spellings.utf8(), from, scratch, 0, left);
            System.arraycopy(spellings.utf8(), space + 1, scratch, left, length - left);
            table.put(
                    piece(vocabulary, ids, scratch, 0, left, rank),
                    piece(vocabulary, ids, scratch, left, length, rank),
                    rank,
                    piece(vocabulary, ids, scratch, 0, length, rank));
        }
        return table;
    }

    private static int piece(Vocabulary vocabulary, PieceTable ids, byte[] bytes, int from, int to, int rank) {
        int id = ids.find(bytes, from, to);
        if (id == PieceTable.ABSENT) {
            throw badMerge(vocabulary, rank, "pieces of the vocabulary", "'" + Utf8.decode(bytes, from, to) + "'");
        }
        return id;
    }

    static InputException noPair(Vocabulary vocabulary, int rank) {
        return badMerge(
                vocabulary,
                rank,
                "two pieces with a space between them",
                "'" + vocabulary.model().merges().get(rank) + "'");
    }

    static InputException badMerge(Vocabulary vocabulary, int rank, String expected, String found) {
        return InputException.at(vocabulary.origin())
                .problem("merge " + rank + " is broken")
                .expected(expected)
                .found(found)
                .exception();
    }
}
