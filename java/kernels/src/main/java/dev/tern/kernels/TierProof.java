package dev.tern.kernels;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What came of running a native tier: a CPU, or the host of a virtual one, may announce instructions that it does not
 * run, or runs wrongly. So each tier computes with every kind of kernel in a process of its own, which alone dies of
 * what it cannot run, and is compared with the Java reference.
 *
 * @param tier the native tier
 * @param outcome what happened
 * @param detail more about it, without a full stop; empty when it {@linkplain Outcome#RUNS runs}
 */
public record TierProof(Tier tier, Outcome outcome, String detail) {

    /** What may happen. */
    public enum Outcome {
        /** All results were those of the reference, to the bit. */
        RUNS,
        /** It was not tried: the CPU or the system lacks what it needs, as {@link LibraryStatus.TierStatus} says. */
        OBSTACLE,
        /** The process ended by a signal. */
        CRASHED,
        /** A result was another one than the reference's. */
        WRONG,
        /** No answer: the process could not be started, or ended otherwise, or had to be ended. */
        UNKNOWN;

        /** As {@code tern doctor --json} names it. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Whether the tier's announcement is refuted: it is said to run here and does not. */
    public boolean failed() {
        return outcome == Outcome.CRASHED || outcome == Outcome.WRONG;
    }

    /**
     * Tries every native tier of this process's library, all at once; takes as long as a JVM needs to start and compute
     * for some tenths of a second.
     *
     * @return a proof for each of {@link LibraryStatus#tiers}, in their order; empty without a library
     * @throws InterruptedException when the thread is interrupted; the processes are ended
     */
    public static List<TierProof> ofThisProcess() throws InterruptedException {
        return ofAll(KernelChoice.status().tiers(), tier -> TierProcess.prove(tier, TierProcess.command(tier)));
    }

    /** Tries one tier that has no obstacle. */
    interface Trial {
        TierProof of(Tier tier) throws InterruptedException;
    }

    static List<TierProof> ofAll(List<LibraryStatus.TierStatus> tiers, Trial trial) throws InterruptedException {
        List<Callable<TierProof>> trials = tiers.stream()
                .<Callable<TierProof>>map(status -> () -> status.obstacle().isPresent()
                        ? new TierProof(status.tier(), Outcome.OBSTACLE, status.obstacle().get())
                        : trial.of(status.tier()))
                .toList();
        try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<TierProof>> proofs = executor.invokeAll(trials);
            return proofs.stream().map(TierProof::get).toList();
        }
    }

    private static TierProof get(Future<TierProof> proof) {
        return switch (proof.state()) {
            case SUCCESS -> proof.resultNow();
            case FAILED -> throw new IllegalStateException(proof.exceptionNow());
            case RUNNING, CANCELLED -> throw new IllegalStateException("no proof: " + proof.state());
        };
    }
}
