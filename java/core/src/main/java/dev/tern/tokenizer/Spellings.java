package dev.tern.tokenizer;

import dev.tern.gguf.GgufStrings;
import java.util.Arrays;
import java.util.List;

/**
 * Strings as UTF-8, the one of number i at {@code utf8[offsets[i] .. offsets[i + 1])}. Those of a file are its own bytes; in
 * others a surrogate without its partner is U+FFFD. The arrays must not be changed.
 */
record Spellings(byte[] utf8, int[] offsets) {

    /** Where the last string ends. */
    int end() {
        return offsets[offsets.length - 1];
    }

    /** The one space of a merge "left right" with something on both sides, or -1. */
    int space(int merge) {
        int space = -1;
        for (int at = offsets[merge]; at < offsets[merge + 1]; at++) {
            if (utf8[at] == ' ') {
                if (space >= 0) {
                    return -1;
                }
                space = at;
            }
        }
        return space == offsets[merge] || space == offsets[merge + 1] - 1 ? -1 : space;
    }

    static Spellings of(List<String> strings) {
        if (strings instanceof GgufStrings stored) {
            return new Spellings(stored.utf8(), stored.offsets());
        }
        byte[] all = new byte[strings.size() * 8];
        int[] offsets = new int[strings.size() + 1];
        int end = 0;
        for (int i = 0; i < strings.size(); i++) {
            byte[] one = Utf8.encode(strings.get(i));
            if (one.length > all.length - end) {
                all = Arrays.copyOf(all, Math.addExact(Math.addExact(end, one.length), end / 2));
            }
            System.arraycopy(one, 0, all, end, one.length);
            end += one.length;
            offsets[i + 1] = end;
        }
        return new Spellings(all, offsets);
    }
}
