package dev.tern.measure.chart;

import java.util.List;
import java.util.function.DoubleFunction;

/**
 * A mean and a largest value a row, over decades: a dot and a tick on one line. A row whose values are 0 says so.
 *
 * @param unit below the axis
 * @param zero what is said of a row of zeros
 */
public record RangeChart(List<Row> rows, String unit, String zero, DoubleFunction<String> tick) {

    /**
     * @param mean at least 0
     * @param most at least the mean
     * @param shown both as text
     */
    public record Row(String name, double mean, double most, String shown, String tooltip) {
        boolean isZero() {
            return mean <= 0 || most <= 0;
        }
    }

    private static final double LINE = 15;
    private static final double GAP = 30; // below the names: the range and what stands between rows

    public RangeChart {
        rows = List.copyOf(rows);
    }

    public String svg(Frame frame) {
        Svg svg = new Svg(frame);
        double least = rows.stream().filter(row -> !row.isZero()).mapToDouble(Row::mean).min().orElse(1e-6);
        double most = rows.stream().filter(row -> !row.isZero()).mapToDouble(Row::most).max().orElse(1);
        double shown = rows.stream().mapToDouble(row -> TextWidth.of(row.shown())).max().orElse(0);
        Axis axis = new Axis(
                true,
                Math.pow(10, Math.floor(Math.log10(least) - 0.1)),
                Math.pow(10, Math.ceil(Math.log10(most) + 0.1)),
                8,
                frame.width() - Math.min(shown, frame.width() / 2) - 16);
        List<List<String>> names =
                rows.stream().map(row -> TextWidth.wrapped(row.name(), frame.width() - 16)).toList();
        double bottom = names.stream().mapToDouble(lines -> lines.size() * LINE + GAP).sum() + 2;
        axis.drawBelow(svg, 0, bottom, (int) Math.max(2, (axis.end() - axis.start()) / 60), tick);
        double y = 0;
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            svg.group(row.tooltip());
            for (String line : names.get(i)) {
                y += LINE;
                svg.text("name own", 14, y - 2, "start", line);
            }
            if (row.isZero()) {
                svg.text("value", 14, y + 14, "start", zero);
            } else {
                double at = y + 10;
                svg.line("range", axis.at(row.mean()), at, axis.at(row.most()), at);
                svg.line("range", axis.at(row.most()), at - 5, axis.at(row.most()), at + 5);
                svg.mark(Mark.BEST, axis.at(row.mean()), at);
                svg.text("value", axis.at(row.most()) + 8, at + 4, "start", row.shown());
            }
            svg.endGroup();
            y += GAP;
        }
        svg.text("unit", 8, bottom + 34, "start", unit);
        return svg.image(bottom + 40);
    }
}
