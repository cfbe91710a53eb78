package dev.tern.gguf;

import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;
import org.jspecify.annotations.Nullable;

/**
 * The strings of a file's array as their bytes, one behind the other: a vocabulary has hundreds of thousands, of which few
 * are ever read as text. An element is decoded each time it is asked for. Immutable and thread-safe.
 */
public final class GgufStrings extends AbstractList<String> implements RandomAccess {
    private final byte[] utf8;
    private final int[] offsets;

    private GgufStrings(byte[] utf8, int[] offsets) {
        this.utf8 = utf8;
        this.offsets = offsets;
    }

    /** The list itself when it is of this kind, and an immutable copy otherwise. */
    public static List<String> copyOf(List<String> strings) {
        return strings instanceof GgufStrings ? strings : List.copyOf(strings);
    }

    /** All strings as UTF-8, well-formed; the array is not copied and must not be changed. */
    public byte[] utf8() {
        return utf8;
    }

    /**
     * Where each string begins in {@link #utf8()}, and behind the last where that ends; the array is not copied and must
     * not be changed.
     */
    public int[] offsets() {
        return offsets;
    }

    @Override
    public String get(int index) {
        return new String(utf8, offsets[index], offsets[index + 1] - offsets[index], StandardCharsets.UTF_8);
    }

    @Override
    public int size() {
        return offsets.length - 1;
    }

    @Override
    public boolean contains(@Nullable Object element) {
        return indexOf(element) >= 0;
    }

    @Override
    public int indexOf(@Nullable Object element) {
        byte[] wanted = encoded(element);
        for (int i = 0; wanted != null && i < size(); i++) {
            if (is(i, wanted)) {
                return i;
            }
        }
        return -1;
    }

    @Override
    public int lastIndexOf(@Nullable Object element) {
        byte[] wanted = encoded(element);
        for (int i = size() - 1; wanted != null && i >= 0; i--) {
            if (is(i, wanted)) {
                return i;
            }
        }
        return -1;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof GgufStrings strings
                ? Arrays.equals(offsets, strings.offsets) && Arrays.equals(utf8, strings.utf8)
                : super.equals(other);
    }

    @Override
    public int hashCode() {
        return super.hashCode(); // a list's, whatever holds it
    }

    /** Null for what no file holds: another thing than a string, or half of a surrogate pair. */
    private static byte @Nullable [] encoded(@Nullable Object element) {
        if (!(element instanceof String text)) {
            return null;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return new String(bytes, StandardCharsets.UTF_8).equals(text) ? bytes : null;
    }

    private boolean is(int index, byte[] wanted) {
        int from = offsets[index];
        return offsets[index + 1] - from == wanted.length
                && Arrays.equals(utf8, from, from + wanted.length, wanted, 0, wanted.length);
    }

    /** Takes strings one after the other. Not thread-safe. */
    static final class Builder {
        private final int[] offsets;
        private byte[] utf8;
        private int count;

        /** @param size how many strings will come */
        Builder(int size) {
            offsets = new int[size + 1];
            utf8 = new byte[size * 8];
        }

        /** Takes well-formed bytes {@code [from, from + length)}. */
        void add(byte[] bytes, int from, int length) {
            int at = offsets[count];
            if (length > utf8.length - at) {
                utf8 = Arrays.copyOf(utf8, Math.addExact(Math.addExact(at, length), at / 2));
            }
            System.arraycopy(bytes, from, utf8, at, length);
            offsets[++count] = at + length;
        }

        /** What has been taken, as many strings as were to come. */
        GgufStrings build() {
            return new GgufStrings(utf8.length == offsets[count] ? utf8 : Arrays.copyOf(utf8, offsets[count]), offsets);
        }
    }
}
