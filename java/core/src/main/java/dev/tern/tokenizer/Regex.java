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

/**
 * A regular expression compiled for a backtracking machine: instructions that take a character, test a place, jump, or
 * fork into a preferred and a second way. {@link RegexMatcher} runs it. Immutable.
 */
final class Regex {
    /** Takes a character of {@code sets[x]}. */
    static final byte ONE = 0;
    /** Goes on at x; when that fails, at y. */
    static final byte FORK = 1;
    static final byte JUMP = 2;
    /** Tests anchor x. */
    static final byte PLACE = 3;
    /** Tests look x. */
    static final byte LOOK = 4;
    /**
     * Takes as many characters of {@code sets[x]} as there are, y at most (any number when negative), and gives none
     * back.
     */
    static final byte RUN = 5;
    static final byte MATCH = 6;

    private static final int MAX_INSTRUCTIONS = 8192;

    byte[] ops = new byte[64];
    int[] x = new int[64];
    int[] y = new int[64];
    final List<CharacterClass> sets = new ArrayList<>();
    final List<Look> looks = new ArrayList<>();
    int forks;
    private int count;

    private Regex() {}

    /** @throws RegexParser.UnsupportedException naming what is not understood */
    static Regex compile(String pattern) throws RegexParser.UnsupportedException {
        Regex regex = new Regex();
        regex.emit(RegexParser.parse(pattern));
        regex.add(MATCH, 0, 0);
        return regex;
    }

    /** A new search through {@code utf8[from, to)}. */
    RegexMatcher matcher(byte[] utf8, int from, int to) {
        return new RegexMatcher(this, utf8, from, to);
    }

    private int add(byte op, int first, int second) throws RegexParser.UnsupportedException {
        if (count == ops.length) {
            if (count >= MAX_INSTRUCTIONS) {
                throw new RegexParser.UnsupportedException("a size beyond " + MAX_INSTRUCTIONS + " instructions");
            }
            ops = java.util.Arrays.copyOf(ops, count * 2);
            x = java.util.Arrays.copyOf(x, count * 2);
            y = java.util.Arrays.copyOf(y, count * 2);
        }
        ops[count] = op;
        x[count] = first;
        y[count] = second;
        return count++;
    }

    /**
     * Where a fork leads is set later; its third operand, its number among forks, lies in the instruction behind it.
     */
    private int fork() throws RegexParser.UnsupportedException {
        int fork = add(FORK, 0, 0);
        add(JUMP, forks++, 0);
        return fork;
    }

    private void emit(RegexNode node) throws RegexParser.UnsupportedException {
        switch (node) {
            case One one -> add(ONE, set(one.set()), 0);
            case Concatenation concatenation -> {
                for (RegexNode part : concatenation.parts()) {
                    emit(part);
                }
            }
            case Alternation alternation -> emit(alternation);
            case Repetition repetition -> emit(repetition);
            case Place place -> add(PLACE, place.anchor().ordinal(), 0);
            case Look look -> {
                looks.add(look);
                add(LOOK, looks.size() - 1, 0);
            }
        }
    }

    private void emit(Alternation alternation) throws RegexParser.UnsupportedException {
        List<Integer> jumps = new ArrayList<>();
        int last = alternation.choices().size() - 1;
        for (int i = 0; i <= last; i++) {
            int fork = i < last ? fork() : -1;
            if (fork >= 0) {
                x[fork] = count;
            }
            emit(alternation.choices().get(i));
            if (fork >= 0) {
                jumps.add(add(JUMP, 0, 0));
                y[fork] = count;
            }
        }
        for (int jump : jumps) {
            x[jump] = count;
        }
    }

    private void emit(Repetition repetition) throws RegexParser.UnsupportedException {
        if (repetition.mode() == Mode.POSSESSIVE) {
            int set = set(((One) repetition.body()).set());
            for (int i = 0; i < repetition.min(); i++) {
                add(ONE, set, 0);
            }
            add(RUN, set, repetition.max() < 0 ? -1 : repetition.max() - repetition.min());
            return;
        }
        for (int i = 0; i < repetition.min(); i++) {
            emit(repetition.body());
        }
        boolean lazy = repetition.mode() == Mode.LAZY;
        if (repetition.max() < 0) {
            int fork = fork();
            int body = count;
            emit(repetition.body());
            add(JUMP, fork, 0);
            lead(fork, body, count, lazy);
            return;
        }
        List<Integer> forks = new ArrayList<>();
        for (int i = repetition.min(); i < repetition.max(); i++) {
            forks.add(fork());
            emit(repetition.body());
        }
        for (int fork : forks) {
            lead(fork, fork + 2, count, lazy);
        }
    }

    private void lead(int fork, int body, int exit, boolean lazy) {
        x[fork] = lazy ? exit : body;
        y[fork] = lazy ? body : exit;
    }

    private int set(CharacterClass set) {
        sets.add(set);
        return sets.size() - 1;
    }

    /** Whether the place at {@code at} in {@code utf8[from, to)} is of this kind. */
    static boolean isAt(Anchor anchor, byte[] utf8, int from, int at, int to) {
        return switch (anchor) {
            case TEXT_START -> at == from;
            case TEXT_END -> at == to;
            case LINE_START -> at == from || utf8[at - 1] == '\n' && at < to;
            case LINE_END -> at == to || utf8[at] == '\n';
            case WORD_BOUNDARY -> wordBefore(utf8, from, at) != wordAfter(utf8, at, to);
            case NO_WORD_BOUNDARY -> wordBefore(utf8, from, at) == wordAfter(utf8, at, to);
        };
    }

    private static boolean wordBefore(byte[] utf8, int from, int at) {
        if (at == from) {
            return false;
        }
        int previous = Utf8.previous(utf8, at);
        return CharacterClass.WORD.contains(Utf8.codePoint(utf8, previous, at - previous));
    }

    private static boolean wordAfter(byte[] utf8, int at, int to) {
        return at < to && CharacterClass.WORD.contains(Utf8.codePoint(utf8, at, Utf8.length(utf8[at])));
    }
}
