package dev.tern.model;

/**
 * Whether the head has a screen, which spares most of it where only the largest logits matter; same results. It serves up to
 * 256 of the largest (one in 32 of a small vocabulary), in passes with the logits of up to 16 tokens.
 */
public enum HeadScreen {
    /**
     * Made once enough tokens have been decided by their largest logits, where the head is large and the kernels screen
     * faster than they multiply.
     */
    AUTO,
    /** Made by the first token that its largest logits decide, however small the head. */
    ON,
    /** Never made. */
    OFF
}
