package dev.tern.measure;

import dev.tern.kernels.HugePages;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LibraryStatus;
import dev.tern.kernels.SmallPages;
import dev.tern.kernels.Tier;
import dev.tern.model.ThreadTeam;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Measures {@link MachineLimits} in some seconds, with the kernels {@code memory_read} and {@code dot_peak} and teams
 * of threads as models have them.
 *
 * <p>Every number is the best of several runs: work of others on the machine takes away from a limit and never adds to
 * it. Runs of all numbers of threads take turns. Reads are of memory that caches cannot hold, 1 GiB as a rule and eight
 * times the caches of the last level at least, once in pages of 4 KiB and once of 2 MiB. Peaks are those of the tier in
 * use and of each one below it that runs here.
 */
public final class MachineProbe {
    private static final long MEMORY = 1L << 30;
    private static final long UNKNOWN_AVAILABLE = 4 * MEMORY; // what is taken to be free where nobody says
    private static final byte FILLING = 0x5d;

    private final List<Integer> threads;
    private final Extent extent;
    private final Watch watch;
    private final List<MachineLimits.Read> reads = new ArrayList<>();
    private final List<MachineLimits.Peak> peaks = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    /**
     * What was measured, and what was not.
     *
     * @param limits the numbers; parts that could not be measured are missing
     * @param notes a sentence on each of those
     */
    public record Result(MachineLimits limits, List<String> notes) {
        public Result {
            notes = List.copyOf(notes);
        }
    }

    /** Hears what is being measured; may throw to end it. */
    @FunctionalInterface
    public interface Watch {
        /**
         * @param what such as {@code reads, pages of 2 MiB}
         * @param done runs of it that are over, of {@code all}
         */
        void at(String what, int done, int all);
    }

    /**
     * How much is done.
     *
     * @param memory bytes that are read
     * @param runs of each measurement
     * @param peakNanos what a run of products takes at least: many times what it takes to start one
     */
    record Extent(long memory, int runs, long peakNanos) {}

    private MachineProbe(List<Integer> threads, Extent extent, Watch watch) {
        this.threads = threads.stream().distinct().sorted().toList();
        this.extent = extent;
        this.watch = watch;
    }

    /**
     * Measures this machine.
     *
     * @param threads numbers of threads to measure with, at least one, each at least 1
     */
    public static Result measure(List<Integer> threads, Watch watch) {
        long memory = Math.max(Math.min(MEMORY, available() / 4), 8 * CacheSizes.lastLevel(Path.of("/")));
        return measure(threads, new Extent(memory, 7, 10_000_000), watch);
    }

    static Result measure(List<Integer> threads, Extent extent, Watch watch) {
        if (threads.isEmpty()) {
            throw new IllegalArgumentException("no number of threads to measure with");
        }
        MachineProbe probe = new MachineProbe(threads, extent, watch);
        List<ThreadTeam> teams = new ArrayList<>();
        try {
            probe.threads.forEach(count -> teams.add(new ThreadTeam(count)));
            probe.reads(teams);
            probe.peaks(teams);
        } finally {
            teams.forEach(ThreadTeam::close);
        }
        return new Result(new MachineLimits(probe.reads, probe.peaks), probe.notes);
    }

    private void reads(List<ThreadTeam> teams) {
        long available = available();
        long bytes = Math.ceilDiv(extent.memory(), HugePages.PAGE) * HugePages.PAGE;
        if (bytes > available / 2) {
            notes.add("The bandwidth of memory was not measured: it takes " + (bytes >> 20) + " MiB, and "
                    + (available >> 20) + " MiB are available.");
            return;
        }
        try (Arena arena = Arena.ofShared()) {
            Optional<MemorySegment> small = SmallPages.allocate(arena, bytes);
            if (small.isPresent()) {
                reads(teams, small.get(), false);
            } else {
                notes.add("Reads in pages of 4 KiB were not measured: this system cannot be asked for them.");
            }
        }
        try (Arena arena = Arena.ofShared()) {
            MemorySegment large = HugePages.allocate(arena, bytes);
            fill(teams.getLast(), large);
            long got = ThisProcess.largePageBytes(large.address());
            if (got >= bytes / 10 * 9) {
                reads(teams, large, true);
            } else {
                notes.add("Reads in pages of 2 MiB were not measured: the system gave " + (got >> 20) + " of "
                        + (bytes >> 20) + " MiB in them (transparent huge pages: "
                        + Machine.current().hugePages() + ").");
            }
        }
    }

    private static long available() {
        Machine machine = Machine.current();
        long available = machine.availableBytes().orElse(UNKNOWN_AVAILABLE);
        return Math.min(available, machine.memoryLimitBytes().orElse(available));
    }

    /** Pages lie near the processor of the thread that writes to them first. */
    private static void fill(ThreadTeam team, MemorySegment memory) {
        team.run(member -> share(memory, member, team.size()).fill(FILLING));
    }

    private static MemorySegment share(MemorySegment memory, int member, int members) {
        long unit = HugePages.PAGE;
        long units = memory.byteSize() / unit;
        long begin = units * member / members * unit;
        return memory.asSlice(begin, units * (member + 1) / members * unit - begin);
    }

    private void reads(List<ThreadTeam> teams, MemorySegment memory, boolean large) {
        Kernels kernels = KernelChoice.best().kernels();
        fill(teams.getLast(), memory);
        long[] best = best(teams, "reads, pages of " + (large ? "2 MiB" : "4 KiB"), team -> {
            long[] sums = new long[team.size()];
            long nanos = timed(team, member -> sums[member] = kernels.memoryRead(share(memory, member, team.size())));
            long sum = 0;
            for (long each : sums) {
                sum += each;
            }
            require(sum == memory.byteSize() / 8 * (FILLING * 0x0101010101010101L), "memory_read");
            return nanos;
        });
        for (int i = 0; i < best.length; i++) {
            reads.add(new MachineLimits.Read(threads.get(i), large, (double) memory.byteSize() / best[i]));
        }
    }

    private void peaks(List<ThreadTeam> teams) {
        LibraryStatus status = KernelChoice.status();
        if (status.active() == Tier.JAVA) {
            notes.add("Peaks of integer products were not measured: there are no native kernels in use.");
        }
        for (LibraryStatus.TierStatus tier : status.tiers()) {
            if (tier.obstacle().isEmpty() && tier.tier().compareTo(status.active()) <= 0) {
                peaks(teams, KernelChoice.of(tier.tier()));
            }
        }
    }

    private void peaks(List<ThreadTeam> teams, Kernels kernels) {
        try (Arena arena = Arena.ofShared()) {
            ProductPeak products = new ProductPeak(kernels, arena, teams.getLast().size());
            long n = ProductPeak.UNIT;
            while (peak(teams.getFirst(), products, n) < extent.peakNanos()) {
                n *= 2;
            }
            long repetitions = n;
            String label = kernels.tier().label();
            long[] best = best(teams, "8-bit products, " + label, team -> peak(team, products, repetitions));
            for (int i = 0; i < best.length; i++) {
                double operations = ProductPeak.OPERATIONS * (double) repetitions * threads.get(i);
                peaks.add(new MachineLimits.Peak(label, threads.get(i), operations / best[i]));
            }
        }
    }

    private static long peak(ThreadTeam team, ProductPeak products, long repetitions) {
        long nanos = timed(team, member -> products.run(member, repetitions));
        require(products.isRight(team.size(), repetitions), "dot_peak");
        return nanos;
    }

    private interface Run {
        long nanos(ThreadTeam team);
    }

    /** The least time of each team, which take turns. */
    private long[] best(List<ThreadTeam> teams, String what, Run run) {
        long[] best = new long[teams.size()];
        for (int turn = 0; turn < extent.runs(); turn++) {
            watch.at(what, turn, extent.runs());
            for (int i = 0; i < best.length; i++) {
                long nanos = run.nanos(teams.get(i));
                best[i] = turn == 0 ? nanos : Math.min(best[i], nanos);
            }
        }
        return best;
    }

    private static long timed(ThreadTeam team, ThreadTeam.Program work) {
        team.run(member -> {}); // from here on its members spin, awake
        long start = System.nanoTime();
        team.run(work);
        return System.nanoTime() - start;
    }

    private static void require(boolean right, String kernel) {
        if (!right) {
            throw new IllegalStateException(kernel + " gave a wrong result: it has not done what was measured");
        }
    }
}
