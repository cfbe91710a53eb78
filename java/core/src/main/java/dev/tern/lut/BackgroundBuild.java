package dev.tern.lut;

import dev.tern.codegen.KernelBuild;
import dev.tern.codegen.KernelBuildException;
import dev.tern.codegen.KernelLibraryFile;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Builds a library on a thread of its own, so that who waits for it can call it off: compilers take seconds. */
public final class BackgroundBuild {
    private static final long ASK_MILLIS = 50;

    private BackgroundBuild() {}

    /**
     * Builds the library, or finds it.
     *
     * @param waiting is called again and again; what it throws ends the compilers and reaches the caller
     * @throws KernelBuildException as {@link KernelBuild#build} does
     */
    public static KernelLibraryFile build(KernelBuild build, Runnable waiting) {
        AtomicReference<@Nullable KernelLibraryFile> built = new AtomicReference<>();
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        Thread builder = Thread.ofPlatform().daemon().name("tern-build").start(() -> {
            try {
                built.set(build.build());
            } catch (RuntimeException | Error e) {
                failure.set(e);
            }
        });
        try {
            while (!builder.join(Duration.ofMillis(ASK_MILLIS))) {
                waiting.run();
            }
        } catch (InterruptedException e) {
            builder.interrupt();
            Thread.currentThread().interrupt();
            throw new KernelBuildException("interrupted while the kernels were built", e);
        } catch (RuntimeException | Error e) {
            end(builder);
            throw e;
        }
        KernelLibraryFile file = built.get();
        if (file != null) {
            return file;
        }
        if (failure.get() instanceof Error error) {
            throw error;
        }
        throw failure.get() instanceof RuntimeException e ? e : new IllegalStateException("the build has no result");
    }

    /** The compilers end, and what they wrote goes. */
    private static void end(Thread builder) {
        builder.interrupt();
        try {
            builder.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
