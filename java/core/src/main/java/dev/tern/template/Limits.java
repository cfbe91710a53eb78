package dev.tern.template;

/** What one rendering may take, far more than a chat needs; templates come with models, from anywhere. Not thread-safe. */
final class Limits {
    private static final long MAX_STEPS = 10_000_000;
    static final long MAX_SIZE = 1L << 24;

    /** What an item of a list counts, in characters. */
    private static final int ITEM = 16;
    private static final long MAX_TOTAL = 1L << 29;

    private long steps;
    private long total;

    /** Counts one evaluation. */
    void step() {
        if (++steps > MAX_STEPS) {
            throw new TemplateError("the template runs longer than any chat needs (" + MAX_STEPS + " steps)");
        }
    }

    /** Counts the items of a new list. */
    void chargeItems(long items) {
        product(items, ITEM);
    }

    /** Counts the characters of a new value. */
    void charge(long size) {
        total += size;
        if (size > MAX_SIZE || total > MAX_TOTAL) {
            throw new TemplateError("the template makes values larger than any chat needs (" + MAX_SIZE + " characters)");
        }
    }

    /** The product of two sizes, charged. */
    int product(long a, long b) {
        long size = a <= 0 || b <= 0 ? 0 : a > MAX_SIZE / b ? MAX_SIZE + 1 : a * b;
        charge(size);
        return (int) size;
    }
}
