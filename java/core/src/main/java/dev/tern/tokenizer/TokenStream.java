package dev.tern.tokenizer;

import java.util.Arrays;
import java.util.Set;

/**
 * Text of ids that come one by one. A character whose bytes are spread over several tokens appears with its last, and
 * a run of SentencePiece's byte tokens with the token behind it; all that {@link #push} returned, and then
 * {@link #finish}, is the text of all ids. Not thread-safe.
 */
public abstract sealed class TokenStream {
    private final Tokenizer tokenizer;
    private final boolean skipSpecial;
    private final Set<Integer> shown;

    private TokenStream(Tokenizer tokenizer, boolean skipSpecial, Set<Integer> shown) {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
        this.shown = shown;
    }

    /** The text that this id completes; empty while a character is incomplete. */
    public String push(int id) {
        return tokenizer.appears(id, skipSpecial) || shown.contains(id) ? take(id) : "";
    }

    /**
     * The rest: U+FFFD when the last character never became complete, else mostly nothing. The stream is then as new.
     */
    public abstract String finish();

    abstract String take(int id);

    /** Of tokens that spell bytes. */
    static final class OfBytes extends TokenStream {
        private final TokenBytes bytes;
        private byte[] pending = new byte[64];
        private int count;

        OfBytes(Tokenizer tokenizer, TokenBytes bytes, boolean skipSpecial, Set<Integer> shown) {
            super(tokenizer, skipSpecial, shown);
            this.bytes = bytes;
        }

        @Override
        String take(int id) {
            int needed = count + bytes.length(id);
            if (needed > pending.length) {
                pending = Arrays.copyOf(pending, needed + 64);
            }
            count += bytes.copy(id, pending, count);
            StringBuilder text = new StringBuilder(count);
            int rest = Utf8.append(pending, 0, count, text);
            System.arraycopy(pending, rest, pending, 0, count - rest);
            count -= rest;
            return text.toString();
        }

        @Override
        public String finish() {
            String rest = Utf8.decode(pending, 0, count);
            count = 0;
            return rest;
        }
    }

    /** Of tokens that are text. */
    static final class OfPieces extends TokenStream {
        private final Tokenizer tokenizer;
        private final PieceDecoding.Assembly assembly;

        OfPieces(
                Tokenizer tokenizer, PieceDecoding.Assembly assembly, boolean skipSpecial, Set<Integer> shown) {
            super(tokenizer, skipSpecial, shown);
            this.tokenizer = tokenizer;
            this.assembly = assembly;
        }

        @Override
        String take(int id) {
            StringBuilder text = new StringBuilder();
            assembly.add(tokenizer.text(id), text);
            return text.toString();
        }

        @Override
        public String finish() {
            StringBuilder text = new StringBuilder();
            assembly.finish(text);
            return text.toString();
        }
    }
}
