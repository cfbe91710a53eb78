package dev.tern.measure.chart;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleFunction;

/**
 * A number's place along one side of a chart.
 *
 * @param logarithmic whether equal ratios are equally far apart
 * @param from value at {@code start}; above 0 where the axis is logarithmic
 * @param to value at {@code end}
 * @param start pixels
 * @param end pixels; less than {@code start} on an axis that goes up
 */
record Axis(boolean logarithmic, double from, double to, double start, double end) {

    /** From 0 to a little above {@code most}. */
    static Axis fromZero(double most, double start, double end) {
        return new Axis(false, 0, most > 0 ? most * 1.04 : 1, start, end);
    }

    /** As wide as the values and a margin need; a linear one where they are close together. */
    static Axis ofRatios(double least, double most, double start, double end) {
        double margin = Math.max(1.08, Math.pow(most / least, 0.08));
        return new Axis(most / least > 2.5, least / margin, most * margin, start, end);
    }

    double at(double value) {
        double share = logarithmic
                ? Math.log(value / from) / Math.log(to / from)
                : (value - from) / (to - from);
        return start + share * (end - start);
    }

    /** Round values along the axis: about {@code wanted} of them, or the decades and their parts. */
    List<Double> ticks(int wanted) {
        return logarithmic ? logarithmicTicks(wanted) : linearTicks(wanted);
    }

    private List<Double> linearTicks(int wanted) {
        double rough = (to - from) / wanted;
        double decade = Math.pow(10, Math.floor(Math.log10(rough)));
        double step = decade * (rough / decade < 1.5 ? 1 : rough / decade < 3.5 ? 2 : rough / decade < 7.5 ? 5 : 10);
        List<Double> ticks = new ArrayList<>();
        for (long i = (long) Math.ceil(from / step - 1e-9); i * step <= to * (1 + 1e-12); i++) {
            ticks.add(step < 1 ? i / (double) Math.round(1 / step) : i * step);
        }
        return ticks;
    }

    private List<Double> logarithmicTicks(int wanted) {
        for (double[] parts : new double[][] {{1, 2, 5}, {1, 3}, {1}}) {
            List<Double> ticks = decades(parts, 1);
            if (ticks.size() <= wanted + 1 || parts.length == 1 && ticks.size() <= 2) {
                return ticks;
            }
        }
        int every = 1;
        while (decades(new double[] {1}, every).size() > wanted + 1) {
            every++;
        }
        return decades(new double[] {1}, every);
    }

    private List<Double> decades(double[] parts, int every) {
        List<Double> ticks = new ArrayList<>();
        int first = Math.floorDiv((int) Math.floor(Math.log10(from)), every) * every;
        for (int decade = first; decade <= Math.log10(to); decade += every) {
            for (double part : parts) {
                double tick = Double.parseDouble(part + "e" + decade);
                if (tick >= from && tick <= to) {
                    ticks.add(tick);
                }
            }
        }
        return ticks;
    }

    /** Lines across the chart at the ticks, with their labels below; {@code top} and {@code bottom} bound the lines. */
    void drawBelow(Svg svg, double top, double bottom, int wanted, DoubleFunction<String> label) {
        double free = Double.NEGATIVE_INFINITY;
        for (double tick : ticks(wanted)) {
            String text = label.apply(tick);
            double half = TextWidth.of(text) / 2;
            svg.line(tick == from ? "base" : "grid", at(tick), top, at(tick), bottom);
            if (at(tick) - half > free && at(tick) + half < svg.width() + 2) {
                svg.text("tick", at(tick), bottom + 16, "middle", text);
                free = at(tick) + half + 4;
            }
        }
    }

    /** Lines across the chart at the ticks, with their labels on the left. */
    void drawLeft(Svg svg, double left, double right, int wanted, DoubleFunction<String> label) {
        for (double tick : ticks(wanted)) {
            svg.line(tick == from ? "base" : "grid", left, at(tick), right, at(tick));
            svg.text("tick", left - 6, at(tick) + 4, "end", label.apply(tick));
        }
    }
}
