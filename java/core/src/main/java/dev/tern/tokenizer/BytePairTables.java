package dev.tern.tokenizer;

import dev.tern.io.InputException;
import java.util.HashMap;
import java.util.List;
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
        this.merges = new Merges(model.merges()).read();
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

    /** Reads the merges of a vocabulary. */
    private final class Merges {
        private final List<String> ranks;
        private final Spellings spellings;
        private final ByteAlphabet alphabet = new ByteAlphabet();
        private final Map<String, Integer> addedIds = new HashMap<>();
        private final MergeTable table;
        private byte[] scratch = new byte[256];

        Merges(List<String> ranks) {
            this.ranks = ranks;
            this.spellings = Spellings.of(ranks);
            this.table = new MergeTable(ranks.size());
            for (int id = 0; id < vocabulary.size(); id++) {
                if (vocabulary.types().get(id).added()) {
                    addedIds.put(vocabulary.tokens().get(id), id);
                }
            }
        }

        MergeTable read() {
            for (int rank = 0; rank < ranks.size(); rank++) {
                read(rank);
            }
            return table;
        }

        private void read(int rank) {
            byte[] utf8 = spellings.utf8();
            int from = spellings.offsets()[rank];
            int to = spellings.offsets()[rank + 1];
            int space = spellings.space(rank);
            if (space < 0) {
                throw CharacterPairTables.noPair(vocabulary, rank);
            }
            if (to - from > scratch.length) {
                scratch = new byte[to - from];
            }
            int left = alphabet.decode(utf8, from, space, scratch, 0);
            int right = left < 0 ? -1 : alphabet.decode(utf8, space + 1, to, scratch, left);
            if (right < 0) {
                throw CharacterPairTables.badMerge(
                        vocabulary, rank, "pieces spelled in the byte alphabet of GPT-2", "'" + ranks.get(rank) + "'");
            }
            table.put(piece(0, left, rank), piece(left, left + right, rank), rank, piece(0, left + right, rank));
        }

        /** A piece of a merge. Files that do not say which added tokens are pieces too betray it here. */
        private int piece(int from, int to, int rank) {
            int id = pieces.find(scratch, from, to);
            return id != PieceTable.ABSENT ? id : addedPiece(from, to, rank);
        }

        private int addedPiece(int from, int to, int rank) {
            String spelled = alphabet.encode(scratch, from, to);
            Integer id = addedIds.get(spelled);
            if (id == null) {
                throw CharacterPairTables.badMerge(vocabulary, rank, "pieces of the vocabulary", "'" + spelled + "'");
            }
            pieces.put(id);
            return id;
        }
    }
}
