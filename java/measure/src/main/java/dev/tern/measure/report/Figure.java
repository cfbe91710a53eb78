package dev.tern.measure.report;

import dev.tern.measure.chart.Frame;
import dev.tern.measure.chart.Image;
import dev.tern.measure.chart.Markup;
import java.util.function.Function;

/**
 * A chart with what it shows in words.
 *
 * @param id of the page's, and the name of its file
 * @param lead what to see in it
 * @param full whether it takes a row of its own
 * @param drawing draws it for a width
 */
record Figure(String id, String title, Phrase lead, boolean full, Function<Frame, Image> drawing) {
    private static final double FULL = 720; // pixels
    private static final double HALF = 530;
    private static final double PHONE = 328; // of every chart on a narrow screen

    /** In the page, drawn for wide and for narrow screens. */
    void write(Markup page) {
        page.open("figure", "class", full ? "full" : "half").line();
        page.open("figcaption").element("h3", title).open("p").raw(lead.html()).close("p");
        page.close("figcaption").line();
        String description = lead.plain() + " The numbers are in the table of all numbers.";
        page.open("div", "class", "wide")
                .raw(image("-wide", description, width()).markup());
        page.close("div").line();
        page.open("div", "class", "narrow")
                .raw(image("-narrow", description, PHONE).markup());
        page.close("div").line().close("figure").line();
    }

    /** As a document of its own. */
    String document(String style) {
        return image("", lead.plain(), width()).document(title, style);
    }

    private double width() {
        return full ? FULL : HALF;
    }

    private Image image(String suffix, String description, double width) {
        return drawing.apply(new Frame(id + suffix, title, description, width));
    }
}
