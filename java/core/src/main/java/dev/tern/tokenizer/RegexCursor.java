package dev.tern.tokenizer;

import org.jspecify.annotations.Nullable;

/** A place in the text of a regular expression, between two code points. */
final class RegexCursor {
    private final int[] pattern;
    private int at;

    RegexCursor(String pattern) {
        this.pattern = pattern.codePoints().toArray();
    }

    /** Code points before it. */
    int at() {
        return at;
    }

    boolean atEnd() {
        return at >= pattern.length;
    }

    /** Whether more than one code point follows. */
    boolean isFollowed() {
        return at + 1 < pattern.length;
    }

    /** The code point that follows, or -1. */
    int peek() {
        return atEnd() ? -1 : pattern[at];
    }

    /** Passes the code point that follows, which must be there. */
    int next() {
        return pattern[at++];
    }

    boolean looksAt(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (at + i >= pattern.length || pattern[at + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** Passes a text, if it follows; it has no surrogates. */
    boolean take(String text) {
        if (!looksAt(text)) {
            return false;
        }
        at += text.length();
        return true;
    }

    /** Passes so many code points, fewer at the end. */
    String taken(int count) {
        String text = ahead(count);
        at += text.codePointCount(0, text.length());
        return text;
    }

    /** The text before a character, which is passed too; null, and nothing is passed, when it does not come. */
    @Nullable String through(char end) {
        for (int close = at; close < pattern.length; close++) {
            if (pattern[close] == end) {
                String text = new String(pattern, at, close - at);
                at = close + 1;
                return text;
            }
        }
        return null;
    }

    /** What follows, at most so many code points. */
    String ahead(int most) {
        return new String(pattern, at, Math.min(most, pattern.length - at));
    }

    /** The text from an earlier place to here. */
    String since(int start) {
        return new String(pattern, start, at - start);
    }
}
