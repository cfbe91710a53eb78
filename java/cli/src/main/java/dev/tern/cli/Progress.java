package dev.tern.cli;

import java.io.PrintStream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Progress of long work on stderr, where a person watches it; nothing otherwise. The bar appears when the work has lasted
 * half a second and leaves no trace.
 */
final class Progress implements AutoCloseable {
    private static final long DELAY_NANOS = 500_000_000L;

    private final Terminal terminal;
    private final Interruption interruption;
    private final long start = System.nanoTime();
    private @Nullable ProgressBar bar;
    private @Nullable VanishingBar line;
    private String task = "";

    Progress(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    /**
     * Tells how far the work is; also the point where Ctrl-C takes effect.
     *
     * @param unit name of what is counted, such as {@code MiB}
     * @param unitSize how much of {@code done} makes one unit
     */
    void at(String task, long done, long total, String unit, long unitSize) {
        interruption.check();
        if (!terminal.showsProgress()) {
            return;
        }
        if (bar != null && !this.task.equals(task)) {
            close(); // another part of the work has a bar of its own
        }
        this.task = task;
        if (bar == null) {
            if (System.nanoTime() - start < DELAY_NANOS) {
                return;
            }
            VanishingBar drawn = new VanishingBar(terminal.err());
            line = drawn;
            bar = new ProgressBarBuilder()
                    .setTaskName(task)
                    .setInitialMax(total)
                    .setUnit(" " + unit, unitSize)
                    .setStyle(ProgressBarStyle.ASCII)
                    .setUpdateIntervalMillis(200)
                    .setConsumer(drawn)
                    .build();
        }
        bar.maxHint(total);
        bar.stepTo(done);
    }

    /** A console's bar ends with a new line, even where it is to be cleared; this one goes, and nothing is drawn after. */
    private static final class VanishingBar extends ConsoleProgressBarConsumer {
        private final PrintStream err;
        private boolean closed;

        VanishingBar(PrintStream err) {
            super(err, Terminal.WIDTH - 1);
            this.err = err;
        }

        @Override
        public synchronized void accept(String line) { // also on the library's own thread
            if (!closed) {
                super.accept(line);
            }
        }

        @Override
        public synchronized void close() {
            if (!closed) {
                closed = true;
                err.print("\r" + " ".repeat(Terminal.WIDTH - 1) + "\r");
                err.flush();
            }
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
        if (line != null) { // the library closes it too, but on a thread of its own, perhaps after the next line of text
            line.close();
            line = null;
        }
    }
}
