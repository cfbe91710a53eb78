package dev.tern.tokenizer;

import dev.tern.tokenizer.RegexNode.Alternation;
import dev.tern.tokenizer.RegexNode.Anchor;
import dev.tern.tokenizer.RegexNode.Concatenation;
import dev.tern.tokenizer.RegexNode.Look;
import dev.tern.tokenizer.RegexNode.Mode;
import dev.tern.tokenizer.RegexNode.One;
import dev.tern.tokenizer.RegexNode.Place;
import dev.tern.tokenizer.RegexNode.Repetition;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Reads the regular expressions of tokenizer.json: Oniguruma's Ruby syntax with Unicode classes, of which those parts
 * that can be matched in linear time. What is left out: back references, conditionals, recursion, atomic groups,
 * possessive repetition of more than one character, looking around at something of no fixed length.
 */
final class RegexParser {
    private static final int MAX_DEPTH = 50;
    private static final int MAX_COUNT = 1000;

    /** The pattern has something that is not understood; the message names it. */
    static final class UnsupportedException extends Exception {
        private static final long serialVersionUID = 1L;

        UnsupportedException(String what) {
            super(what);
        }
    }

    private final RegexCursor in;
    private final RegexClassParser classes;
    private int depth;

    private RegexParser(String pattern) {
        this.in = new RegexCursor(pattern);
        this.classes = new RegexClassParser(in);
    }

    static RegexNode parse(String pattern) throws UnsupportedException {
        RegexParser parser = new RegexParser(pattern);
        RegexNode node = parser.alternation(false);
        if (!parser.in.atEnd()) {
            throw new UnsupportedException("a ')' without '('");
        }
        return node;
    }

    private RegexNode alternation(boolean anyCase) throws UnsupportedException {
        if (++depth > MAX_DEPTH) {
            throw new UnsupportedException("groups deeper than " + MAX_DEPTH);
        }
        List<RegexNode> choices = new ArrayList<>();
        List<RegexNode> parts = new ArrayList<>();
        while (!in.atEnd() && !in.looksAt(")")) {
            if (in.take("|")) {
                choices.add(new Concatenation(List.copyOf(parts)));
                parts.clear();
            } else if (in.take("(?i)")) {
                parts.add(alternation(true)); // of the rest of the group: a(?i)b|c is a(?i:b|c)
            } else {
                parts.add(repetition(atom(anyCase)));
            }
        }
        choices.add(new Concatenation(List.copyOf(parts)));
        depth--;
        return choices.size() == 1 ? choices.getFirst() : new Alternation(List.copyOf(choices));
    }

    private RegexNode atom(boolean anyCase) throws UnsupportedException {
        int c = in.next();
        return switch (c) {
            case '(' -> group(anyCase);
            case '[' -> new One(classes.bracket(anyCase).tabulated());
            case '.' -> new One(CharacterClass.of('\n').not().tabulated());
            case '^' -> new Place(Anchor.LINE_START);
            case '$' -> new Place(Anchor.LINE_END);
            case '*', '+', '?' -> throw new UnsupportedException("'" + (char) c + "' with nothing to repeat");
            case '\\' -> escape(anyCase);
            default -> one(CharacterClass.of(c), anyCase);
        };
    }

    private static One one(CharacterClass set, boolean anyCase) {
        return new One((anyCase ? set.anyCase() : set).tabulated());
    }

    private RegexNode group(boolean anyCase) throws UnsupportedException {
        RegexNode node;
        if (in.take("?:")) {
            node = alternation(anyCase);
        } else if (in.take("?i:")) {
            node = alternation(true);
        } else if (in.take("?-i:")) {
            node = alternation(false);
        } else if (in.take("?=")) {
            node = new Look(true, false, sequences(alternation(anyCase)));
        } else if (in.take("?!")) {
            node = new Look(true, true, sequences(alternation(anyCase)));
        } else if (in.take("?<=")) {
            node = new Look(false, false, sequences(alternation(anyCase)));
        } else if (in.take("?<!")) {
            node = new Look(false, true, sequences(alternation(anyCase)));
        } else if (in.looksAt("?")) {
            throw new UnsupportedException("a group that begins with '(" + in.ahead(3) + "'");
        } else {
            node = alternation(anyCase);
        }
        if (!in.take(")")) {
            throw new UnsupportedException("a '(' without ')'");
        }
        return node;
    }

    /** All sequences of characters that the node stands for; it must not repeat without bound. */
    private static List<List<CharacterClass>> sequences(RegexNode node) throws UnsupportedException {
        List<List<CharacterClass>> sequences = new ArrayList<>();
        switch (node) {
            case One one -> sequences.add(List.of(one.set()));
            case Alternation alternation -> {
                for (RegexNode choice : alternation.choices()) {
                    sequences.addAll(sequences(choice));
                }
            }
            case Concatenation concatenation -> {
                sequences.add(List.of());
                for (RegexNode part : concatenation.parts()) {
                    List<List<CharacterClass>> longer = new ArrayList<>();
                    for (List<CharacterClass> tail : sequences(part)) {
                        for (List<CharacterClass> head : sequences) {
                            List<CharacterClass> joined = new ArrayList<>(head);
                            joined.addAll(tail);
                            longer.add(joined);
                            requireFew(longer.size());
                        }
                    }
                    sequences = longer;
                }
            }
            case Repetition repetition when repetition.min() == repetition.max() && repetition.max() <= 16 ->
                    sequences = sequences(
                            new Concatenation(Collections.nCopies(repetition.min(), repetition.body())));
            default -> throw new UnsupportedException("looking ahead or behind at something of no fixed length");
        }
        requireFew(sequences.size());
        return sequences;
    }

    private static void requireFew(int alternatives) throws UnsupportedException {
        if (alternatives > 256) {
            throw new UnsupportedException("looking ahead or behind at more than 256 alternatives");
        }
    }

    private RegexNode repetition(RegexNode atom) throws UnsupportedException {
        RegexNode node = atom;
        while (!in.atEnd()) {
            int min;
            int max;
            int start = in.at();
            boolean counted = false;
            switch (in.peek()) {
                case '*' -> { min = 0; max = -1; in.next(); }
                case '+' -> { min = 1; max = -1; in.next(); }
                case '?' -> { min = 0; max = 1; in.next(); }
                case '{' -> {
                    int[] counts = counts();
                    min = counts[0];
                    max = counts[1];
                    counted = true;
                }
                default -> { return node; }
            }
            if (node instanceof Place || node instanceof Look) {
                throw new UnsupportedException("repeating '" + in.since(start) + "' what takes no character");
            }
            Mode mode = Mode.GREEDY;
            if (in.take("?")) {
                if (counted && min == max) {
                    throw new UnsupportedException("'" + in.since(start) + "', which engines read differently");
                }
                mode = Mode.LAZY;
            } else if (!counted && in.take("+")) {
                mode = Mode.POSSESSIVE;
                if (!(node instanceof One)) {
                    throw new UnsupportedException("possessive repetition of more than one character");
                }
            }
            node = new Repetition(node, min, max, mode);
        }
        return node;
    }

    /** {@code {m}}, {@code {m,}}, {@code {,n}}, {@code {m,n}}. */
    private int[] counts() throws UnsupportedException {
        in.next();
        String inside = in.through('}');
        if (inside == null || !inside.matches("[0-9]{1,5}(,[0-9]{0,5})?|,[0-9]{1,5}")) {
            throw new UnsupportedException("a brace that is no count");
        }
        int comma = inside.indexOf(',');
        String first = comma < 0 ? inside : inside.substring(0, comma);
        String second = comma < 0 ? inside : inside.substring(comma + 1);
        int min = first.isEmpty() ? 0 : Integer.parseInt(first);
        int max = second.isEmpty() ? -1 : Integer.parseInt(second);
        if (min > MAX_COUNT || max > MAX_COUNT || max >= 0 && max < min) {
            throw new UnsupportedException("the count {" + inside + "}");
        }
        return new int[] {min, max};
    }

    private RegexNode escape(boolean anyCase) throws UnsupportedException {
        Anchor anchor = switch (in.peek()) {
            case 'A' -> Anchor.TEXT_START;
            case 'z' -> Anchor.TEXT_END;
            case 'b' -> Anchor.WORD_BOUNDARY;
            case 'B' -> Anchor.NO_WORD_BOUNDARY;
            default -> null;
        };
        if (anchor != null) {
            in.next();
            return new Place(anchor);
        }
        CharacterClass set = classes.shorthand();
        return one(set != null ? set : CharacterClass.of(classes.character()), anyCase);
    }
}
