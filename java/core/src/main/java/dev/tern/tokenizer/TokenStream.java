package dev.tern.tokenizer;

import java.util.Arrays;

/**
 * Text of ids that come one by one. A character whose bytes are spread over several tokens appears with its last; all that
 * {@link #push} returned, and then {@link #finish}, is what {@link Tokenizer#decode} makes of all ids. Not thread-safe.
 */
public final class TokenStream {
    private final Tokenizer tokenizer;
    private final boolean skipSpecial;
    private byte[] pending = new byte[64];
    private int count;

    TokenStream(Tokenizer tokenizer, boolean skipSpecial) {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
    }

    /** The text that this id completes; empty while a character is incomplete. */
    public String push(int id) {
        if (!tokenizer.appears(id, skipSpecial)) {
            return "";
        }
        int needed = count + tokenizer.length(id);
        if (needed > pending.length) {
            pending = Arrays.copyOf(pending, needed + 64);
        }
        count += tokenizer.copy(id, pending, count);
        StringBuilder text = new StringBuilder(count);
        int rest = Utf8.append(pending, 0, count, text);
        System.arraycopy(pending, rest, pending, 0, count - rest);
        count -= rest;
        return text.toString();
    }

    /** The rest: U+FFFD when the last character never became complete, else nothing. The stream is then as new. */
    public String finish() {
        String rest = Utf8.decode(pending, 0, count);
        count = 0;
        return rest;
    }
}
