package dev.tern.grammar;

import java.util.Arrays;

/** A set of Unicode scalar values: code points without surrogates, which UTF-8 cannot encode. Immutable. */
final class CodePoints {
    static final CodePoints NONE = new CodePoints(new int[0]);
    static final CodePoints ALL = of(0, Character.MAX_CODE_POINT);

    /** First and last of each range, ascending, apart from each other. */
    private final int[] bounds;

    private CodePoints(int[] bounds) {
        this.bounds = bounds;
    }

    /** {@code first} to {@code last}, both included; surrogates among them are left out. */
    static CodePoints of(int first, int last) {
        return new Builder().add(first, last).build();
    }

    static CodePoints of(int codePoint) {
        return of(codePoint, codePoint);
    }

    static CodePoints ofAll(String characters) {
        Builder builder = new Builder();
        characters.codePoints().forEach(c -> builder.add(c, c));
        return builder.build();
    }

    CodePoints complement() {
        Builder builder = new Builder();
        int next = 0;
        for (int i = 0; i < bounds.length; i += 2) {
            builder.add(next, bounds[i] - 1);
            next = bounds[i + 1] + 1;
        }
        return builder.add(next, Character.MAX_CODE_POINT).build();
    }

    CodePoints union(CodePoints other) {
        return new Builder().add(this).add(other).build();
    }

    CodePoints minus(CodePoints other) {
        return complement().union(other).complement();
    }

    CodePoints intersect(CodePoints other) {
        return minus(other.complement());
    }

    boolean isEmpty() {
        return bounds.length == 0;
    }

    boolean contains(int codePoint) {
        int at = Arrays.binarySearch(bounds, codePoint);
        return at >= 0 || (-at - 1) % 2 == 1;
    }

    int ranges() {
        return bounds.length / 2;
    }

    int first(int range) {
        return bounds[2 * range];
    }

    int last(int range) {
        return bounds[2 * range + 1];
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CodePoints points && Arrays.equals(bounds, points.bounds);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bounds);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("[");
        for (int i = 0; i < ranges(); i++) {
            text.append(i == 0 ? "" : " ").append("%x-%x".formatted(first(i), last(i)));
        }
        return text.append(']').toString();
    }

    /** Gathers ranges in any order. */
    static final class Builder {
        private long[] ranges = new long[4];
        private int size;

        Builder add(int first, int last) {
            if (first < Character.MIN_SURROGATE && last >= Character.MIN_SURROGATE) {
                put(first, Character.MIN_SURROGATE - 1);
                put(Character.MAX_SURROGATE + 1, last);
            } else if (first >= Character.MIN_SURROGATE && first <= Character.MAX_SURROGATE) {
                put(Character.MAX_SURROGATE + 1, last);
            } else {
                put(first, last);
            }
            return this;
        }

        private void put(int first, int last) {
            if (first <= last) {
                if (size == ranges.length) {
                    ranges = Arrays.copyOf(ranges, 2 * size);
                }
                ranges[size++] = (long) first << 32 | last;
            }
        }

        Builder add(CodePoints points) {
            for (int i = 0; i < points.ranges(); i++) {
                put(points.first(i), points.last(i));
            }
            return this;
        }

        CodePoints build() {
            Arrays.sort(ranges, 0, size);
            int[] bounds = new int[2 * size];
            int length = 0;
            for (int i = 0; i < size; i++) {
                int first = (int) (ranges[i] >> 32);
                int last = (int) ranges[i];
                if (length > 0 && first <= following(bounds[length - 1])) {
                    bounds[length - 1] = Math.max(bounds[length - 1], last);
                } else {
                    bounds[length++] = first;
                    bounds[length++] = last;
                }
            }
            return new CodePoints(Arrays.copyOf(bounds, length));
        }

        /** Nothing lies between the last before the surrogates and the first behind them. */
        private static int following(int codePoint) {
            return codePoint == Character.MIN_SURROGATE - 1 ? Character.MAX_SURROGATE + 1 : codePoint + 1;
        }
    }
}
