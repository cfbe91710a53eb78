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

    /** By id, in a byte-level vocabulary: whether the token spells bytes. */
    private final boolean[] spelled;

    private final boolean byteLevel;

    TokenBytes(Vocabulary vocabulary, boolean byteLevel) {
        this.byteLevel = byteLevel;
        Spellings tokens = Spellings.of(vocabulary.tokens());
        ByteAlphabet alphabet = new ByteAlphabet();
        byte[] bytes = new byte[tokens.end()]; // bytes are never more than the characters that spell them
        offsets = new int[vocabulary.size() + 1];
        spelled = new boolean[vocabulary.size()];
        for (int id = 0; id < vocabulary.size(); id++) {
            offsets[id + 1] = offsets[id];
            if (vocabulary.types().get(id) != TokenType.UNUSED) {
                put(id, tokens, alphabet, bytes);
            }
        }
        pool = Arrays.copyOf(bytes, offsets[vocabulary.size()]);
    }

    private void put(int id, Spellings tokens, ByteAlphabet alphabet, byte[] bytes) {
        int from = tokens.offsets()[id];
        int to = tokens.offsets()[id + 1];
        int length = byteLevel ? alphabet.decode(tokens.utf8(), from, to, bytes, offsets[id]) : -1;
        spelled[id] = length >= 0;
        if (length < 0) {
            length = to - from;
            System.arraycopy(tokens.utf8(), from, bytes, offsets[id], length);
        }
        offsets[id + 1] = offsets[id] + length;
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
        PieceTable table = new PieceTable(pool, offsets);
        for (int id = 0; id < vocabulary.size(); id++) {
            boolean piece = vocabulary.types().get(id) == TokenType.NORMAL
                    || vocabulary.flags(id).contains(AddedTokenFlag.IN_MODEL);
            if (piece && length(id) > 0 && (!byteLevel || spelled[id])) {
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
