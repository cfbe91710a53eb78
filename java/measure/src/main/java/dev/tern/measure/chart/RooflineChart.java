package dev.tern.measure.chart;

import java.util.List;
import java.util.Optional;
import java.util.function.DoubleFunction;

/**
 * The roofline of a machine (Williams, Waterman and Patterson, 2009): what it can compute at most for so many operations on
 * each byte it reads, on the left as much as memory gives, on the right as much as the units multiply.
 *
 * @param bandwidth 10^9 bytes a second
 * @param peak 10^9 operations a second
 * @param memoryRoof name of the left roof
 * @param peakRoof name of the right roof
 * @param xUnit below the axis
 * @param yUnit above the axis
 */
public record RooflineChart(
        double bandwidth,
        double peak,
        String memoryRoof,
        String peakRoof,
        List<Cluster> clusters,
        String xUnit,
        String yUnit,
        DoubleFunction<String> tick) {

    /** Points that share a label; at least one. */
    public record Cluster(String label, List<Point> points) {
        public Cluster {
            points = List.copyOf(points);
        }
    }

    /**
     * @param intensity operations a byte
     * @param speed 10^9 operations a second
     */
    public record Point(double intensity, double speed, boolean best, String tooltip) {}

    private static final double HEIGHT = 340;
    private static final double TOP = 24;
    private static final double BELOW = 42;

    public RooflineChart {
        clusters = List.copyOf(clusters);
    }

    public String svg(Frame frame) {
        Svg svg = new Svg(frame);
        List<Point> points = clusters.stream().flatMap(cluster -> cluster.points().stream()).toList();
        double ridge = peak / bandwidth;
        double least = Math.min(ridge, points.stream().mapToDouble(Point::intensity).min().orElse(ridge));
        double most = Math.max(ridge, points.stream().mapToDouble(Point::intensity).max().orElse(ridge));
        double slowest = points.stream().mapToDouble(Point::speed).min().orElse(peak);
        double fastest = points.stream().mapToDouble(Point::speed).max().orElse(peak);
        double bottom = HEIGHT - BELOW;
        Axis y = new Axis(true, Math.min(slowest, least * bandwidth) / 2.5, Math.max(peak, fastest) * 2, bottom, TOP);
        double left = y.ticks(5).stream().mapToDouble(v -> TextWidth.of(tick.apply(v))).max().orElse(0) + 8;
        double right = frame.width() - 10;
        Axis x = new Axis(true, least / 2.5, most * 2.5, left, right);
        y.drawLeft(svg, left, right, 5, tick);
        x.drawBelow(svg, bottom, bottom + 4, (int) Math.max(2, frame.width() / 90), tick);
        svg.line("base", left, bottom, right, bottom);
        svg.text("unit", 0, 12, "start", yUnit);
        svg.text("unit", right, bottom + 36, "end", xUnit);
        double from = Math.max(x.from(), y.from() / bandwidth);
        svg.path("roof", Path.at(x.at(from), y.at(from * bandwidth)).to(x.at(ridge), y.at(peak)).to(right, y.at(peak)).toString());
        LabelPlacer placer = new LabelPlacer(new Box(left + 2, TOP - 8, right + 8, bottom - 4));
        avoidRoof(placer, x, y, from, ridge, right);
        points.forEach(p -> placer.avoid(Box.around(x.at(p.intensity()), y.at(p.speed()), 6)));
        placer.want(right - TextWidth.of(peakRoof) / 2, y.at(peak), TextWidth.of(peakRoof) + 4);
        placer.want((x.at(from) + x.at(ridge)) / 2, (y.at(from * bandwidth) + y.at(peak)) / 2, TextWidth.of(memoryRoof) + 4);
        for (Cluster cluster : clusters) {
            Point point = cluster.points().stream().filter(Point::best).findFirst().orElse(cluster.points().getFirst());
            placer.want(x.at(point.intensity()), y.at(point.speed()), TextWidth.of(cluster.label()) + 4);
        }
        List<Optional<Box>> places = placer.places();
        label(svg, "unit", peakRoof, places.get(0));
        label(svg, "unit", memoryRoof, places.get(1));
        for (int i = 0; i < clusters.size(); i++) {
            clusters.get(i).points().forEach(point -> draw(svg, point, x, y));
            label(svg, "name best", clusters.get(i).label(), places.get(i + 2));
        }
        return svg.image(HEIGHT);
    }

    private void avoidRoof(LabelPlacer placer, Axis x, Axis y, double from, double ridge, double right) {
        placer.avoid(new Box(x.at(ridge), y.at(peak) - 2, right, y.at(peak) + 2));
        for (double at = x.at(from); at < x.at(ridge); at += 4) {
            double share = (at - x.at(from)) / (x.at(ridge) - x.at(from));
            double height = y.at(from * bandwidth) + share * (y.at(peak) - y.at(from * bandwidth));
            placer.avoid(Box.around(at, height, 4));
        }
    }

    private static void draw(Svg svg, Point point, Axis x, Axis y) {
        svg.group(point.tooltip()).mark(point.best() ? Mark.BEST : Mark.OWN, x.at(point.intensity()), y.at(point.speed()));
        svg.endGroup();
    }

    private static void label(Svg svg, String type, String text, Optional<Box> place) {
        place.ifPresent(box -> svg.text(type, (box.left() + box.right()) / 2, box.bottom() - 3, "middle", text));
    }
}
