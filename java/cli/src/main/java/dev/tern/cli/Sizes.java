package dev.tern.cli;

import java.util.Locale;

/** Numbers as people read them. */
final class Sizes {
    private Sizes() {}

    /** Bytes in GiB or MiB or KiB. */
    static String binary(long bytes) {
        if (bytes >= 1L << 30) {
            return String.format(Locale.ROOT, "%.2f GiB", bytes / (double) (1L << 30));
        }
        return bytes >= 1L << 20
                ? String.format(Locale.ROOT, "%.2f MiB", bytes / (double) (1L << 20))
                : String.format(Locale.ROOT, "%.1f KiB", bytes / 1024.0);
    }

    /** A count in billions, millions or plainly. */
    static String count(long number) {
        if (number >= 1_000_000_000L) {
            return String.format(Locale.ROOT, "%.2f B", number / 1e9);
        }
        return number >= 1_000_000L ? String.format(Locale.ROOT, "%.2f M", number / 1e6) : Long.toString(number);
    }

    /** A time in seconds or milliseconds. */
    static String time(long nanos) {
        return nanos >= 10_000_000_000L
                ? String.format(Locale.ROOT, "%.1f s", nanos / 1e9)
                : nanos >= 1_000_000_000L
                        ? String.format(Locale.ROOT, "%.2f s", nanos / 1e9)
                        : String.format(Locale.ROOT, "%.0f ms", nanos / 1e6);
    }
}
