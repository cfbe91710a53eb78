package dev.tern.tokenizer;

import dev.tern.tokenizer.RegexParser.UnsupportedException;
import org.jspecify.annotations.Nullable;

/** Reads what stands for one character in a regular expression: escapes, properties, bracketed classes. */
final class RegexClassParser {
    private static final int MAX_DEPTH = 50;

    private final RegexCursor in;
    private int depth;

    /** @param in the expression, which is read on from where it is */
    RegexClassParser(RegexCursor in) {
        this.in = in;
    }

    /**
     * {@code \s \d \w \h \p{…}} and their opposites behind a backslash, or null when a single character stands there.
     */
    @Nullable CharacterClass shorthand() throws UnsupportedException {
        int c = in.peek();
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
            in.next();
            return set;
        }
        return c == 'p' || c == 'P' ? property() : null;
    }

    private CharacterClass property() throws UnsupportedException {
        boolean negative = in.next() == 'P';
        String name = in.take("{") ? in.through('}') : null;
        if (name == null) {
            throw new UnsupportedException("\\p without {name}");
        }
        if (name.startsWith("^")) {
            negative = !negative;
            name = name.substring(1);
        }
        CharacterClass set = CharacterClass.property(name);
        if (set == null) {
            throw new UnsupportedException("the property \\p{" + name + "}");
        }
        return negative ? set.not() : set;
    }

    /** The single character behind a backslash. */
    int character() throws UnsupportedException {
        if (in.atEnd()) {
            throw new UnsupportedException("a backslash at the end");
        }
        int c = in.next();
        switch (c) {
            case 'n' -> { return '\n'; }
            case 'r' -> { return '\r'; }
            case 't' -> { return '\t'; }
            case 'f' -> { return '\f'; }
            case 'v' -> { return 0x0B; }
            case 'a' -> { return 0x07; }
            case 'e' -> { return 0x1B; }
            case 'u' -> { return hexadecimal(in.taken(4), 4, 4); }
            case 'x' -> {
                return in.take("{") ? hexadecimal(in.through('}'), 1, 6) : hexadecimal(in.taken(2), 2, 2);
            }
            default -> {
                if (c < 128 && Character.isLetterOrDigit(c)) {
                    throw new UnsupportedException("\\" + (char) c);
                }
                return c;
            }
        }
    }

    private static int hexadecimal(@Nullable String text, int least, int most) throws UnsupportedException {
        if (text == null || !text.matches("[0-9a-fA-F]{" + least + "," + most + "}")) {
            throw new UnsupportedException("a character code '" + text + "'");
        }
        return Integer.parseInt(text, 16);
    }

    /** Behind {@code [}, up to and with its {@code ]}; the characters in it in any case where asked for. */
    CharacterClass bracket(boolean anyCase) throws UnsupportedException {
        if (++depth > MAX_DEPTH) {
            throw new UnsupportedException("classes deeper than " + MAX_DEPTH);
        }
        boolean negative = in.take("^");
        CharacterClass all = null;
        CharacterClass set = c -> false;
        boolean first = true;
        while (true) {
            if (in.atEnd()) {
                throw new UnsupportedException("a '[' without ']'");
            }
            if (!first && in.take("]")) {
                break;
            }
            first = false;
            if (in.take("&&")) {
                all = all == null ? set : all.and(set);
                set = c -> false;
            } else if (in.looksAt("[:")) {
                throw new UnsupportedException("a POSIX class");
            } else if (in.take("[")) {
                set = set.or(bracket(anyCase));
            } else {
                CharacterClass item = item();
                set = set.or(anyCase ? item.anyCase() : item);
            }
        }
        depth--;
        CharacterClass whole = all == null ? set : all.and(set);
        return negative ? whole.not() : whole;
    }

    /** A character, a range, or a shorthand. */
    private CharacterClass item() throws UnsupportedException {
        if (in.take("\\")) {
            CharacterClass set = shorthand();
            return set != null ? set : range(character());
        }
        return range(in.next());
    }

    private CharacterClass range(int first) throws UnsupportedException {
        int dash = in.at();
        if (!in.looksAt("-") || in.looksAt("-]") || in.looksAt("-[") || !in.isFollowed()) {
            return CharacterClass.of(first);
        }
        in.next();
        int last;
        if (in.take("\\")) {
            if (shorthand() != null) {
                throw new UnsupportedException("the range '" + in.since(dash - 1) + "'");
            }
            last = character();
        } else {
            last = in.next();
        }
        if (last < first) {
            throw new UnsupportedException("the range '" + in.since(dash - 1) + "'");
        }
        return CharacterClass.range(first, last);
    }
}
