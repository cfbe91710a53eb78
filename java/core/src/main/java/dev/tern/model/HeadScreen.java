package dev.tern.model;

/** Whether the head has a screen, which spares most of it where only the largest logits matter; same results. */
public enum HeadScreen {
    /** Made once enough tokens have been decided by their largest logits, where the head is large. */
    AUTO,
    /** Made by the first token that its largest logits decide, however small the head. */
    ON,
    /** Never made. */
    OFF
}
