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
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the regular expressions of tokenizer.json: Oniguruma's Ruby syntax with Unicode classes, of which those parts that
 * can be matched in linear time. What is left out: back references, conditionals, recursion, atomic groups, possessive
 * repetition of more than one character, looking around at something of no fixed length.
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

    private final int[] pattern;
    private int at;
    private int depth;

    private RegexParser(String pattern) {
        this.pattern = pattern.codePoints().toArray();
    }

    static RegexNode parse(String pattern) throws UnsupportedException {
        RegexParser parser = new RegexParser(pattern);
        RegexNode node = parser.alternation(false);
        if (parser.at < parser.pattern.length) {
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
        boolean fold = anyCase;
        while (at < pattern.length && pattern[at] != ')') {
            if (pattern[at] == '|') {
                at++;
                choices.add(new Concatenation(List.copyOf(parts)));
                parts.clear();
            } else if (looksAt("(?i)")) {
                at += 4;
                fold = true;
            } else {
                parts.add(repetition(atom(fold)));
            }
        }
        choices.add(new Concatenation(List.copyOf(parts)));
        depth--;
        return choices.size() == 1 ? choices.getFirst() : new Alternation(List.copyOf(choices));
    }

    private RegexNode atom(boolean anyCase) throws UnsupportedException {
        int c = pattern[at++];
        return switch (c) {
            case '(' -> group(anyCase);
            case '[' -> new One(folded(bracket(anyCase), false).tabulated());
            case '.' -> new One(CharacterClass.of('\n').not().tabulated());
            case '^' -> new Place(Anchor.LINE_START);
            case '$' -> new Place(Anchor.LINE_END);
            case '*', '+', '?' -> throw new UnsupportedException("'" + (char) c + "' with nothing to repeat");
            case '\\' -> escape(anyCase);
            default -> new One(folded(CharacterClass.of(c), anyCase).tabulated());
        };
    }

    private static CharacterClass folded(CharacterClass set, boolean anyCase) {
        return anyCase ? set.anyCase() : set;
    }

    private RegexNode group(boolean anyCase) throws UnsupportedException {
        RegexNode node;
        if (take("?:")) {
            node = alternation(anyCase);
        } else if (take("?i:")) {
            node = alternation(true);
        } else if (take("?-i:")) {
            node = alternation(false);
        } else if (take("?=")) {
            node = new Look(true, false, sequences(alternation(anyCase)));
        } else if (take("?!")) {
            node = new Look(true, true, sequences(alternation(anyCase)));
        } else if (take("?<=")) {
            node = new Look(false, false, sequences(alternation(anyCase)));
        } else if (take("?<!")) {
            node = new Look(false, true, sequences(alternation(anyCase)));
        } else if (at < pattern.length && pattern[at] == '?') {
            throw new UnsupportedException("a group that begins with '(" + text(at, Math.min(pattern.length, at + 3)) + "'");
        } else {
            node = alternation(anyCase);
        }
        if (at >= pattern.length) {
            throw new UnsupportedException("a '(' without ')'");
        }
        at++;
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
                    sequences = sequences(new Concatenation(java.util.Collections.nCopies(repetition.min(), repetition.body())));
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
        while (at < pattern.length) {
            int min;
            int max;
            int start = at;
            boolean counted = false;
            switch (pattern[at]) {
                case '*' -> { min = 0; max = -1; at++; }
                case '+' -> { min = 1; max = -1; at++; }
                case '?' -> { min = 0; max = 1; at++; }
                case '{' -> {
                    int[] counts = counts();
                    if (counts == null) {
                        return node;
                    }
                    min = counts[0];
                    max = counts[1];
                    counted = true;
                }
                default -> { return node; }
            }
            if (node instanceof Place || node instanceof Look) {
                throw new UnsupportedException("repeating '" + text(start, at) + "' what takes no character");
            }
            Mode mode = Mode.GREEDY;
            if (at < pattern.length && pattern[at] == '?') {
                if (counted && min == max) {
                    throw new UnsupportedException("'" + text(start, at + 1) + "', which engines read differently");
                }
                mode = Mode.LAZY;
                at++;
            } else if (!counted && at < pattern.length && pattern[at] == '+') {
                mode = Mode.POSSESSIVE;
                at++;
                if (!(node instanceof One)) {
                    throw new UnsupportedException("possessive repetition of more than one character");
                }
            }
            node = new Repetition(node, min, max, mode);
        }
        return node;
    }

    /** {@code {m}}, {@code {m,}}, {@code {,n}}, {@code {m,n}}; null, and nothing read, when the brace is just a brace. */
    private int @Nullable [] counts() throws UnsupportedException {
        int close = at;
        while (close < pattern.length && pattern[close] != '}') {
            close++;
        }
        String inside = close < pattern.length ? text(at + 1, close) : "";
        if (!inside.matches("[0-9]{1,5}(,[0-9]{0,5})?|,[0-9]{1,5}")) {
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
        at = close + 1;
        return new int[] {min, max};
    }

    private RegexNode escape(boolean anyCase) throws UnsupportedException {
        int c = at < pattern.length ? pattern[at] : -1;
        Anchor anchor = switch (c) {
            case 'A' -> Anchor.TEXT_START;
            case 'z' -> Anchor.TEXT_END;
            case 'b' -> Anchor.WORD_BOUNDARY;
            case 'B' -> Anchor.NO_WORD_BOUNDARY;
            default -> null;
        };
        if (anchor != null) {
            at++;
            return new Place(anchor);
        }
        CharacterClass set = shorthand();
        return new One(folded(set != null ? set : CharacterClass.of(character()), anyCase).tabulated());
    }

    /** {@code \s \d \w \h \p{…}} and their opposites behind a backslash, or null when a single character stands there. */
    private @Nullable CharacterClass shorthand() throws UnsupportedException {
        int c = at < pattern.length ? pattern[at] : -1;
        CharacterClass set = switch (c) {
            case 's' -> CharacterClass.SPACE;
            case 'S' -> CharacterClass.SPACE.not();
            case 'd' -> CharacterClass.DIGIT;
            case 'D' -> CharacterClass.DIGIT.not();
            case 'w' -> CharacterClass.WORD;
            case 'W' -> CharacterClass.WORD.not();
            case 'h' -> CharacterClass.HEXADECIMAL;
            case 'H' -> CharacterClass.HEXADECIMAL.not();
            default -> null;
        };
        if (set != null) {
            at++;
            return set;
        }
        return c == 'p' || c == 'P' ? property() : null;
    }

    private CharacterClass property() throws UnsupportedException {
        boolean negative = pattern[at++] == 'P';
        int close = at;
        while (close < pattern.length && pattern[close] != '}') {
            close++;
        }
        if (at >= pattern.length || pattern[at] != '{' || close >= pattern.length) {
            throw new UnsupportedException("\\p without {name}");
        }
        String name = text(at + 1, close);
        if (name.startsWith("^")) {
            negative = !negative;
            name = name.substring(1);
        }
        at = close + 1;
        CharacterClass set = CharacterClass.property(name);
        if (set == null) {
            throw new UnsupportedException("the property \\p{" + name + "}");
        }
        return negative ? set.not() : set;
    }

    /** The single character behind a backslash. */
    private int character() throws UnsupportedException {
        if (at >= pattern.length) {
            throw new UnsupportedException("a backslash at the end");
        }
        int c = pattern[at++];
        switch (c) {
            case 'n' -> { return '\n'; }
            case 'r' -> { return '\r'; }
            case 't' -> { return '\t'; }
            case 'f' -> { return '\f'; }
            case 'v' -> { return 0x0B; }
            case 'a' -> { return 0x07; }
            case 'e' -> { return 0x1B; }
            case 'u' -> { return hexadecimal(4); }
            case 'x' -> {
                if (at < pattern.length && pattern[at] == '{') {
                    at++;
                    int length = 0;
                    while (at + length < pattern.length && pattern[at + length] != '}') {
                        length++;
                    }
                    int value = hexadecimal(Math.clamp(length, 1, 6));
                    at++;
                    return value;
                }
                return hexadecimal(2);
            }
            default -> {
                if (c < 128 && Character.isLetterOrDigit(c)) {
                    throw new UnsupportedException("\\" + (char) c);
                }
                return c;
            }
        }
    }

    private int hexadecimal(int digits) throws UnsupportedException {
        int end = Math.min(pattern.length, at + digits);
        String text = text(at, end);
        if (!text.matches("[0-9a-fA-F]{" + digits + "}")) {
            throw new UnsupportedException("a character code '" + text + "'");
        }
        at = end;
        return Integer.parseInt(text, 16);
    }

    /** Behind {@code [}, up to and with its {@code ]}; the characters in it in any case where asked for. */
    private CharacterClass bracket(boolean anyCase) throws UnsupportedException {
        if (++depth > MAX_DEPTH) {
            throw new UnsupportedException("classes deeper than " + MAX_DEPTH);
        }
        boolean negative = take("^");
        CharacterClass all = null;
        CharacterClass set = c -> false;
        boolean first = true;
        while (true) {
            if (at >= pattern.length) {
                throw new UnsupportedException("a '[' without ']'");
            }
            if (pattern[at] == ']' && !first) {
                at++;
                break;
            }
            first = false;
            if (take("&&")) {
                all = all == null ? set : all.and(set);
                set = c -> false;
            } else if (looksAt("[:")) {
                throw new UnsupportedException("a POSIX class");
            } else if (take("[")) {
                set = set.or(bracket(anyCase));
            } else {
                set = set.or(folded(item(), anyCase));
            }
        }
        depth--;
        CharacterClass whole = all == null ? set : all.and(set);
        return negative ? whole.not() : whole;
    }

    /** A character, a range, or a shorthand. */
    private CharacterClass item() throws UnsupportedException {
        if (pattern[at] == '\\') {
            at++;
            CharacterClass set = shorthand();
            if (set != null) {
                return set;
            }
        } else {
            at++;
            return range(pattern[at - 1]);
        }
        return range(character());
    }

    private CharacterClass range(int first) throws UnsupportedException {
        if (at + 1 >= pattern.length || pattern[at] != '-' || pattern[at + 1] == ']' || pattern[at + 1] == '[') {
            return CharacterClass.of(first);
        }
        int dash = at++;
        int last;
        if (pattern[at] == '\\') {
            at++;
            if (shorthand() != null) {
                throw new UnsupportedException("the range '" + text(dash - 1, at) + "'");
            }
            last = character();
        } else {
            last = pattern[at++];
        }
        if (last < first) {
            throw new UnsupportedException("the range '" + text(dash - 1, at) + "'");
        }
        return CharacterClass.range(first, last);
    }

    private boolean looksAt(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (at + i >= pattern.length || pattern[at + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private boolean take(String text) {
        if (!looksAt(text)) {
            return false;
        }
        at += text.length();
        return true;
    }

    private String text(int from, int to) {
        return new String(pattern, from, to - from);
    }
}
