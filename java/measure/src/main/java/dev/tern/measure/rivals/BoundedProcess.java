package dev.tern.measure.rivals;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A program run to its end, without a shell, with nothing to read. It and all that it started end with the time limit,
 * with the calling thread's interruption, and with this virtual machine. Of what it says the end is kept.
 */
final class BoundedProcess {
    /** Kept of each stream: far more than results take, little beside what a talkative program may print. */
    private static final int KEPT_BYTES = 1 << 20;

    /** How long a stream may stay open when the program has ended, because something that it left behind holds it. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    private BoundedProcess() {}

    /**
     * Runs a command.
     *
     * @param environment in addition to this process's own
     * @param folder to run in, or this process's own
     * @throws RivalFailure where it cannot be started or takes longer than the limit
     */
    static ProcessOutput run(
            List<String> command, Map<String, String> environment, Optional<Path> folder, Duration limit)
            throws RivalFailure, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectInput(ProcessBuilder.Redirect.from(nothing()));
        folder.ifPresent(path -> builder.directory(path.toFile()));
        builder.environment().put("LC_ALL", "C.UTF-8"); // numbers with a point, whatever the user's language
        builder.environment().putAll(environment);
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new RivalFailure(
                    "it could not be started: " + ProcessOutput.printable(String.valueOf(e.getMessage())));
        }
        Thread end = new Thread(() -> kill(process), "tern-rival-end");
        try {
            Runtime.getRuntime().addShutdownHook(end);
        } catch (IllegalStateException endsAlready) {
            kill(process);
            throw new RivalFailure("Tern itself was ended");
        }
        Tail out = new Tail(process.getInputStream());
        Tail err = new Tail(process.getErrorStream());
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                kill(process);
                String tail = new ProcessOutput(0, out.text(), err.text()).tail();
                throw new RivalFailure("it did not end within " + limit.toSeconds() + " s"
                        + (tail.isEmpty() ? "" : "; its last words: " + tail));
            }
            return new ProcessOutput(process.exitValue(), out.text(), err.text());
        } finally {
            kill(process);
            out.close();
            err.close();
            removeHook(end);
        }
    }

    private static File nothing() {
        return new File(System.getProperty("os.name").startsWith("Windows") ? "NUL" : "/dev/null");
    }

    /** Children first seen, then all ended at once: who has lost its parent can no longer be found by it. */
    private static void kill(Process process) {
        List<ProcessHandle> tree =
                Stream.concat(Stream.of(process.toHandle()), process.descendants()).toList();
        tree.forEach(ProcessHandle::destroyForcibly);
        tree.stream().flatMap(ProcessHandle::descendants).forEach(ProcessHandle::destroyForcibly); // started meanwhile
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException endsAlready) {
            // the hook has run or is about to, which harms nothing
        }
    }

    /** The end of a stream, read by a thread of its own so that the program never waits for a reader. */
    private static final class Tail implements AutoCloseable {
        private final InputStream stream;
        private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
        private final Thread reader;

        Tail(InputStream stream) {
            this.stream = stream;
            reader = Thread.ofPlatform().daemon().name("tern-rival-output").start(this::read);
        }

        private void read() {
            byte[] buffer = new byte[8192];
            try {
                for (int n; (n = stream.read(buffer)) >= 0; ) {
                    keep(buffer, n);
                }
            } catch (IOException closed) {
                // what came before is all there will be
            }
        }

        private synchronized void keep(byte[] buffer, int n) {
            if (kept.size() + n > 2 * KEPT_BYTES) {
                byte[] all = kept.toByteArray();
                kept.reset();
                kept.write(all, all.length - KEPT_BYTES, KEPT_BYTES);
            }
            kept.write(buffer, 0, n);
        }

        String text() throws InterruptedException {
            reader.join(LAST_WORDS);
            synchronized (this) {
                return kept.toString(StandardCharsets.UTF_8);
            }
        }

        @Override
        public void close() {
            try {
                stream.close();
            } catch (IOException e) {
                // nobody reads from it any more
            }
        }
    }
}
