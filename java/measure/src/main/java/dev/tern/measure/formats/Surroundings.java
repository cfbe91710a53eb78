package dev.tern.measure.formats;

import dev.tern.codegen.KernelPlan;
import java.util.List;
import java.util.Optional;

/** Where a comparison runs: who watches it, and what starts other processes. Used from one thread. */
public interface Surroundings {
    /**
     * Hears how far the work is; what it throws ends it.
     *
     * @param unit name of what is counted
     * @param unitSize how much of {@code done} makes one unit
     */
    void progress(String task, long done, long total, String unit, long unitSize);

    /** Throws when the work is to end; asked often while other processes work. */
    void check();

    /** Hears what has been done, a line for a person. */
    void step(String line);

    /** The command line of a process of Tern's. */
    List<String> tern(List<String> arguments);

    /**
     * Sees to it that there are look-up-table kernels for a plan: builds them where there are none.
     *
     * @return why there are none and how to get them, or empty
     */
    Optional<String> provide(KernelPlan plan);

    /** Whether a fallback to the Java reference is an error. */
    boolean requireNative();
}
