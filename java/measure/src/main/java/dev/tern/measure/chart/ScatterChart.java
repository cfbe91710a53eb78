package dev.tern.measure.chart;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleFunction;

/**
 * Points of which less is better to the right and more is better upwards. The Pareto front is marked: the points than which
 * none is better in both. Other engines' points do not belong to it.
 *
 * @param xUnit below the axis
 * @param yUnit above the axis
 */
public record ScatterChart(List<Point> points, String xUnit, String yUnit, DoubleFunction<String> tick) {

    /**
     * @param x above 0
     * @param y at least 0
     * @param other whether it is another engine's
     */
    public record Point(String name, double x, double y, boolean other, String tooltip) {}

    private static final double TOP = 24;
    private static final double BELOW = 42;
    private static final double HEIGHT = 340;

    public ScatterChart {
        points = List.copyOf(points);
    }

    /** From the least x to the most. */
    public static List<Point> front(List<Point> points) {
        List<Point> front = new ArrayList<>();
        List<Point> own = points.stream()
                .filter(point -> !point.other())
                .sorted(Comparator.comparingDouble(Point::x).thenComparing(Comparator.comparingDouble(Point::y).reversed()))
                .toList();
        for (Point point : own) {
            if (front.isEmpty() || point.y() > front.getLast().y()) {
                front.add(point);
            }
        }
        return front;
    }

    public String svg(Frame frame) {
        Svg svg = new Svg(frame);
        double most = points.stream().mapToDouble(Point::y).max().orElse(1);
        double bottom = HEIGHT - BELOW;
        double lowest = points.stream().mapToDouble(Point::y).min().orElse(0);
        double base = lowest > most / 3 ? Math.min(0.85 * lowest, most / 2) : 0;
        Axis y = new Axis(false, base, Math.max(most * 1.12, 1e-9), bottom, TOP);
        double left = y.ticks(5).stream().mapToDouble(value -> TextWidth.of(tick.apply(value))).max().orElse(0) + 8;
        double right = frame.width() - 10;
        double from = points.stream().mapToDouble(Point::x).min().orElse(1);
        double to = points.stream().mapToDouble(Point::x).max().orElse(1);
        Axis x = Axis.ofRatios(from, to, left, right);
        y.drawLeft(svg, left, right, 5, tick);
        svg.line("base", left, bottom, right, bottom);
        x.drawBelow(svg, bottom, bottom + 4, (int) Math.max(2, frame.width() / 80), tick);
        svg.text("unit", 0, 12, "start", yUnit);
        svg.text("unit", right, bottom + 36, "end", xUnit);
        List<Point> front = front(points);
        drawFront(svg, front, x, y, right);
        drawPoints(svg, front, x, y, new Box(left + 2, TOP - 8, right + 8, bottom - 4));
        return svg.image(HEIGHT);
    }

    private static void drawFront(Svg svg, List<Point> front, Axis x, Axis y, double right) {
        if (front.size() < 2) {
            return;
        }
        Path path = Path.at(x.at(front.getFirst().x()), y.at(front.getFirst().y()));
        for (int i = 1; i < front.size(); i++) {
            path.to(x.at(front.get(i).x()), y.at(front.get(i - 1).y()));
            path.to(x.at(front.get(i).x()), y.at(front.get(i).y()));
        }
        svg.path("front", path.to(right, y.at(front.getLast().y())).toString());
    }

    private void drawPoints(Svg svg, List<Point> front, Axis x, Axis y, Box area) {
        LabelPlacer placer = new LabelPlacer(area);
        points.forEach(point -> placer.avoid(Box.around(x.at(point.x()), y.at(point.y()), 6)));
        for (int i = 0; i < front.size() && front.size() > 1; i++) {
            double end = i + 1 < front.size() ? x.at(front.get(i + 1).x()) : area.right();
            placer.avoid(new Box(x.at(front.get(i).x()), y.at(front.get(i).y()) - 1, end, y.at(front.get(i).y()) + 1));
        }
        double most = 0.6 * (area.right() - area.left());
        List<String> labels = points.stream().map(point -> TextWidth.cut(point.name(), most)).toList();
        for (int i = 0; i < labels.size(); i++) {
            placer.want(x.at(points.get(i).x()), y.at(points.get(i).y()), TextWidth.of(labels.get(i)) + 4);
        }
        List<Optional<Box>> places = placer.places();
        for (int i = 0; i < labels.size(); i++) {
            Point point = points.get(i);
            String label = labels.get(i);
            Optional<Box> place = places.get(i);
            Mark mark = point.other() ? Mark.OTHER : front.contains(point) ? Mark.BEST : Mark.OWN;
            double atX = x.at(point.x());
            double atY = y.at(point.y());
            svg.group(point.tooltip());
            place.ifPresent(box -> {
                double toX = box.nearestX(atX);
                double toY = box.nearestY(atY);
                if (Math.hypot(toX - atX, toY - atY) > 12) {
                    svg.line("leader", atX, atY, toX, toY);
                }
            });
            svg.mark(mark, atX, atY);
            place.ifPresent(box -> svg.text(
                    "name " + mark.css(), (box.left() + box.right()) / 2, box.bottom() - 3, "middle", label));
            svg.endGroup();
        }
    }
}
