package dev.tern.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * What a command talks to: three streams, whether people watch them, and the switches that every command has. Text is
 * UTF-8 whatever the locale, since models speak UTF-8. {@link #out} is buffered: commands that stream flush it.
 */
final class Terminal {
    /** Columns that output is laid out for. */
    static final int WIDTH = 80;

    private final InputStream in;
    private final PrintStream out;
    private final PrintStream err;
    private final boolean inIsTerminal;
    private final boolean outIsTerminal;
    private final boolean errIsTerminal;
    private boolean verbose;
    private boolean progress = true;
    private boolean requireNative;

    Terminal(
            InputStream in,
            OutputStream out,
            OutputStream err,
            boolean inIsTerminal,
            boolean outIsTerminal,
            boolean errIsTerminal) {
        this.in = in;
        this.out = new PrintStream(new BufferedOutputStream(new StandardOutput(out), 1 << 16), false, StandardCharsets.UTF_8);
        this.err = new PrintStream(err, true, StandardCharsets.UTF_8);
        this.inIsTerminal = inIsTerminal;
        this.outIsTerminal = outIsTerminal;
        this.errIsTerminal = errIsTerminal;
    }

    /**
     * The process's own streams. The launcher says in {@code tern.terminal} which of the descriptors 0, 1 and 2 are
     * terminals, because the JDK can tell that of the first two together only.
     */
    static Terminal ofProcess() {
        String descriptors = System.getProperty("tern.terminal");
        if (descriptors == null) {
            boolean console = System.console() != null && System.console().isTerminal();
            descriptors = console ? "012" : "";
        }
        return new Terminal(
                System.in,
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
                descriptors.contains("0"),
                descriptors.contains("1"),
                descriptors.contains("2"));
    }

    InputStream in() {
        return in;
    }

    /** Results. */
    PrintStream out() {
        return out;
    }

    /** Notes, progress, errors. */
    PrintStream err() {
        return err;
    }

    boolean inIsTerminal() {
        return inIsTerminal;
    }

    boolean outIsTerminal() {
        return outIsTerminal;
    }

    boolean errIsTerminal() {
        return errIsTerminal;
    }

    /** Whether stderr may be coloured: a person watches it, and the environment has neither NO_COLOR nor a dumb terminal. */
    boolean colours() {
        return errIsTerminal && System.getenv("NO_COLOR") == null && !"dumb".equals(System.getenv("TERM"));
    }

    /** Something the user should know although nothing failed: {@code tern: note: …} on stderr. */
    void note(String text) {
        err.println("tern: note: " + text);
    }

    /** Formats a line to stdout, with the root locale. */
    void print(String format, Object... values) {
        out.printf(Locale.ROOT, format, values);
    }

    boolean verbose() {
        return verbose;
    }

    void verbose(boolean value) {
        verbose = value;
    }

    /** Whether progress of long work is drawn: only where a person watches stderr, and wants it. */
    boolean showsProgress() {
        return progress && errIsTerminal;
    }

    void progress(boolean value) {
        progress = value;
    }

    /** Whether a fallback to the Java reference is an error. */
    boolean requireNative() {
        return requireNative;
    }

    void requireNative(boolean value) {
        requireNative = value;
    }
}
