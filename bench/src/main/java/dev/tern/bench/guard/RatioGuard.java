package dev.tern.bench.guard;

import dev.tern.bench.guard.Race.Outcome;
import dev.tern.bench.guard.Race.Verdict;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LibraryStatus;
import dev.tern.kernels.Tier;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Locale;

/**
 * {@code bench/guard}: fails where a fast path is none. It compares only what ran in turns in this one run, and asks
 * for far less than what a fast path gives, so that it says something about the code and nothing about the machine. The
 * exit status is 1 when a contest was lost or there are no native kernels although nobody turned them off, and 0
 * otherwise.
 */
public final class RatioGuard {
    private static final int ATTEMPTS = 8;

    private final PrintStream out;
    private final List<String> words;
    private final Race race;
    private int failures;

    private RatioGuard(PrintStream out, List<String> words) {
        this.out = out;
        this.words = words;
        this.race = new Race(System::nanoTime, ATTEMPTS);
    }

    public static void main(String[] arguments) throws IOException {
        RatioGuard guard = new RatioGuard(System.out, List.of(arguments));
        guard.run();
        if (guard.failures > 0) {
            System.exit(1);
        }
    }

    private void run() throws IOException {
        LibraryStatus status = KernelChoice.status();
        if (status.origin() == LibraryStatus.Origin.OFF) {
            out.println("SKIPPED: native kernels are off");
            return;
        }
        if (status.failure().isPresent()) {
            out.println("FAILED: there are no native kernels: " + status.failure().get());
            failures++;
            return;
        }
        List<Tier> tiers = status.tiers().stream()
                .filter(tier -> tier.obstacle().isEmpty())
                .map(LibraryStatus.TierStatus::tier)
                .toList();
        out.printf(Locale.ROOT, "%-44s %-16s %-16s %8s %8s%n", "", "fast", "slow", "times", "least");
        try (Arena arena = Arena.ofShared()) {
            kernels(arena, tiers);
            engine(arena);
        }
        out.println(failures == 0 ? "Every fast path is fast." : failures + " FAILED");
    }

    private void kernels(Arena arena, List<Tier> tiers) {
        Kernels plain = KernelChoice.of(Tier.SCALAR);
        for (Tier tier : tiers) {
            if (tier != Tier.SCALAR) {
                KernelContests.of(arena, KernelChoice.of(tier), plain).forEach(this::hold);
                LutContests.of(arena, tier).forEach(this::hold);
            }
        }
        TierContests.of(arena, tiers).forEach(this::hold);
    }

    private void engine(Arena arena) throws IOException {
        Kernels best = KernelChoice.best().kernels();
        if (best.tier().compareTo(Tier.SCALAR) <= 0) {
            out.println("SKIPPED: whole models: no vector kernels");
            return;
        }
        try (EngineContests contests = new EngineContests(best)) {
            hold(contests.kernelsAgainstJava());
            hold(contests.prefillAgainstDecode(KernelChoice.of(base(best.tier()))));
            if (best.tier().compareTo(Tier.NEON) < 0) { // on ARM screens are plain C
                hold(contests.screenAgainstWholeHead());
            }
            if (Runtime.getRuntime().availableProcessors() < 2) {
                out.println("SKIPPED: two threads against one: there is one processor");
            } else {
                hold(contests.twoThreads());
            }
        }
    }

    private static Tier base(Tier tier) {
        return tier.compareTo(Tier.NEON) < 0 ? Tier.AVX2 : Tier.NEON;
    }

    private void hold(Contest contest) {
        if (!words.isEmpty() && words.stream().noneMatch(contest.subject()::contains)) {
            return;
        }
        Outcome outcome = race.run(contest);
        out.printf(
                Locale.ROOT,
                "%-44s %-16s %-16s %8.2f %8.2f%s%n",
                contest.subject(),
                contest.fast().name(),
                contest.slow().name(),
                outcome.ratio(),
                contest.leastRatio(),
                switch (outcome.verdict()) {
                    case OK -> "";
                    case FAILED -> "  FAILED";
                    case SKIPPED -> String.format(
                            Locale.ROOT, "  SKIPPED: %s gives %.2f", contest.capacity().orElseThrow().subject(),
                            outcome.capacityRatio());
                });
        if (outcome.verdict() == Verdict.FAILED) {
            failures++;
        }
    }
}
