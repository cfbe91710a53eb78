package dev.tern.tokenizer;

import org.jspecify.annotations.Nullable;

/**
 * SentencePiece's Unigram model ({@code unigram_model.cc}, {@code EncodeOptimized}): the pieces whose scores have the
 * largest sum, by Viterbi's algorithm. A character that is no piece costs 10 more than the worst piece; such
 * characters in a row are one unknown token, or their bytes. O(n) times the longest piece.
 */
final class UnigramTables implements SubwordEncoder.Tables {
    private static final double UNKNOWN_PENALTY = 10;

    private final SubwordModel.Unigram model;
    private final PieceTable pieces;
    private final int longest;
    private final double unknownScore;
    private final int @Nullable [] byteIds;
    private final int unknown;

    UnigramTables(Vocabulary vocabulary, SubwordModel.Unigram model, TokenBytes bytes) {
        this.model = model;
        this.pieces = bytes.pieces(vocabulary);
        this.byteIds = model.byteFallback() ? TokenBytes.byteTokens(vocabulary) : null;
        this.unknown = TokenBytes.unknown(vocabulary);
        int max = 0;
        double least = 0;
        for (int id = 0; id < vocabulary.size(); id++) {
            boolean piece = vocabulary.types().get(id) == TokenType.NORMAL
                    || vocabulary.flags(id).contains(AddedTokenFlag.IN_MODEL);
            if (piece) {
                max = Math.max(max, bytes.length(id));
                least = Math.min(least, model.scores().get(id));
            }
        }
        this.longest = max;
        this.unknownScore = least - UNKNOWN_PENALTY;
    }

    @Override
    public SubwordEncoder encoder() {
        return this::encode;
    }

    private void encode(byte[] utf8, int from, int to, IdList ids) {
        int length = to - from;
        // Of the best way to each place: its score, the id of its last piece, and where that begins (−1: no way yet).
        double[] scores = new double[length + 1];
        int[] lastIds = new int[length + 1];
        int[] lastStarts = new int[length + 1];
        java.util.Arrays.fill(lastStarts, -1);
        for (int at = 0; at < length; at += Utf8.length(utf8[from + at])) {
            int character = Utf8.length(utf8[from + at]);
            boolean single = false;
            for (int end = at + character; end <= length && end - at <= longest; ) {
                int id = pieces.find(utf8, from + at, from + end);
                if (id != PieceTable.ABSENT) {
                    double score = model.scores().get(id) + scores[at];
                    if (lastStarts[end] < 0 || score > scores[end]) {
                        scores[end] = score;
                        lastIds[end] = id;
                        lastStarts[end] = at;
                    }
                    single |= end == at + character;
                }
                end += end < length ? Utf8.length(utf8[from + end]) : 1;
            }
            int end = at + character;
            if (!single && (lastStarts[end] < 0 || unknownScore + scores[at] > scores[end])) {
                scores[end] = unknownScore + scores[at];
                lastIds[end] = PieceTable.ABSENT;
                lastStarts[end] = at;
            }
        }
        // Backwards from the end; the places of the way, then forwards.
        int count = 0;
        int[] ends = new int[length];
        for (int end = length; end > 0; end = lastStarts[end]) {
            ends[count++] = end;
        }
        boolean unknownBefore = false;
        while (count-- > 0) {
            int end = ends[count];
            if (lastIds[end] != PieceTable.ABSENT) {
                ids.add(lastIds[end]);
                unknownBefore = false;
            } else if (byteIds != null) {
                for (int i = lastStarts[end]; i < end; i++) {
                    ids.add(byteIds[utf8[from + i] & 0xFF]);
                }
            } else {
                if (unknown != PieceTable.ABSENT && !unknownBefore) {
                    ids.add(unknown);
                }
                unknownBefore = true;
            }
        }
    }
}
