package dev.tern.measure.chart;

/**
 * A chart as an {@code svg} element of a page.
 *
 * @param markup the element
 * @param width in pixels
 * @param height in pixels
 */
public record Image(String markup, long width, long height) {

    private static final int MARGIN = 20;
    private static final int HEADING = 34;

    /**
     * The chart as a document that stands alone, with its title above it.
     *
     * @param style rules for the classes of charts, in CSS
     */
    public String document(String title, String style) {
        long outerWidth = width + 2 * MARGIN;
        long outerHeight = height + HEADING + 2 * MARGIN;
        return new Markup()
                .open(
                        "svg",
                        "xmlns",
                        "http://www.w3.org/2000/svg",
                        "viewBox",
                        "0 0 " + outerWidth + " " + outerHeight,
                        "width",
                        outerWidth,
                        "height",
                        outerHeight)
                .line()
                .element("style", style)
                .line()
                .open("rect", "class", "paper", "width", outerWidth, "height", outerHeight)
                .close("rect")
                .open("g", "class", "chart")
                .element("text", title, "class", "title", "x", MARGIN, "y", MARGIN + 14)
                .close("g")
                .open("g", "transform", "translate(" + MARGIN + " " + (MARGIN + HEADING) + ")")
                .raw(markup)
                .close("g")
                .line()
                .close("svg")
                .line()
                .toString();
    }
}
