package dev.tern.measure.chart;

import java.util.List;
import java.util.OptionalDouble;
import java.util.function.DoubleFunction;

/**
 * Horizontal bars from zero, each with its name before it, its value behind it, and its spread as a line.
 *
 * @param bars at least one, one's own first
 * @param unit below the axis
 * @param tick how values of the axis are written
 */
public record BarChart(List<Bar> bars, String unit, DoubleFunction<String> tick) {

    /**
     * @param value that the bar is as long as
     * @param part of the value that is drawn darker
     * @param least of the values measured
     * @param most of the values measured
     * @param shown the value as text
     * @param tooltip more about it
     */
    public record Bar(
            String name,
            Mark mark,
            double value,
            OptionalDouble part,
            double least,
            double most,
            String shown,
            String tooltip) {}

    private static final double ROW = 24;
    private static final double BAR = 14;
    private static final double LINE = 15; // of a name above its bar
    private static final double GAP = 8; // between one's own and others'

    public BarChart {
        bars = List.copyOf(bars);
    }

    public String svg(Frame frame) {
        Svg svg = new Svg(frame);
        double names = bars.stream().mapToDouble(bar -> TextWidth.of(bar.name())).max().orElse(0);
        double values = bars.stream().mapToDouble(bar -> TextWidth.of(bar.shown())).max().orElse(0);
        boolean above = names > 0.36 * frame.width();
        double left = above ? 1 : Math.ceil(names) + 9;
        double row = above ? ROW + LINE : ROW;
        double most = bars.stream().mapToDouble(bar -> Math.max(bar.value(), bar.most())).max().orElse(1);
        Axis axis = Axis.fromZero(most, left, frame.width() - values - 10);
        double gap = bars.getFirst().mark() != Mark.OTHER && bars.getLast().mark() == Mark.OTHER ? GAP : 0;
        double bottom = bars.size() * row + gap + 4;
        int ticks = (int) Math.max(2, (axis.end() - left) / 90);
        axis.drawBelow(svg, 0, bottom, ticks, tick);
        for (int i = 0; i < bars.size(); i++) {
            draw(svg, bars.get(i), axis, i * row + (bars.get(i).mark() == Mark.OTHER ? gap : 0) + 2, above);
        }
        svg.text("unit", left, bottom + 34, "start", unit);
        return svg.image(bottom + 40);
    }

    private static void draw(Svg svg, Bar bar, Axis axis, double top, boolean above) {
        double left = axis.start();
        double y = top + (above ? LINE : 0) + (ROW - BAR) / 2 - 1;
        double middle = y + BAR / 2;
        svg.group(bar.tooltip());
        svg.text(
                "name " + bar.mark().css(), above ? left : left - 8, above ? top + 12 : middle + 4, above ? "start" : "end",
                above ? TextWidth.cut(bar.name(), svg.width() - 4) : bar.name());
        svg.rect("bar " + bar.mark().css(), left, y, axis.at(bar.value()) - left, BAR);
        bar.part().ifPresent(part -> svg.rect("part " + bar.mark().css(), left, y, axis.at(part) - left, BAR));
        double end = axis.at(Math.max(bar.value(), bar.most()));
        if (bar.most() > bar.least()) {
            svg.line("spread", axis.at(bar.least()), middle, axis.at(bar.most()), middle);
            svg.line("spread", axis.at(bar.least()), middle - 3, axis.at(bar.least()), middle + 3);
            svg.line("spread", axis.at(bar.most()), middle - 3, axis.at(bar.most()), middle + 3);
        }
        svg.text("value " + bar.mark().css(), end + 6, middle + 4, "start", bar.shown());
        svg.endGroup();
    }
}
