package dev.tern.measure.report;

import java.util.Optional;
import java.util.function.Function;

/**
 * A column of the table.
 *
 * @param group what it belongs to
 * @param title short
 * @param unit empty where it has none
 * @param meaning in a sentence, which begins with a capital letter
 * @param best which of its values is marked
 * @param cell of an entry; none where it was not measured
 */
record Column(Group group, String title, String unit, String meaning, Best best, Function<Entry, Optional<Cell>> cell) {

    enum Group {
        FILE("File"),
        SPEED("Speed"),
        START("Start and memory"),
        QUALITY("Quality");

        private final String title;

        Group(String title) {
            this.title = title;
        }

        String title() {
            return title;
        }
    }

    enum Best { LEAST, MOST, NONE }

    /**
     * @param value to compare; NaN for words
     * @param shown as it is printed
     * @param detail smaller, below it; empty for none
     */
    record Cell(double value, String shown, String detail) {}
}
