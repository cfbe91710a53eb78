package dev.tern.grammar;

import java.util.HashMap;
import java.util.Map;

/**
 * Ranges of code points as sequences of ranges of bytes. A range is cut where the number of bytes changes, and where
 * what follows the first byte that differs is not all of 80 to BF; so 800 to FFFF becomes E0 [A0-BF] [80-BF] and
 * [E1-EF] [80-BF] [80-BF]. Equal ends of sequences share their states.
 */
final class Utf8Ranges {
    private static final int[] LAST_OF_LENGTH = {0x7F, 0x7FF, 0xFFFF, 0x10FFFF};

    private final StateGraph graph;
    private final int end;
    private final Map<Tail, Integer> tails = new HashMap<>();

    /** Continuation bytes: {@code first} to {@code last}, and then what {@code next} begins. */
    private record Tail(int first, int last, int next) {}

    Utf8Ranges(StateGraph graph, int end) {
        this.graph = graph;
        this.end = end;
    }

    /** Adds edges from a state to the end for {@code first} to {@code last}. */
    void add(int from, int first, int last) {
        for (int length = 1; length <= 4; length++) {
            int low = Math.max(first, length == 1 ? 0 : LAST_OF_LENGTH[length - 2] + 1);
            int high = Math.min(last, LAST_OF_LENGTH[length - 1]);
            if (low <= high) {
                split(from, low, high, length);
            }
        }
    }

    private void split(int from, int first, int last, int length) {
        for (int i = 1; i < length; i++) {
            int mask = (1 << 6 * i) - 1; // of the last i bytes
            if ((first & ~mask) != (last & ~mask)) {
                if ((first & mask) != 0) {
                    split(from, first, first | mask, length);
                    split(from, (first | mask) + 1, last, length);
                    return;
                }
                if ((last & mask) != mask) {
                    split(from, first, (last & ~mask) - 1, length);
                    split(from, last & ~mask, last, length);
                    return;
                }
            }
        }
        int next = end;
        for (int i = 0; i + 1 < length; i++) {
            int low = 0x80 | first >> 6 * i & 0x3F;
            int high = 0x80 | last >> 6 * i & 0x3F;
            next = tails.computeIfAbsent(new Tail(low, high, next), tail -> {
                int state = graph.state();
                graph.bytes(state, tail.first(), tail.last(), tail.next());
                return state;
            });
        }
        int mark = length == 1 ? 0 : 0xF00 >> length & 0xFF; // 110…, 1110…, 11110…
        graph.bytes(from, mark | first >> 6 * (length - 1), mark | last >> 6 * (length - 1), next);
    }
}
