package dev.tern.measure.chart;

/**
 * One SVG image that stands in a page: an image with a name and a description for those who hear the page, and classes
 * instead of colours. For one thread.
 */
final class Svg {
    private final Markup body = new Markup();
    private final Frame frame;

    Svg(Frame frame) {
        this.frame = frame;
    }

    double width() {
        return frame.width();
    }

    Svg line(String type, double x1, double y1, double x2, double y2) {
        body.open("line", "class", type, "x1", x1, "y1", y1, "x2", x2, "y2", y2).close("line");
        return this;
    }

    Svg text(String type, double x, double y, String anchor, String text) {
        body.element("text", text, "class", type, "x", x, "y", y, "text-anchor", anchor);
        return this;
    }

    Svg rect(String type, double x, double y, double width, double height) {
        body.open("rect", "class", type, "x", x, "y", y, "width", Math.max(0, width), "height", height, "rx", 2).close("rect");
        return this;
    }

    Svg path(String type, String path) {
        body.open("path", "class", type, "d", path).close("path");
        return this;
    }

    /** A mark for a value: a disc, a ring, or for what is another's a diamond. */
    Svg mark(Mark mark, double x, double y) {
        if (mark == Mark.OTHER) {
            double r = 5.5;
            body.open("path", "class", "mark other", "d", Path.at(x, y - r).to(x + r, y).to(x, y + r).to(x - r, y).closed())
                    .close("path");
        } else {
            body.open("circle", "class", "mark " + mark.css(), "cx", x, "cy", y, "r", 4.5).close("circle");
        }
        return this;
    }

    /** Begins what one tooltip is for. */
    Svg group(String tooltip) {
        body.open("g").element("title", tooltip);
        return this;
    }

    Svg endGroup() {
        body.close("g").line();
        return this;
    }

    /** The image, as high as was needed. */
    String image(double height) {
        String title = frame.id() + "-title";
        String description = frame.id() + "-description";
        return new Markup()
                .open("svg", "class", "chart", "viewBox", "0 0 " + Math.round(width()) + " " + Math.round(height),
                        "width", Math.round(width()), "height", Math.round(height), "role", "img",
                        "aria-labelledby", title, "aria-describedby", description)
                .element("title", frame.title(), "id", title)
                .element("desc", frame.description(), "id", description)
                .line()
                .raw(body.toString())
                .close("svg")
                .toString();
    }
}
