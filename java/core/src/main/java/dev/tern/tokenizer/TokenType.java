package dev.tern.tokenizer;

/** What a row of the vocabulary is, with the ids of {@code tokenizer.ggml.token_type} (llama.cpp's {@code llama_token_type}). */
public enum TokenType {
    /** A piece of the model: found in text by merging. */
    NORMAL(1),
    /** Stands for what cannot be encoded; treated as {@link #CONTROL}. */
    UNKNOWN(2),
    /** A special token: never the encoding of ordinary text, left out of the answer's text. */
    CONTROL(3),
    /** An added token that is ordinary text: found before the model sees the text, and never left out. */
    USER_DEFINED(4),
    /** A row of the embedding that no token has. */
    UNUSED(5),
    /** A raw byte of a SentencePiece vocabulary. */
    BYTE(6);

    private final int id;

    TokenType(int id) {
        this.id = id;
    }

    /** The number in GGUF files. */
    public int id() {
        return id;
    }

    /** Whether tokens of this type are left out of text on request, and are plain text where special tokens are not parsed. */
    public boolean special() {
        return this == CONTROL || this == UNKNOWN;
    }

    /** Whether tokens of this type are searched in the text before it is split into words. */
    public boolean added() {
        return special() || this == USER_DEFINED;
    }
}
