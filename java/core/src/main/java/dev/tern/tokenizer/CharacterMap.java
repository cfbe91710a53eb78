package dev.tern.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.text.BreakIterator;
import java.util.Locale;

/**
 * SentencePiece's {@code precompiled_charsmap}: replaces strings of characters, found in a double-array trie
 * (darts-clone), by others. The bytes are: the trie's size in bytes as u32, the trie's units as u32, the replacements,
 * each ended by NUL; all little-endian. Immutable.
 */
final class CharacterMap {
    private static final int NONE = -1;

    private final int[] units;
    private final byte[] map;
    private final int replacements;
    private final boolean longest;

    /**
     * @param longest whether the longest string found at a place is replaced, as SentencePiece does; otherwise, as HF's
     *     {@code Precompiled} does, whole grapheme clusters below 6 bytes, then single characters, by the shortest
     *     found
     */
    CharacterMap(byte[] map, boolean longest, Object where) {
        ByteBuffer buffer = ByteBuffer.wrap(map).order(ByteOrder.LITTLE_ENDIAN);
        int size = map.length < 4 ? -1 : buffer.getInt();
        if (size < 4 || size % 4 != 0 || size > map.length - 4) {
            throw PipelineJson.unsupported(
                    where, "precompiled_charsmap", "the size of a trie that fits in it", size + " bytes");
        }
        this.units = new int[size / 4];
        buffer.asIntBuffer().get(units);
        this.map = map;
        this.replacements = 4 + size;
        this.longest = longest;
    }

    byte[] apply(byte[] text) {
        ByteArrayOutputStream mapped = new ByteArrayOutputStream(text.length + 16);
        if (longest) {
            for (int at = 0; at < text.length; ) {
                at = mapLongest(text, at, mapped);
            }
            return mapped.toByteArray();
        }
        String string = new String(text, StandardCharsets.UTF_8);
        BreakIterator clusters = BreakIterator.getCharacterInstance(Locale.ROOT);
        clusters.setText(string);
        int at = 0;
        for (int from = clusters.first(), to = clusters.next();
                to != BreakIterator.DONE;
                from = to, to = clusters.next()) {
            int length = Utf8.encode(string.substring(from, to)).length;
            mapCluster(text, at, at + length, mapped);
            at += length;
        }
        return mapped.toByteArray();
    }

    private int mapLongest(byte[] text, int at, ByteArrayOutputStream mapped) {
        long found = find(text, at, text.length, true);
        if (found != NONE) {
            write((int) found, mapped);
            return at + (int) (found >>> 32);
        }
        int length = Utf8.length(text[at]);
        mapped.write(text, at, length);
        return at + length;
    }

    private void mapCluster(byte[] text, int from, int to, ByteArrayOutputStream mapped) {
        long found = to - from < 6 ? find(text, from, to, false) : NONE;
        if (found != NONE) {
            write((int) found, mapped);
            return;
        }
        for (int at = from; at < to; ) {
            int length = Utf8.length(text[at]);
            long single = find(text, at, at + length, false);
            if (single != NONE) {
                write((int) single, mapped);
            } else {
                mapped.write(text, at, length);
            }
            at += length;
        }
    }

    /** {@code length << 32 | offset} of a string of the trie that {@code text[from, to)} begins with, or NONE. */
    private long find(byte[] text, int from, int to, boolean last) {
        long found = NONE;
        int node = offset(units[0]);
        for (int at = from; at < to; at++) {
            int label = text[at] & 0xFF;
            node ^= label;
            if (label == 0 || node < 0 || node >= units.length || (units[node] & 0x8000_00FF) != label) {
                return found;
            }
            int unit = units[node];
            node ^= offset(unit);
            if ((unit >>> 8 & 1) != 0 && node >= 0 && node < units.length) {
                found = (long) (at + 1 - from) << 32 | units[node] & 0x7FFF_FFFF;
                if (!last) {
                    return found;
                }
            }
        }
        return found;
    }

    private static int offset(int unit) {
        return unit >>> 10 << ((unit & 1 << 9) >>> 6);
    }

    private void write(int offset, ByteArrayOutputStream mapped) {
        for (int i = replacements + offset; i >= replacements && i < map.length && map[i] != 0; i++) {
            mapped.write(map[i]);
        }
    }
}
