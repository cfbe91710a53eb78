package dev.tern.tokenizer;

import java.util.Arrays;

/**
 * All tokens' bytes, one after the other. In a byte-level vocabulary, as in HF's ByteLevel decoder, a token spells
 * bytes when all its characters are of the byte alphabet, whatever its type; otherwise, and in every other vocabulary,
 * it is itself.
 */
final class TokenBytes {
    final byte[] pool;
    final int[] offsets;

    TokenBytes(Vocabulary vocabulary, boolean byteLevel) {
        ByteAlphabet alphabet = new ByteAlphabet();
        byte[] bytes = new byte[vocabulary.size() * 8];
        offsets = new int[vocabulary.size() + 1];
        int end = 0;
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.types().get(id) != TokenType.UNUSED) {
                String token = vocabulary.tokens().get(id);
                byte[] spelled = byteLevel ? alphabet.decode(token) : null;
                if (spelled == null) {
                    spelled = Utf8.encode(token);
                }
                if (spelled.length > bytes.length - end) {
                    bytes = Arrays.copyOf(bytes, Math.addExact(Math.addExact(end, spelled.length), bytes.length / 2));
                }
                System.arraycopy(spelled, 0, bytes, end, spelled.length);
                end += spelled.length;
            }
            offsets[id + 1] = end;
        }
        pool = Arrays.copyOf(bytes, end);
    }

    int length(int id) {
        return offsets[id + 1] - offsets[id];
    }

    int copy(int id, byte[] out, int at) {
        int count = length(id);
        System.arraycopy(pool, offsets[id], out, at, count);
        return count;
    }

    /** The pieces that ordinary text can become by merging. */
    PieceTable pieces(Vocabulary vocabulary) {
        ByteAlphabet alphabet = new ByteAlphabet();
        boolean byteLevel = vocabulary.model() instanceof SubwordModel.BytePairs;
        PieceTable table = new PieceTable(pool, offsets);
        for (int id = 0; id < vocabulary.size(); id++) {
            boolean piece = vocabulary.types().get(id) == TokenType.NORMAL
                    || vocabulary.flags(id).contains(AddedTokenFlag.IN_MODEL);
            String token = vocabulary.tokens().get(id);
            if (piece && !token.isEmpty() && (!byteLevel || alphabet.decode(token) != null)) {
                table.put(id);
            }
        }
        return table;
    }

    /** Ids of the tokens {@code <0x00>} to {@code <0xFF>}, or null unless all are there. */
    static int @org.jspecify.annotations.Nullable [] byteTokens(Vocabulary vocabulary) {
        int[] ids = new int[256];
        Arrays.fill(ids, PieceTable.ABSENT);
        for (int id = 0; id < vocabulary.size(); id++) {
            int b = vocabulary.types().get(id) == TokenType.UNUSED
                    ? -1
                    : PieceDecoding.byteToken(vocabulary.tokens().get(id));
            if (b >= 0) {
                ids[b] = id;
            }
        }
        return Arrays.stream(ids).allMatch(id -> id != PieceTable.ABSENT) ? ids : null;
    }

    /** The token for what the vocabulary cannot spell, or {@link PieceTable#ABSENT}. */
    static int unknown(Vocabulary vocabulary) {
        int id = vocabulary.types().indexOf(TokenType.UNKNOWN);
        return id >= 0 ? id : vocabulary.id(SpecialToken.UNKNOWN).orElse(PieceTable.ABSENT);
    }
}
