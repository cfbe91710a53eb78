package dev.tern.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * BPE over characters as SentencePiece does it ({@code bpe_model.cc}): of all neighbours whose joint text is a piece,
 * those merge whose piece has the highest score, of equal ones the leftmost, until none is left. O(n log n).
 */
final class ScoredPairTables implements SubwordEncoder.Tables {
    private static final int NEVER = Integer.MAX_VALUE;

    private final PieceTable pieces;
    private final int[] ranks;
    private final int longest;
    private final int @Nullable [] byteIds;
    private final int unknown;

    ScoredPairTables(Vocabulary vocabulary, SubwordModel.CharacterPairs model, TokenBytes bytes) {
        this.pieces = bytes.pieces(vocabulary);
        this.byteIds = model.byteFallback() ? TokenBytes.byteTokens(vocabulary) : null;
        this.unknown = TokenBytes.unknown(vocabulary);
        this.ranks = ranks(model.scores());
        int max = 0;
        for (int id = 0; id < vocabulary.size(); id++) {
            max = vocabulary.types().get(id) == TokenType.NORMAL ? Math.max(max, bytes.length(id)) : max;
        }
        this.longest = max;
    }

    /** The place of each score among all different ones, the highest first. */
    private static int[] ranks(java.util.List<Float> scores) {
        float[] sorted = new float[scores.size()];
        for (int i = 0; i < sorted.length; i++) {
            sorted[i] = -scores.get(i) + 0f; // +0: one zero
        }
        float[] places = sorted.clone();
        Arrays.sort(places);
        int distinct = 0;
        for (int i = 0; i < places.length; i++) {
            if (i == 0 || places[i] != places[i - 1]) {
                places[distinct++] = places[i];
            }
        }
        int[] ranks = new int[sorted.length];
        for (int i = 0; i < ranks.length; i++) {
            ranks[i] = Math.max(0, Arrays.binarySearch(places, 0, distinct, sorted[i]));
        }
        return ranks;
    }

    @Override
    public SubwordEncoder encoder() {
        return (utf8, from, to, ids) -> new Word(utf8, from, to).encode(ids);
    }

    /** Symbols are named by the number of their first character; {@code starts} has one entry more than characters. */
    private final class Word {
        private final byte[] utf8;
        private final int count;
        private final int[] starts;
        private final int[] next;
        private final int[] previous;
        private final int[] pairRanks;
        private final BytePairMerger.LongHeap heap;

        Word(byte[] utf8, int from, int to) {
            this.utf8 = utf8;
            int[] bounds = new int[to - from + 1];
            int characters = 0;
            for (int at = from; at < to; at += Utf8.length(utf8[at])) {
                bounds[characters++] = at;
            }
            bounds[characters] = to;
            count = characters;
            starts = bounds;
            next = new int[count];
            previous = new int[count];
            pairRanks = new int[count];
            heap = new BytePairMerger.LongHeap(count);
        }

        void encode(IdList ids) {
            for (int i = 0; i < count; i++) {
                next[i] = i + 1;
                previous[i] = i - 1;
            }
            for (int i = 0; i < count; i++) {
                rank(i);
            }
            while (!heap.isEmpty()) {
                long entry = heap.removeLeast();
                int at = (int) entry;
                if (pairRanks[at] != (int) (entry >>> 32)) {
                    continue; // the pair there is another by now
                }
                int gone = next[at];
                pairRanks[gone] = NEVER;
                next[at] = next[gone];
                if (next[at] < count) {
                    previous[next[at]] = at;
                }
                rank(at);
                if (previous[at] >= 0) {
                    rank(previous[at]);
                }
            }
            boolean unknownBefore = false;
            for (int i = 0; i < count; i = next[i]) {
                unknownBefore = add(starts[i], starts[next[i]], unknownBefore, ids);
            }
        }

        private void rank(int left) {
            int right = next[left];
            pairRanks[left] = NEVER;
            if (right < count) {
                int end = starts[next[right]];
                int id = end - starts[left] <= longest ? pieces.find(utf8, starts[left], end) : PieceTable.ABSENT;
                if (id != PieceTable.ABSENT) {
                    pairRanks[left] = ranks[id];
                    heap.add((long) ranks[id] << 32 | left);
                }
            }
        }

        private boolean add(int from, int to, boolean unknownBefore, IdList ids) {
            int id = pieces.find(utf8, from, to);
            if (id != PieceTable.ABSENT) {
                ids.add(id);
                return false;
            }
            if (byteIds != null) {
                for (int i = from; i < to; i++) {
                    ids.add(byteIds[utf8[i] & 0xFF]);
                }
                return false;
            }
            if (unknown != PieceTable.ABSENT && !unknownBefore) {
                ids.add(unknown);
            }
            return true;
        }
    }
}
