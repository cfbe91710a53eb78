package dev.tern;

/** Why a generation ended. */
public enum StopReason {
    /** The model produced an end token. */
    END_TOKEN,
    /** The text contained a stop string. */
    STOP_STRING,
    /** As many tokens as asked for. */
    MAX_TOKENS,
    /** The context has no room for another token. */
    CONTEXT_FULL,
    /** {@link Generation#cancel} or {@link Generation#close} was called, or an error ended it. */
    CANCELLED
}
