package dev.tern.tokenizer;

import java.util.List;

/** A regular expression as {@link RegexParser} reads it. */
sealed interface RegexNode {
    /** One character of the class. */
    record One(CharacterClass set) implements RegexNode {}

    record Concatenation(List<RegexNode> parts) implements RegexNode {}

    /** The first that matches. */
    record Alternation(List<RegexNode> choices) implements RegexNode {}

    /** @param max −1 for no bound */
    record Repetition(RegexNode body, int min, int max, Mode mode) implements RegexNode {}

    /** A place, no character. */
    record Place(Anchor anchor) implements RegexNode {}

    /** Whether one of the sequences of characters stands ahead of here, or behind. */
    record Look(boolean ahead, boolean negative, List<List<CharacterClass>> sequences) implements RegexNode {}

    enum Mode { GREEDY, LAZY, POSSESSIVE }

    enum Anchor { LINE_START, LINE_END, TEXT_START, TEXT_END, WORD_BOUNDARY, NO_WORD_BOUNDARY }
}
