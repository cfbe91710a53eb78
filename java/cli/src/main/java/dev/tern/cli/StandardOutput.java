package dev.tern.cli;

import dev.tern.io.InputException;
import java.io.IOException;
import java.io.OutputStream;

/**
 * Standard output whose failures are not swallowed, as {@link java.io.PrintStream} would: a reader that went away stops
 * the command ({@link Closed}), a full disk is an error.
 */
final class StandardOutput extends OutputStream {
    private final OutputStream target;

    StandardOutput(OutputStream target) {
        this.target = target;
    }

    /** The reader of standard output has gone, as after {@code tern run … | head -1}. No error: nobody wants the rest. */
    static final class Closed extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Closed(IOException cause) {
            super(cause);
        }
    }

    @Override
    public void write(int b) {
        try {
            target.write(b);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        try {
            target.write(bytes, offset, length);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    @Override
    public void flush() {
        try {
            target.flush();
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private static RuntimeException failure(IOException e) {
        String reason = String.valueOf(e.getMessage());
        // The texts of EPIPE on Unix, and of its two counterparts on Windows.
        if (reason.contains("Broken pipe") || reason.contains("pipe is being closed") || reason.contains("pipe has been ended")) {
            return new Closed(e);
        }
        return InputException.at("standard output").problem("cannot be written: " + reason).exception(e);
    }
}
