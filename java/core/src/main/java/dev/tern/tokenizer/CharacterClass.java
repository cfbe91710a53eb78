package dev.tern.tokenizer;

import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A set of code points, as a class of a regular expression names it. Immutable. */
@FunctionalInterface
interface CharacterClass {
    /** Unicode's general categories by abbreviation, with the bits of Java's constants for them. */
    Map<String, Integer> CATEGORIES = Map.ofEntries(
            Map.entry("l", bits(1, 2, 3, 4, 5)), Map.entry("lu", bits(1)), Map.entry("ll", bits(2)),
            Map.entry("lt", bits(3)),
            Map.entry("lm", bits(4)), Map.entry("lo", bits(5)),
            Map.entry("m", bits(6, 7, 8)), Map.entry("mn", bits(6)), Map.entry("me", bits(7)), Map.entry("mc", bits(8)),
            Map.entry("n", bits(9, 10, 11)), Map.entry("nd", bits(9)), Map.entry("nl", bits(10)),
            Map.entry("no", bits(11)),
            Map.entry("z", bits(12, 13, 14)), Map.entry("zs", bits(12)), Map.entry("zl", bits(13)),
            Map.entry("zp", bits(14)),
            Map.entry("c", bits(15, 16, 18, 19, 0)), Map.entry("cc", bits(15)), Map.entry("cf", bits(16)),
            Map.entry("co", bits(18)), Map.entry("cs", bits(19)), Map.entry("cn", bits(0)),
            Map.entry("p", bits(20, 21, 22, 23, 24, 29, 30)), Map.entry("pd", bits(20)), Map.entry("ps", bits(21)),
            Map.entry("pe", bits(22)), Map.entry("pc", bits(23)), Map.entry("po", bits(24)), Map.entry("pi", bits(29)),
            Map.entry("pf", bits(30)),
            Map.entry("s", bits(25, 26, 27, 28)), Map.entry("sm", bits(25)), Map.entry("sc", bits(26)),
            Map.entry("sk", bits(27)), Map.entry("so", bits(28)));

    /** The long names that patterns use. */
    Map<String, String> LONG_NAMES = Map.ofEntries(
            Map.entry("letter", "l"), Map.entry("uppercaseletter", "lu"), Map.entry("lowercaseletter", "ll"),
            Map.entry("titlecaseletter", "lt"), Map.entry("modifierletter", "lm"), Map.entry("otherletter", "lo"),
            Map.entry("mark", "m"), Map.entry("nonspacingmark", "mn"), Map.entry("spacingmark", "mc"),
            Map.entry("number", "n"),
            Map.entry("decimalnumber", "nd"), Map.entry("digit", "nd"), Map.entry("punctuation", "p"),
            Map.entry("punct", "p"), Map.entry("symbol", "s"),
            Map.entry("separator", "z"), Map.entry("other", "c"), Map.entry("control", "cc"), Map.entry("cntrl", "cc"));

    CharacterClass SPACE = WordClass::isWhiteSpace;
    /** Oniguruma's: beside Unicode's word characters the superscripts and fractions of Latin-1. */
    CharacterClass WORD = c -> {
        int type = 1 << Character.getType(c);
        return (type & (CATEGORIES.get("l") | CATEGORIES.get("m") | CATEGORIES.get("nd") | CATEGORIES.get("pc"))) != 0
                || Character.isAlphabetic(c)
                || c == 0xB2 || c == 0xB3 || c == 0xB9 || c >= 0xBC && c <= 0xBE;
    };
    CharacterClass DIGIT = category(CATEGORIES.get("nd"));
    CharacterClass MARK = category(CATEGORIES.get("m"));
    CharacterClass HEXADECIMAL = c -> c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F';

    boolean contains(int codePoint);

    static CharacterClass of(int codePoint) {
        return c -> c == codePoint;
    }

    static CharacterClass range(int first, int last) {
        return c -> c >= first && c <= last;
    }

    private static CharacterClass category(int bits) {
        return c -> (1 << Character.getType(c) & bits) != 0;
    }

    /**
     * A category, script or binary property by its name in {@code \p{…}}, or null when it is none of the known ones.
     */
    static @Nullable CharacterClass property(String name) {
        String plain = name.replaceAll("[ _-]", "").toLowerCase(Locale.ROOT);
        Integer bits = CATEGORIES.get(LONG_NAMES.getOrDefault(plain, plain));
        if (bits != null) {
            return category(bits);
        }
        switch (plain) {
            case "alphabetic", "alpha" -> {
                return Character::isAlphabetic;
            }
            case "space", "whitespace" -> {
                return SPACE;
            }
            case "word" -> {
                return WORD;
            }
            case "alnum" -> {
                return c -> Character.isAlphabetic(c) || DIGIT.contains(c);
            }
            case "upper", "uppercase" -> {
                return Character::isUpperCase;
            }
            case "lower", "lowercase" -> {
                return Character::isLowerCase;
            }
            case "xdigit" -> {
                return HEXADECIMAL;
            }
            default -> { }
        }
        try {
            Character.UnicodeScript script = Character.UnicodeScript.forName(name);
            return c -> Character.UnicodeScript.of(c) == script;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    default CharacterClass or(CharacterClass other) {
        return c -> contains(c) || other.contains(c);
    }

    default CharacterClass and(CharacterClass other) {
        return c -> contains(c) && other.contains(c);
    }

    default CharacterClass not() {
        return c -> !contains(c);
    }

    /** With all that simple case folding makes equal to a member. */
    default CharacterClass anyCase() {
        return c -> {
            int upper = Character.toUpperCase(c);
            int lower = Character.toLowerCase(c);
            return contains(c) || contains(upper) || contains(lower) || contains(Character.toLowerCase(upper))
                    || contains(Character.toUpperCase(lower));
        };
    }

    /** The same, with ASCII looked up in a table. */
    default CharacterClass tabulated() {
        long low = 0;
        long high = 0;
        for (int c = 0; c < 64; c++) {
            low |= (contains(c) ? 1L : 0) << c;
            high |= (contains(c + 64) ? 1L : 0) << c;
        }
        long first = low;
        long second = high;
        return c -> c < 64 ? (first >>> c & 1) != 0 : c < 128 ? (second >>> c & 1) != 0 : contains(c);
    }

    private static int bits(int... types) {
        int bits = 0;
        for (int type : types) {
            bits |= 1 << type;
        }
        return bits;
    }
}
