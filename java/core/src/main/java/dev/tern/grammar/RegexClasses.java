package dev.tern.grammar;

/** The classes of characters of a regular expression, as ECMA-262 has them with the flag {@code u}. Not thread-safe. */
final class RegexClasses {
    /** By {@link Character#getType(int)}, which has no category 17. */
    private static final String[] CATEGORIES = {
        "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Me", "Mc", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc",
        "Cf", "", "Co", "Cs", "Pd", "Ps", "Pe", "Pc", "Po", "Sm", "Sc", "Sk", "So", "Pi", "Pf"
    };

    private static final CodePoints DIGIT = CodePoints.of('0', '9');
    private static final CodePoints WORD = DIGIT
            .union(CodePoints.of('a', 'z'))
            .union(CodePoints.of('A', 'Z'))
            .union(CodePoints.of('_'));
    private static final CodePoints SPACE = CodePoints
            .ofAll("\t\n\u000B\f\r \u00A0\u1680\u2028\u2029\u202F\u205F\u3000\uFEFF")
            .union(CodePoints.of(0x2000, 0x200A));

    private final Regex regex;
    private final String text;

    RegexClasses(Regex regex, String text) {
        this.regex = regex;
        this.text = text;
    }

    /** What follows a bracket. */
    CodePoints bracketed() {
        boolean negated = regex.take("^");
        CodePoints.Builder set = new CodePoints.Builder();
        while (!regex.take("]")) {
            CodePoints first = member();
            boolean range = text.startsWith("-", regex.position()) && !text.startsWith("-]", regex.position());
            if (range && single(first)) {
                regex.take("-");
                CodePoints last = member();
                if (!single(last) || last.first(0) < first.first(0)) {
                    throw regex.error("a range of characters is none");
                }
                set.add(first.first(0), last.first(0));
            } else {
                set.add(first);
            }
        }
        return negated ? set.build().complement() : set.build();
    }

    private static boolean single(CodePoints set) {
        return set.ranges() == 1 && set.first(0) == set.last(0);
    }

    private CodePoints member() {
        if (regex.position() >= text.length()) {
            throw regex.error("a class is not closed");
        }
        if (regex.take("\\")) {
            return escape(true);
        }
        int c = text.codePointAt(regex.position());
        regex.position(regex.position() + Character.charCount(c));
        return scalar(c);
    }

    private CodePoints scalar(int c) {
        if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
            throw regex.error("half of a surrogate pair");
        }
        return CodePoints.of(c);
    }

    /** What follows a backslash. */
    CodePoints escape(boolean inClass) {
        if (regex.position() >= text.length()) {
            throw regex.error("nothing follows the last backslash");
        }
        char c = text.charAt(regex.position());
        regex.position(regex.position() + 1);
        return switch (c) {
            case 'd' -> DIGIT;
            case 'D' -> DIGIT.complement();
            case 'w' -> WORD;
            case 'W' -> WORD.complement();
            case 's' -> SPACE;
            case 'S' -> SPACE.complement();
            case 'n' -> CodePoints.of('\n');
            case 'r' -> CodePoints.of('\r');
            case 't' -> CodePoints.of('\t');
            case 'f' -> CodePoints.of('\f');
            case 'v' -> CodePoints.of(0x0B);
            case '0' -> CodePoints.of(0);
            case 'x' -> scalar(hex(2));
            case 'u' -> scalar(unicode());
            case 'p' -> category();
            case 'P' -> category().complement();
            case 'c' -> control();
            case 'b', 'B' -> {
                if (inClass && c == 'b') {
                    yield CodePoints.of('\b');
                }
                throw regex.error("word boundaries are not supported");
            }
            default -> {
                if (c >= '1' && c <= '9' || c == 'k') {
                    throw regex.error("references back are not supported");
                }
                if (Character.isLetter(c)) {
                    throw regex.error("unknown escape '\\" + c + "'");
                }
                regex.position(regex.position() - 1);
                int literal = text.codePointAt(regex.position());
                regex.position(regex.position() + Character.charCount(literal));
                yield scalar(literal);
            }
        };
    }

    private CodePoints control() {
        char c = regex.position() < text.length() ? text.charAt(regex.position()) : 0;
        if (c < 'A' || c > 'z' || !Character.isLetter(c)) {
            throw regex.error("an escape for a control character needs a letter");
        }
        regex.position(regex.position() + 1);
        return CodePoints.of(c % 32);
    }

    private int unicode() {
        if (!regex.take("{")) {
            int unit = hex(4);
            int next = regex.position();
            if (Character.isHighSurrogate((char) unit) && regex.take("\\u") && !text.startsWith("{", next + 2)) {
                int low = hex(4);
                if (Character.isLowSurrogate((char) low)) {
                    return Character.toCodePoint((char) unit, (char) low);
                }
            }
            return unit;
        }
        int end = text.indexOf('}', regex.position());
        if (end < 0 || end - regex.position() > 6 || end == regex.position()) {
            throw regex.error("an escape for a character is none");
        }
        int value = hex(end - regex.position());
        regex.position(end + 1);
        if (value > Character.MAX_CODE_POINT) {
            throw regex.error("an escape for a character is none");
        }
        return value;
    }

    private int hex(int digits) {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = regex.position() < text.length() ? Character.digit(text.charAt(regex.position()), 16) : -1;
            if (digit < 0 || text.charAt(regex.position()) > 'f') {
                throw regex.error("hexadecimal digits are missing");
            }
            value = value << 4 | digit;
            regex.position(regex.position() + 1);
        }
        return value;
    }

    /**
     * A general category of Unicode by its short name, such as {@code {Lu}}, or a group of them, such as {@code {L}}.
     */
    private CodePoints category() {
        int end = text.indexOf('}', regex.position());
        boolean named = text.startsWith("{", regex.position()) && end > regex.position() + 1;
        String name = named ? text.substring(regex.position() + 1, end) : "?";
        boolean[] chosen = new boolean[CATEGORIES.length];
        boolean any = false;
        for (int type = 0; type < CATEGORIES.length; type++) {
            chosen[type] = name.length() <= 2 && CATEGORIES[type].startsWith(name);
            any |= chosen[type];
        }
        if (!any) {
            throw regex.error("of properties, only general categories such as \\p{Lu} are supported");
        }
        regex.position(end + 1);
        CodePoints.Builder set = new CodePoints.Builder();
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            int from = c;
            while (c <= Character.MAX_CODE_POINT && chosen[Character.getType(c)]) {
                c++;
            }
            set.add(from, c - 1);
        }
        return set.build();
    }
}
