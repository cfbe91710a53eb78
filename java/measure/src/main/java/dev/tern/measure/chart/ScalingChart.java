package dev.tern.measure.chart;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.function.DoubleFunction;

/**
 * How speed grows with threads: a line for each series, as a multiple of its speed with the fewest threads, beside the line
 * of twice as fast with twice as many.
 *
 * @param xUnit below the axis
 * @param yUnit above the axis
 */
public record ScalingChart(List<Series> series, String xUnit, String yUnit, DoubleFunction<String> factor) {

    /**
     * @param points by threads, from the fewest on, at least one
     * @param tooltip more about it
     */
    public record Series(String name, Mark mark, List<Point> points, String tooltip) {
        public Series {
            points = List.copyOf(points);
        }

        Point last() {
            return points.getLast();
        }
    }

    /** @param factor speed as a multiple of that with the fewest threads */
    public record Point(int threads, double factor) {}

    /** Series that share a label, the fastest first. */
    private record Cluster(List<Series> members) {
        boolean takes(Series s) {
            Series first = members.getFirst();
            return s.mark() == Mark.OWN && first.mark() == Mark.OWN && s.last().threads() == last().threads()
                    && s.last().factor() > 0.97 * first.last().factor();
        }

        Point last() {
            return members.getFirst().last();
        }

        double middle() {
            return (last().factor() + members.getLast().last().factor()) / 2;
        }

        /** The name, as much of it as has room, and the factor. */
        String text(DoubleFunction<String> factor, double width) {
            String most = factor.apply(last().factor());
            String least = factor.apply(members.getLast().last().factor());
            String end = (members.size() > 1 ? " and " + (members.size() - 1) + " more  " : "  ")
                    + (least.equals(most) ? most : least.replace("×", "") + "–" + most);
            return TextWidth.cut(members.getFirst().name(), width - TextWidth.of(end)) + end;
        }
    }

    private record Label(String text, Mark mark, double x, double y) {}

    private static final double TOP = 26;
    private static final double BELOW = 42;
    private static final double LINE = 15;

    public ScalingChart {
        series = List.copyOf(series);
    }

    public String svg(Frame frame) {
        Svg svg = new Svg(frame);
        TreeSet<Integer> threads = new TreeSet<>();
        series.forEach(s -> s.points().forEach(point -> threads.add(point.threads())));
        double ideal = (double) threads.last() / threads.first();
        double most = series.stream()
                .flatMap(s -> s.points().stream()).mapToDouble(Point::factor).max().orElse(1);
        double least = series.stream()
                .flatMap(s -> s.points().stream()).mapToDouble(Point::factor).min().orElse(1);
        List<Cluster> clusters = clusters();
        double names = Math.max(
                clusters.stream().mapToDouble(c -> TextWidth.of(c.text(factor, frame.width()))).max().orElse(0),
                TextWidth.of("ideal  10.0×"));
        double room = Math.min(Math.ceil(names) + 24, 0.62 * frame.width());
        double height = Math.max(300, (clusters.size() + 1) * LINE + TOP + BELOW + 10);
        double bottom = height - BELOW;
        Axis y = new Axis(false, Math.min(1, least), Math.max(most, ideal) * 1.02, bottom, TOP);
        double left = y.ticks(5).stream().mapToDouble(v -> TextWidth.of(factor.apply(v))).max().orElse(0) + 8;
        double right = frame.width() - room;
        Axis x = new Axis(false, threads.first(), threads.last(), left + 6, right);
        y.drawLeft(svg, left, right, 5, factor);
        drawThreads(svg, threads, x, bottom);
        svg.text("unit", 0, 12, "start", yUnit);
        svg.text("unit", left, bottom + 36, "start", xUnit);
        svg.path("ideal", Path.at(x.at(threads.first()), y.at(1)).to(x.at(threads.last()), y.at(ideal)).toString());
        List<Label> labels = new ArrayList<>();
        labels.add(new Label("ideal  " + factor.apply(ideal), Mark.OWN, right, y.at(ideal)));
        series.forEach(s -> drawLine(svg, s, x, y));
        for (Cluster cluster : clusters) {
            labels.add(new Label(cluster.text(factor, room - 24), cluster.members().getFirst().mark(),
                    x.at(cluster.last().threads()), y.at(cluster.middle())));
        }
        drawLabels(svg, labels, right, bottom);
        return svg.image(height);
    }

    /** Each series alone, or with those of the same mark whose ends are so near that labels could not tell them apart. */
    private List<Cluster> clusters() {
        List<Series> sorted = new ArrayList<>(series);
        sorted.sort(Comparator.comparing(Series::mark).thenComparing(s -> -s.last().factor()));
        List<Cluster> clusters = new ArrayList<>();
        for (Series s : sorted) {
            Cluster open = clusters.isEmpty() ? null : clusters.getLast();
            if (open != null && open.takes(s)) {
                open.members().add(s);
            } else {
                clusters.add(new Cluster(new ArrayList<>(List.of(s))));
            }
        }
        return clusters;
    }

    private static void drawThreads(Svg svg, TreeSet<Integer> threads, Axis x, double bottom) {
        double free = Double.NEGATIVE_INFINITY;
        for (int count : threads) {
            String text = String.valueOf(count);
            double half = TextWidth.of(text) / 2;
            svg.line("grid", x.at(count), bottom, x.at(count), bottom + 4);
            if (x.at(count) - half > free) {
                svg.text("tick", x.at(count), bottom + 17, "middle", text);
                free = x.at(count) + half + 3;
            }
        }
    }

    private static void drawLine(Svg svg, Series s, Axis x, Axis y) {
        Path path = Path.at(x.at(s.points().getFirst().threads()), y.at(s.points().getFirst().factor()));
        s.points().forEach(point -> path.to(x.at(point.threads()), y.at(point.factor())));
        svg.group(s.tooltip()).path("series " + s.mark().css(), path.toString());
        Point end = s.last();
        svg.mark(s.mark(), x.at(end.threads()), y.at(end.factor())).endGroup();
    }

    /** In the order of their lines, as near to their ends as their height allows. */
    private static void drawLabels(Svg svg, List<Label> labels, double right, double bottom) {
        labels.sort(Comparator.comparingDouble(Label::y));
        double[] places = spread(labels.stream().mapToDouble(Label::y).toArray(), TOP, bottom);
        for (int i = 0; i < places.length; i++) {
            Label label = labels.get(i);
            svg.line("leader", label.x() + 6, label.y(), right + 18, places[i]);
            svg.text("name " + label.mark().css(), right + 21, places[i] + 4, "start", label.text());
        }
    }

    /** Ascending places, at least a line apart and between the bounds, with the least largest shift up or down. */
    static double[] spread(double[] wanted, double top, double bottom) {
        double[] places = wanted.clone();
        for (int i = 1; i < places.length; i++) {
            places[i] = Math.max(places[i], places[i - 1] + LINE);
        }
        double over = 0; // how far the labels were pushed down at most, half of which is taken back
        for (int i = 0; i < places.length; i++) {
            over = Math.max(over, places[i] - wanted[i]);
        }
        double limit = bottom;
        for (int i = places.length - 1; i >= 0; i--) {
            places[i] = Math.min(places[i] - over / 2, limit);
            limit = places[i] - LINE;
        }
        double free = top;
        for (int i = 0; i < places.length; i++) {
            places[i] = Math.max(places[i], free);
            free = places[i] + LINE;
        }
        return places;
    }
}
