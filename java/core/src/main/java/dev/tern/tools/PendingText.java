package dev.tern.tools;

import java.util.List;

/** Text that has come and is not yet understood, with what can be asked of its beginning and end. Not thread-safe. */
final class PendingText {
    private final StringBuilder text = new StringBuilder();

    void append(String piece) {
        text.append(piece);
    }

    /** Puts back what was taken. */
    void prepend(String piece) {
        text.insert(0, piece);
    }

    boolean isEmpty() {
        return text.isEmpty();
    }

    int length() {
        return text.length();
    }

    char charAt(int index) {
        return text.charAt(index);
    }

    int indexOf(String literal) {
        return text.indexOf(literal);
    }

    /** The first characters, so many. */
    String head(int length) {
        return text.substring(0, length);
    }

    /** Drops the first characters. */
    void drop(int length) {
        text.delete(0, length);
    }

    /** Takes the first characters. */
    String take(int length) {
        String head = head(length);
        drop(length);
        return head;
    }

    /** JSON's white space. */
    static boolean isSpace(char c) {
        return c == ' ' || c == '\n' || c == '\t' || c == '\r';
    }

    /** The first index from here on that has no white space. */
    int spaces(int from) {
        int at = from;
        while (at < text.length() && isSpace(text.charAt(at))) {
            at++;
        }
        return at;
    }

    /** The end without the white space before it. */
    int trimmed(int end) {
        int at = end;
        while (at > 0 && isSpace(text.charAt(at - 1))) {
            at--;
        }
        return at;
    }

    boolean startsWith(String literal, int at) {
        return text.length() - at >= literal.length() && text.indexOf(literal, at) == at;
    }

    /** Whether all that is here from {@code at} on is the beginning of this literal, and more may come. */
    boolean mayCome(String literal, int at, boolean last) {
        return !last && text.length() - at < literal.length() && literal.startsWith(text.substring(at));
    }

    /** The end of what is no beginning of any of these. */
    int held(List<String> marks) {
        int end = text.length();
        for (String mark : marks) {
            for (int length = Math.min(mark.length() - 1, text.length()); length > 0; length--) {
                if (mark.startsWith(text.substring(text.length() - length))) {
                    end = Math.min(end, text.length() - length);
                    break;
                }
            }
        }
        return end;
    }
}
