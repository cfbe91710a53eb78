package dev.tern;

/** What becomes of tokens with which the model says that it has finished: end of text, of a turn, of a message. */
public enum EndTokens {
    /** They end the generation. */
    STOP,
    /** They are tokens like others: the generation goes on behind them. */
    IGNORE,
    /** They are never chosen, as with {@code ignore_eos} of llama.cpp, so that the text goes on as if it had no end. */
    BAN
}
