package dev.tern.cli;

import dev.tern.Generation;
import dev.tern.Token;
import java.io.PrintStream;

/**
 * Streams text in lines of at most so many columns, indented, and breaks them at spaces: a word is held back until it is
 * whole.
 */
final class Flow {
    private final PrintStream out;
    private final String indent;
    private final int columns;
    private final StringBuilder word = new StringBuilder();
    private int column;
    private boolean spaceBefore;

    Flow(PrintStream out, String indent, int columns) {
        this.out = out;
        this.indent = indent;
        this.columns = columns;
    }

    /** Writes the text of a generation as it comes, and ends the line: laid out on a terminal, as it is in a pipe. */
    static void stream(Generation generation, Terminal terminal, Interruption interruption) {
        if (!terminal.outIsTerminal()) {
            for (Token token : generation) {
                interruption.check();
                terminal.out().print(token.text());
                terminal.out().flush();
            }
            terminal.out().println();
            return;
        }
        Flow flow = new Flow(terminal.out(), "  ", Terminal.WIDTH - 2);
        for (Token token : generation) {
            interruption.check();
            flow.print(token.text());
        }
        flow.end();
    }

    /** Takes more text and writes what is complete. */
    void print(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == ' ') {
                writeWord();
                spaceBefore = column > 0;
            } else if (c == '\n') {
                writeWord();
                out.print('\n');
                column = 0;
                spaceBefore = false;
            } else {
                word.append(c);
            }
        }
        out.flush();
    }

    /** Writes what was held back and ends the line. */
    void end() {
        writeWord();
        if (column > 0) {
            out.print('\n');
        }
        column = 0;
        out.flush();
    }

    private void writeWord() {
        if (word.isEmpty()) {
            return;
        }
        int width = word.codePointCount(0, word.length());
        if (column > 0 && column + (spaceBefore ? 1 : 0) + width > columns) {
            out.print('\n');
            column = 0;
            spaceBefore = false;
        }
        if (column == 0) {
            out.print(indent);
            column = indent.length();
            spaceBefore = false;
        }
        if (spaceBefore) {
            out.print(' ');
            column++;
        }
        out.print(word);
        column += width;
        word.setLength(0);
        spaceBefore = false;
    }
}
