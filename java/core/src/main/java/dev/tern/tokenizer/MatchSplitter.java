package dev.tern.tokenizer;

import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Cuts text where something matches, and treats the matches in one of HF's five ways ({@code SplitDelimiterBehavior}).
 * Immutable.
 */
final class MatchSplitter implements TextSplitter {
    /** What becomes of a match. */
    enum Behavior {
        REMOVED,
        ISOLATED,
        MERGED_WITH_PREVIOUS,
        MERGED_WITH_NEXT,
        /** Neighbouring matches are one part. */
        CONTIGUOUS;

        /** By its name in tokenizer.json, {@code MergedWithNext} or {@code merged_with_next}; null for any other. */
        static @Nullable Behavior named(String name) {
            for (Behavior behavior : values()) {
                if (behavior.name().replace("_", "").equals(name.replace("_", "").toUpperCase(Locale.ROOT))) {
                    return behavior;
                }
            }
            return null;
        }
    }

    /** Finds what text is cut at. */
    interface Finder {
        /** Adds every match in {@code utf8[from, to)}, in order. */
        void find(byte[] utf8, int from, int to, Matches matches);
    }

    /** Where matches are: start, end, start, end … */
    static final class Matches {
        private int[] ends = new int[32];
        private int count;

        void add(int start, int end) {
            if (count + 2 > ends.length) {
                ends = Arrays.copyOf(ends, ends.length * 2);
            }
            ends[count++] = start;
            ends[count++] = end;
        }

        /** {@code utf8[from, to)} with other bytes in place of each match. */
        byte[] replaced(byte[] utf8, int from, int to, byte[] by) {
            int length = to - from;
            for (int i = 0; i < count; i += 2) {
                length = Math.addExact(length, by.length - (ends[i + 1] - ends[i]));
            }
            byte[] replaced = new byte[length];
            int done = 0;
            int at = from;
            for (int i = 0; i < count; i += 2) {
                System.arraycopy(utf8, at, replaced, done, ends[i] - at);
                done += ends[i] - at;
                System.arraycopy(by, 0, replaced, done, by.length);
                done += by.length;
                at = ends[i + 1];
            }
            System.arraycopy(utf8, at, replaced, done, to - at);
            return replaced;
        }
    }

    private final Finder finder;
    private final Behavior behavior;
    private final boolean invert;

    /** @param invert whether what lies between matches is treated as a match, and the matches as what lies between */
    MatchSplitter(Finder finder, Behavior behavior, boolean invert) {
        this.finder = finder;
        this.behavior = behavior;
        this.invert = invert;
    }

    static Finder regex(Regex regex) {
        return (utf8, from, to, matches) -> {
            RegexMatcher matcher = regex.matcher(utf8, from, to);
            while (matcher.find()) {
                matches.add(matcher.start(), matcher.end());
            }
        };
    }

    /** Each character of the set. */
    static Finder characters(CharacterClass set) {
        CharacterClass fast = set.tabulated();
        return (utf8, from, to, matches) -> {
            for (int at = from; at < to; ) {
                int length = Utf8.length(utf8[at]);
                if (fast.contains(Utf8.codePoint(utf8, at, length))) {
                    matches.add(at, at + length);
                }
                at += length;
            }
        };
    }

    /** Each occurrence of the bytes, not overlapping. */
    static Finder literal(byte[] bytes) {
        return (utf8, from, to, matches) -> {
            for (int at = from; at + bytes.length <= to; ) {
                if (Arrays.equals(utf8, at, at + bytes.length, bytes, 0, bytes.length)) {
                    matches.add(at, at + bytes.length);
                    at += bytes.length;
                } else {
                    at++;
                }
            }
        };
    }

    @Override
    public void split(byte[] utf8, int from, int to, boolean first, Sink out) {
        Matches matches = new Matches();
        finder.find(utf8, from, to, matches);
        Matches parts = new Matches();
        boolean[] isMatch = segments(matches, from, to, parts);
        emit(utf8, from, first, merged(parts, isMatch), out);
    }

    /** Matches and what lies between, in order; says which are matches. */
    private boolean[] segments(Matches matches, int from, int to, Matches parts) {
        boolean[] isMatch = new boolean[matches.count + 1];
        int at = from;
        int n = 0;
        for (int i = 0; i < matches.count; i += 2) {
            if (at < matches.ends[i]) {
                isMatch[n++] = invert;
                parts.add(at, matches.ends[i]);
            }
            isMatch[n++] = !invert;
            parts.add(matches.ends[i], matches.ends[i + 1]);
            at = matches.ends[i + 1];
        }
        if (at < to) {
            isMatch[n] = invert;
            parts.add(at, to);
        }
        return isMatch;
    }

    private Matches merged(Matches parts, boolean[] isMatch) {
        int n = parts.count / 2;
        Matches merged = new Matches();
        boolean matchBefore = false;
        switch (behavior) {
            case ISOLATED -> {
                return parts;
            }
            case REMOVED -> {
                for (int i = 0; i < n; i++) {
                    if (!isMatch[i]) {
                        merged.add(parts.ends[2 * i], parts.ends[2 * i + 1]);
                    }
                }
            }
            case MERGED_WITH_PREVIOUS -> {
                for (int i = 0; i < n; i++) {
                    if (isMatch[i] && !matchBefore && merged.count > 0) {
                        merged.ends[merged.count - 1] = parts.ends[2 * i + 1];
                    } else {
                        merged.add(parts.ends[2 * i], parts.ends[2 * i + 1]);
                    }
                    matchBefore = isMatch[i];
                }
            }
            case MERGED_WITH_NEXT -> {
                // HF decides from behind: of several matches in a row the last one joins what follows.
                for (int i = 0; i < n; i++) {
                    boolean joins = i > 0 && isMatch[i - 1] && !isMatch[i];
                    if (joins) {
                        merged.ends[merged.count - 1] = parts.ends[2 * i + 1];
                    } else {
                        merged.add(parts.ends[2 * i], parts.ends[2 * i + 1]);
                    }
                }
            }
            case CONTIGUOUS -> {
                for (int i = 0; i < n; i++) {
                    if (i > 0 && isMatch[i] == matchBefore) {
                        merged.ends[merged.count - 1] = parts.ends[2 * i + 1];
                    } else {
                        merged.add(parts.ends[2 * i], parts.ends[2 * i + 1]);
                    }
                    matchBefore = isMatch[i];
                }
            }
        }
        return merged;
    }

    private static void emit(byte[] utf8, int from, boolean first, Matches parts, Sink out) {
        for (int i = 0; i < parts.count; i += 2) {
            if (parts.ends[i] < parts.ends[i + 1]) {
                out.part(utf8, parts.ends[i], parts.ends[i + 1], first && parts.ends[i] == from);
            }
        }
    }
}
