package dev.tern.cli;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Ctrl-C, in order: long work asks {@link #check} at safe points and unwinds, so that temporary files are removed and
 * the last line is written before the process ends with status 130. The process waits two seconds for that, or as long
 * as the command asks for with {@link #patience}; what is not done by then is cut off.
 */
final class Interruption {
    private static final long PATIENCE_SECONDS = 2;

    private final CountDownLatch finished = new CountDownLatch(1);
    private final CountDownLatch asked = new CountDownLatch(1);
    private volatile long patienceSeconds = PATIENCE_SECONDS;
    private final AtomicReference<@Nullable Runnable> work = new AtomicReference<>();
    private boolean listening;
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
        listening = true;
        Runtime.getRuntime().addShutdownHook(new Thread(this::shutDown, "tern-interruption"));
    }

    void shutDown() {
        requested = true;
        asked.countDown();
        try {
            finished.await(patienceSeconds, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * For a dialogue, from now on: Ctrl-C calls off what {@link #callsOff} named. With nothing to call off it ends the
     * process at once, since the command waits for input and cannot ask.
     */
    void converse() {
        if (!listening) {
            return;
        }
        // Java has no other way to hear of a signal than sun.misc.Signal. It is called by reflection since naming it is a
        // warning that cannot be suppressed; where it is missing or refused, Ctrl-C ends the process as elsewhere.
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object heard = Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) ->
                    switch (method.getName()) {
                        case "handle" -> {
                            pressed();
                            yield null;
                        }
                        case "equals" -> proxy == arguments[0];
                        case "hashCode" -> System.identityHashCode(proxy);
                        default -> "Ctrl-C";
                    });
            Object interrupt = signal.getConstructor(String.class).newInstance("INT");
            signal.getMethod("handle", signal, handler).invoke(null, interrupt, heard);
        } catch (ReflectiveOperationException e) {
            return;
        }
    }

    private void pressed() {
        Runnable running = work.getAndSet(null);
        if (running != null) {
            running.run();
        } else {
            finish();
            System.exit(ExitStatus.INTERRUPTED);
        }
    }

    /** What the next Ctrl-C calls off instead of ending the process, when {@link #converse} was called; null for nothing. */
    void callsOff(@Nullable Runnable cancel) {
        work.set(cancel);
    }

    /** Whether the process is about to end because the user wants it to. */
    boolean requested() {
        return requested;
    }

    /** The command has ended and cleaned up. */
    void finish() {
        finished.countDown();
    }

    /** How long the command may take to end, from now on. */
    void patience(Duration time) {
        patienceSeconds = time.toSeconds();
    }

    /** Waits until the user wants to stop. */
    void await() throws InterruptedException {
        asked.await();
    }

    /** Throws when the user wants to stop. */
    void check() {
        if (requested) {
            throw new Interrupted();
        }
    }
}
