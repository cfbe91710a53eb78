package dev.tern.tokenizer;

import dev.tern.io.InputException;
import java.util.HashMap;
import java.util.Map;

/** Byte-level BPE. */
final class BytePairTables implements SubwordEncoder.Tables {
    private final Vocabulary vocabulary;
    private final boolean ignoreMerges;
    private final PieceTable pieces;
    private final MergeTable merges;
    private final int[] byteIds = new int[256];

    BytePairTables(Vocabulary vocabulary, SubwordModel.BytePairs model, TokenBytes bytes) {
        this.vocabulary = vocabulary;
        this.ignoreMerges = model.ignoreMerges();
        this.pieces = bytes.pieces(vocabulary);
        this.merges = merges(model.merges());
        byte[] one = new byte[1];
        for (int b = 0; b < 256; b++) {
            one[0] = (byte) b;
            byteIds[b] = pieces.find(one, 0, 1);
        }
    }

    @Override
    public SubwordEncoder encoder() {
        BytePairMerger merger = new BytePairMerger(merges);
        return (utf8, from, to, ids) -> {
            if (ignoreMerges || to - from == 1) {
                int id = pieces.find(utf8, from, to);
                if (id != PieceTable.ABSENT) {
                    ids.add(id);
                    return;
                }
            }
            int[] word = merger.pieces(to - from);
            for (int i = from; i < to; i++) {
                int id = byteIds[utf8[i] & 0xFF];
                word[i - from] = id != PieceTable.ABSENT ? id : unknown(utf8[i] & 0xFF);
            }
            ids.addAll(word, merger.merge(to - from));
        };
    }

    private int unknown(int b) {
        return vocabulary.id(SpecialToken.UNKNOWN).orElseThrow(() -> InputException.at(vocabulary.origin())
                .problem("the vocabulary has no token for byte 0x%02X of the text, and none for what is unknown"
                        .formatted(b))
                .exception());
    }

    private MergeTable merges(java.util.List<String> ranks) {
        ByteAlphabet alphabet = new ByteAlphabet();
        MergeTable table = new MergeTable(ranks.size());
        Map<String, Integer> addedIds = new HashMap<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.types().get(id).added()) {
                addedIds.put(vocabulary.tokens().get(id), id);
            }
        }
        byte[] scratch = new byte[256];
        for (int rank = 0; rank < ranks.size(); rank++) {
            String merge = ranks.get(rank);
            int space = CharacterPairTables.space(vocabulary, merge, rank);
            if (merge.length() > scratch.length) {
                scratch = new byte[merge.length()];
            }
            int left = alphabet.decode(merge, 0, space, scratch, 0);
            int right = left < 0 ? -1 : alphabet.decode(merge, space + 1, merge.length(), scratch, left);
            if (right < 0) {
                throw CharacterPairTables.badMerge(
                        vocabulary, rank, "pieces spelled in the byte alphabet of GPT-2", "'" + merge + "'");
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
                throw CharacterPairTables.badMerge(vocabulary, rank, "pieces of the vocabulary", "'" + spelled + "'");
            }
            id = addedId;
            pieces.put(id);
        }
        return id;
    }
}
