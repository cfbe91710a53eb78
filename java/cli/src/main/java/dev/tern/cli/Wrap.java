package dev.tern.cli;

/** Lays text out in lines of at most so many columns, breaking at spaces. */
final class Wrap {
    private Wrap() {}

    /** {@code text} after {@code label}; further lines are indented by the label's length. A longer word keeps its line. */
    static String indented(String label, String text, int columns) {
        StringBuilder lines = new StringBuilder(label);
        String indent = " ".repeat(label.length());
        int column = label.length();
        boolean start = true;
        for (String word : text.split(" ")) {
            if (!start && column + 1 + word.length() > columns) {
                lines.append('\n').append(indent);
                column = indent.length();
                start = true;
            }
            if (!start) {
                lines.append(' ');
                column++;
            }
            lines.append(word);
            column += word.length();
            start = false;
        }
        return lines.toString();
    }
}
