package dev.tern.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C, in order: long work asks {@link #check} at safe points and unwinds, so temporary files are removed and the last
 * line is written, before the process ends with status 130. Work that does not ask within two seconds is cut off.
 */
final class Interruption {
    private static final long PATIENCE_SECONDS = 2;

    private final CountDownLatch finished = new CountDownLatch(1);
    private volatile boolean requested;

    /** The user pressed Ctrl-C (or the process got SIGTERM). */
    static final class Interrupted extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Interrupted() {
            super("interrupted", null, false, false);
        }
    }

    /** Listens from now on; {@link #finish} must follow. */
    void listen() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::shutDown, "tern-interruption"));
    }

    private void shutDown() {
        requested = true;
        try {
            finished.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The command has ended and cleaned up. */
    void finish() {
        finished.countDown();
    }

    /** Throws when the user wants to stop. */
    void check() {
        if (requested) {
            throw new Interrupted();
        }
    }
}
