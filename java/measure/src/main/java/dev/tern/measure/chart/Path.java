package dev.tern.measure.chart;

import java.util.Locale;

/** A line through points, in pixels. */
final class Path {
    private final StringBuilder text = new StringBuilder();

    private Path() {}

    static Path at(double x, double y) {
        return new Path().step('M', x, y);
    }

    Path to(double x, double y) {
        return step('L', x, y);
    }

    private Path step(char command, double x, double y) {
        text.append(command).append(String.format(Locale.ROOT, "%.1f %.1f", x, y));
        return this;
    }

    String closed() {
        return text + "Z";
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
