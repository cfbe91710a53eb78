package dev.tern.measure.chart;

/** A rectangle in pixels, y downwards. */
record Box(double left, double top, double right, double bottom) {

    static Box around(double x, double y, double radius) {
        return new Box(x - radius, y - radius, x + radius, y + radius);
    }

    boolean overlaps(Box other) {
        return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
    }

    boolean within(Box other) {
        return left >= other.left && right <= other.right && top >= other.top && bottom <= other.bottom;
    }

    /** Whether a part of the segment lies inside (Liang and Barsky, 1984). */
    boolean crosses(double x1, double y1, double x2, double y2) {
        double[] p = {x1 - x2, x2 - x1, y1 - y2, y2 - y1};
        double[] q = {x1 - left, right - x1, y1 - top, bottom - y1};
        double enter = 0;
        double leave = 1;
        for (int i = 0; i < 4; i++) {
            if (p[i] == 0) {
                if (q[i] <= 0) {
                    return false;
                }
            } else if (p[i] < 0) {
                enter = Math.max(enter, q[i] / p[i]);
            } else {
                leave = Math.min(leave, q[i] / p[i]);
            }
        }
        return enter < leave;
    }

    /** The x of the box that is nearest to {@code x}. */
    double nearestX(double x) {
        return Math.clamp(x, left, right);
    }

    double nearestY(double y) {
        return Math.clamp(y, top, bottom);
    }
}
