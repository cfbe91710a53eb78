package dev.tern.tokenizer;

import dev.tern.io.InputException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
        Map<String, Integer> ids = HashMap.newHashMap(vocabulary.size());
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.types().get(id) != TokenType.UNUSED) {
                ids.put(vocabulary.tokens().get(id), id);
            }
        }
        MergeTable table = new MergeTable(ranks.size());
        for (int rank = 0; rank < ranks.size(); rank++) {
            String merge = ranks.get(rank);
            int space = space(vocabulary, merge, rank);
            String left = merge.substring(0, space);
            String right = merge.substring(space + 1);
            Integer leftId = ids.get(left);
            Integer rightId = ids.get(right);
            Integer result = ids.get(left + right);
            if (leftId == null || rightId == null || result == null) {
                String absent = leftId == null ? left : rightId == null ? right : left + right;
                throw badMerge(vocabulary, rank, "pieces of the vocabulary", "'" + absent + "'");
            }
            table.put(leftId, rightId, rank, result);
        }
        return table;
    }

    /** Where the one space of a merge is. */
    static int space(Vocabulary vocabulary, String merge, int rank) {
        int space = merge.indexOf(' ');
        if (space <= 0 || space == merge.length() - 1 || merge.indexOf(' ', space + 1) >= 0) {
            throw badMerge(vocabulary, rank, "two pieces with a space between them", "'" + merge + "'");
        }
        return space;
    }

    static InputException badMerge(Vocabulary vocabulary, int rank, String expected, String found) {
        return InputException.at(vocabulary.origin())
                .problem("merge " + rank + " is broken")
                .expected(expected)
                .found(found)
                .exception();
    }
}
