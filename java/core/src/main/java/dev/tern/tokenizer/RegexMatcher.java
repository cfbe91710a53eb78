package dev.tern.tokenizer;

import dev.tern.tokenizer.RegexNode.Anchor;
import dev.tern.tokenizer.RegexNode.Look;
import java.util.Arrays;
import java.util.List;

/**
 * Searches a text for matches of a {@link Regex}, leftmost first, then in the order of preference of a backtracking
 * engine.
 *
 * <p>Each fork is taken at most once at each place: what was tried there and did not lead to a match never will,
 * wherever the search began. So all matches of a text take time in proportion to its length times the pattern's, and
 * no stack. Not thread-safe.
 */
final class RegexMatcher {
    private static final int PAGE = 1 << 10;
    private static final Anchor[] ANCHORS = Anchor.values();

    private final Regex regex;
    private final CharacterClass[] sets;
    private final byte[] utf8;
    private final int from;
    private final int to;
    private final int words;

    /**
     * For each place a bit for each fork that was taken there, in pages that are made when reached and dropped behind.
     */
    private final long[][] tried;
    private int[] stack = new int[64];
    private int next;
    private int lastEnd = -1;
    private int start;
    private int end;

    RegexMatcher(Regex regex, byte[] utf8, int from, int to) {
        this.regex = regex;
        this.sets = regex.sets.toArray(new CharacterClass[0]);
        this.utf8 = utf8;
        this.from = from;
        this.to = to;
        this.words = (regex.forks + 63) >> 6;
        this.tried = new long[(to - from) / PAGE + 1][];
        this.next = from;
    }

    /**
     * Finds the next match, behind the last; an empty one does not follow directly on another.
     *
     * @return whether there is one; then {@link #start} and {@link #end} say where
     */
    boolean find() {
        while (next <= to) {
            int at = match(next);
            if (at < 0) {
                advance();
            } else if (at == next && at == lastEnd) {
                advance();
            } else {
                start = next;
                end = at;
                lastEnd = at;
                drop(next, at);
                next = at;
                return true;
            }
        }
        return false;
    }

    int start() {
        return start;
    }

    int end() {
        return end;
    }

    private void advance() {
        int here = next;
        next += next < to ? Utf8.length(utf8[next]) : 1;
        drop(here, Math.min(next, to));
    }

    /** Places before {@code until} are behind; what stands at {@code until} may have been on the way to the match. */
    private void drop(int since, int until) {
        for (int page = (since - from) / PAGE; page < (until - from) / PAGE; page++) {
            tried[page] = null;
        }
        long[] page = tried[(until - from) / PAGE];
        if (page != null) {
            int row = (until - from) % PAGE * words;
            Arrays.fill(page, row, row + words, 0);
        }
    }

    /** Whether this fork is taken here for the first time. */
    private boolean first(int fork, int at) {
        int place = at - from;
        long[] page = tried[place / PAGE];
        if (page == null) {
            page = tried[place / PAGE] = new long[PAGE * words];
        }
        int word = place % PAGE * words + (fork >> 6);
        long bit = 1L << fork;
        if ((page[word] & bit) != 0) {
            return false;
        }
        page[word] |= bit;
        return true;
    }

    /** The end of the match that begins here, or −1. */
    private int match(int begin) {
        byte[] ops = regex.ops;
        int depth = 0;
        int pc = 0;
        int at = begin;
        while (true) {
            boolean goesOn;
            switch (ops[pc]) {
                case Regex.ONE -> {
                    int length = length(sets[regex.x[pc]], at);
                    goesOn = length > 0;
                    at += length;
                    pc++;
                }
                case Regex.FORK -> {
                    goesOn = first(regex.x[pc + 1], at);
                    if (goesOn) {
                        if (depth + 2 > stack.length) {
                            stack = Arrays.copyOf(stack, stack.length * 2);
                        }
                        stack[depth++] = regex.y[pc];
                        stack[depth++] = at;
                        pc = regex.x[pc];
                    }
                }
                case Regex.JUMP -> {
                    pc = regex.x[pc];
                    goesOn = true;
                }
                case Regex.PLACE -> {
                    goesOn = Regex.isAt(ANCHORS[regex.x[pc]], utf8, from, at, to);
                    pc++;
                }
                case Regex.LOOK -> {
                    goesOn = holds(regex.looks.get(regex.x[pc]), at);
                    pc++;
                }
                case Regex.RUN -> {
                    CharacterClass set = sets[regex.x[pc]];
                    for (int left = regex.y[pc]; left != 0; left--) {
                        int length = length(set, at);
                        if (length == 0) {
                            break;
                        }
                        at += length;
                    }
                    goesOn = true;
                    pc++;
                }
                default -> {
                    return at;
                }
            }
            if (!goesOn) {
                if (depth == 0) {
                    return -1;
                }
                at = stack[--depth];
                pc = stack[--depth];
            }
        }
    }

    /** Bytes of the character here if it is of the set, else 0. */
    private int length(CharacterClass set, int at) {
        if (at >= to) {
            return 0;
        }
        byte lead = utf8[at];
        if (lead >= 0) {
            return set.contains(lead) ? 1 : 0;
        }
        int length = Utf8.length(lead);
        return set.contains(Utf8.codePoint(utf8, at, length)) ? length : 0;
    }

    private boolean holds(Look look, int at) {
        for (List<CharacterClass> sequence : look.sequences()) {
            if (look.ahead() ? ahead(sequence, at) : behind(sequence, at)) {
                return !look.negative();
            }
        }
        return look.negative();
    }

    private boolean ahead(List<CharacterClass> sequence, int at) {
        int here = at;
        for (CharacterClass set : sequence) {
            int length = length(set, here);
            if (length == 0) {
                return false;
            }
            here += length;
        }
        return true;
    }

    private boolean behind(List<CharacterClass> sequence, int at) {
        int here = at;
        for (int i = sequence.size() - 1; i >= 0; i--) {
            if (here == from) {
                return false;
            }
            int previous = Utf8.previous(utf8, here);
            if (!sequence.get(i).contains(Utf8.codePoint(utf8, previous, here - previous))) {
                return false;
            }
            here = previous;
        }
        return true;
    }
}
