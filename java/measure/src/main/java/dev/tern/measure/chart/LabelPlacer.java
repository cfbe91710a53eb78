package dev.tern.measure.chart;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Finds places for the labels of points: near ones at which a label covers no mark and no other label, and at which the line
 * that leads to it crosses neither, or where there is none, crosses whatever it must. As the first label takes the place of
 * the next, several orders are tried, the same ones every time. For one thread.
 */
final class LabelPlacer {
    private static final double HEIGHT = 14;
    private static final double GAP = 7; // from a mark's centre to its label
    private static final double STEP = 8;
    private static final int[] DIRECTIONS = {0, 8, 12, 4, 14, 10, 2, 6, 15, 9, 1, 7, 13, 11, 3, 5}; // of a circle; beside first
    private static final int ORDERS = 48;
    private static final double CROSSING = 150; // what it costs, in pixels of distance
    private static final double MISSING = 10_000;

    private record Wanted(double x, double y, double width) {}

    private record Line(double x1, double y1, double x2, double y2) {
        boolean meets(Box box) {
            return box.crosses(x1, y1, x2, y2);
        }
    }

    private final Box area;
    private final List<Box> marks = new ArrayList<>();
    private final List<Wanted> wanted = new ArrayList<>();

    /** @param area that no label leaves */
    LabelPlacer(Box area) {
        this.area = area;
    }

    /** A mark or another thing that labels must not cover. */
    void avoid(Box mark) {
        marks.add(mark);
    }

    /** A label for the point. */
    void want(double x, double y, double width) {
        wanted.add(new Wanted(x, y, width));
    }

    /** Places in the order in which labels were wanted; none for a label that has no room at all. */
    List<Optional<Box>> places() {
        SplittableRandom random = new SplittableRandom(1);
        int[] order = new int[wanted.size()];
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
        }
        Attempt best = new Attempt(order);
        for (int attempt = 1; attempt < ORDERS && best.cost > wanted.size() * GAP; attempt++) {
            for (int i = order.length - 1; i > 0; i--) {
                int j = random.nextInt(i + 1);
                int swapped = order[i];
                order[i] = order[j];
                order[j] = swapped;
            }
            Attempt next = new Attempt(order);
            best = next.cost < best.cost ? next : best;
        }
        List<Optional<Box>> places = new ArrayList<>();
        for (Box place : best.places) {
            places.add(Optional.ofNullable(place));
        }
        return places;
    }

    private static Box beside(Wanted label, double distance, int direction) {
        double cos = Math.cos(direction * Math.PI / 8);
        double sin = Math.sin(direction * Math.PI / 8);
        double left = label.x + cos * distance - (cos < -0.1 ? label.width : cos > 0.1 ? 0 : label.width / 2);
        double top = label.y + sin * distance - (sin < -0.1 ? HEIGHT : sin > 0.1 ? 0 : HEIGHT / 2);
        return new Box(left, top, left + label.width, top + HEIGHT);
    }

    /** Places for the labels in one order. */
    private final class Attempt {
        private final Box[] places = new Box[wanted.size()];
        private final List<Box> labels = new ArrayList<>();
        private final List<Line> leaders = new ArrayList<>();
        private double cost;

        Attempt(int[] order) {
            for (int index : order) {
                Wanted label = wanted.get(index);
                if (!place(index, label, true)) {
                    cost += place(index, label, false) ? CROSSING : MISSING;
                }
            }
        }

        private boolean place(int index, Wanted label, boolean clear) {
            double reach = Math.hypot(area.right() - area.left(), area.bottom() - area.top());
            for (double distance = GAP; distance < reach; distance += STEP) {
                for (int direction : DIRECTIONS) {
                    Box box = beside(label, distance, direction);
                    Line leader = new Line(label.x, label.y, box.nearestX(label.x), box.nearestY(label.y));
                    boolean led = distance > GAP;
                    if (free(box) && (!clear || leaders.stream().noneMatch(l -> l.meets(box)) && (!led || uncrossed(leader)))) {
                        places[index] = box;
                        labels.add(box);
                        cost += distance;
                        if (led) {
                            leaders.add(leader);
                        }
                        return true;
                    }
                }
            }
            return false;
        }

        private boolean free(Box box) {
            return box.within(area)
                    && marks.stream().noneMatch(box::overlaps)
                    && labels.stream().noneMatch(box::overlaps);
        }

        private boolean uncrossed(Line leader) {
            Box start = Box.around(leader.x1, leader.y1, 1);
            return labels.stream().noneMatch(leader::meets)
                    && marks.stream().filter(mark -> !start.overlaps(mark)).noneMatch(leader::meets);
        }
    }
}
