package dev.tern.measure.chart;

import java.util.ArrayList;
import java.util.List;

/**
 * How wide a text will be at most. What font a reader has is not known, so widths are those of DejaVu Sans, which is wider
 * than the fonts of the page that would be taken instead.
 */
final class TextWidth {
    /** Of the labels of all charts, in pixels; the page's style sheet says the same. */
    static final double FONT_SIZE = 12;

    private TextWidth() {}

    /** Pixels. */
    static double of(String text) {
        return text.codePoints().mapToDouble(TextWidth::ems).sum() * FONT_SIZE;
    }

    private static double ems(int c) {
        if ("ijl|'.,:;!I".indexOf(c) >= 0) {
            return 0.32;
        }
        if ("ftr()[]/- \u2009".indexOf(c) >= 0) {
            return 0.41;
        }
        if ("mwMW%@".indexOf(c) >= 0) {
            return 0.98;
        }
        if (c > 0x2e80) {
            return 1.1; // ideographs, emoji
        }
        return Character.isUpperCase(c) || c == '\u00d7' || c == '\u2026' ? 0.78 : 0.635;
    }

    /** The text in lines of at most so many pixels, broken at spaces; a word that is wider is cut and ends in an ellipsis. */
    static List<String> wrapped(String text, double width) {
        List<String> lines = new ArrayList<>();
        String line = "";
        for (String word : text.split(" ")) {
            String longer = line.isEmpty() ? word : line + " " + word;
            if (!line.isEmpty() && of(longer) > width) {
                lines.add(line);
                longer = word;
            }
            line = cut(longer, width);
        }
        lines.add(line);
        return lines;
    }

    /** The text, or as much of it as has room before an ellipsis. */
    static String cut(String text, double width) {
        if (of(text) <= width) {
            return text;
        }
        int end = text.length();
        while (end > 0 && of(text.substring(0, end) + "…") > width) {
            end = text.offsetByCodePoints(end, -1);
        }
        return text.substring(0, end) + "…";
    }
}
