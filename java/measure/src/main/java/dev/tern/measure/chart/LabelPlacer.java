package dev.tern.measure.chart;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds places for the labels of points: the nearest ones at which a label covers no mark and no other label, and at which
 * the line that leads to it crosses neither. Labels that come first get the better places. For one thread.
 */
final class LabelPlacer {
    private static final double HEIGHT = 14;
    private static final double GAP = 7; // from a mark's centre to its label
    private static final double STEP = 8;
    private static final int DIRECTIONS = 16;

    private final Box area;
    private final List<Box> marks = new ArrayList<>();
    private final List<Box> labels = new ArrayList<>();
    private final List<double[]> leaders = new ArrayList<>();

    /** @param area that no label leaves */
    LabelPlacer(Box area) {
        this.area = area;
    }

    /** A mark or another thing that labels must not cover. */
    void avoid(Box mark) {
        marks.add(mark);
    }

    /** A place for the label of the point; none where the chart is full. */
    Optional<Box> place(double x, double y, double width) {
        double reach = Math.hypot(area.right() - area.left(), area.bottom() - area.top());
        for (double distance = GAP; distance < reach; distance += STEP) {
            for (int i = 0; i < DIRECTIONS; i++) {
                Box box = beside(x, y, width, distance, order(i) * 2 * Math.PI / DIRECTIONS);
                if (free(box, x, y, distance > GAP)) {
                    labels.add(box);
                    if (distance > GAP) {
                        leaders.add(new double[] {x, y, box.nearestX(x), box.nearestY(y)});
                    }
                    return Optional.of(box);
                }
            }
        }
        return Optional.empty();
    }

    /** Right, left, above, below, then what lies between. */
    private static int order(int i) {
        int[] order = {0, 8, 12, 4, 14, 10, 2, 6, 15, 9, 1, 7, 13, 11, 3, 5};
        return order[i];
    }

    private static Box beside(double x, double y, double width, double distance, double angle) {
        double cos = Math.cos(angle);
        double sin = Math.sin(angle);
        double left = x + cos * distance - (cos < -0.1 ? width : cos > 0.1 ? 0 : width / 2);
        double top = y + sin * distance - (sin < -0.1 ? HEIGHT : sin > 0.1 ? 0 : HEIGHT / 2);
        return new Box(left, top, left + width, top + HEIGHT);
    }

    private boolean free(Box box, double x, double y, boolean led) {
        if (!box.within(area)
                || marks.stream().anyMatch(box::overlaps)
                || labels.stream().anyMatch(box::overlaps)
                || leaders.stream().anyMatch(l -> box.crosses(l[0], l[1], l[2], l[3]))) {
            return false;
        }
        double toX = box.nearestX(x);
        double toY = box.nearestY(y);
        return !led
                || labels.stream().noneMatch(label -> label.crosses(x, y, toX, toY))
                        && marks.stream().filter(mark -> !Box.around(x, y, 1).overlaps(mark))
                                .noneMatch(mark -> mark.crosses(x, y, toX, toY));
    }
}
