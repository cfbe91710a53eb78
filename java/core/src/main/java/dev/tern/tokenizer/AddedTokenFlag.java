package dev.tern.tokenizer;

/** How an added token is searched in text: the flags of {@code added_tokens} in tokenizer.json that are not its type. */
public enum AddedTokenFlag {
    /** Only where no word character stands on either side. */
    SINGLE_WORD,
    /** White space before it belongs to it. */
    LSTRIP,
    /** White space after it belongs to it. */
    RSTRIP,
    /** Searched after all that are not, in what those leave. */
    NORMALIZED,
    /** Also a piece of the model, so merging can make it of ordinary text. */
    IN_MODEL;

    int bit() {
        return 1 << ordinal();
    }
}
