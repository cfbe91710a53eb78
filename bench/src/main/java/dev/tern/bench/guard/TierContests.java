package dev.tern.bench.guard;

import dev.tern.bench.RandomMemory;
import dev.tern.bench.guard.Contest.Way;
import dev.tern.kernels.Activations;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.TernaryWeights;
import dev.tern.kernels.Tier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** What each tier is there for against the one that every such machine has: AVX2, or NEON. */
final class TierContests {
    private static final int ROWS = 64;
    private static final int COLS = 2560;

    private TierContests() {}

    /** The ternary product of each higher tier in its own layout against the base's in rows. */
    static List<Contest> of(Arena arena, List<Tier> tiers) {
        RandomMemory memory = new RandomMemory(arena);
        List<Contest> contests = new ArrayList<>();
        for (Tier tier : tiers) {
            Tier base = tier.compareTo(Tier.NEON) < 0 ? Tier.AVX2 : Tier.NEON;
            if (tier.compareTo(base) > 0 && tiers.contains(base)) {
                for (int tokens : new int[] {1, 128}) {
                    contests.add(new Contest(
                            "ternary_matmul, " + tokens + (tokens == 1 ? " token" : " tokens"),
                            way(memory, KernelChoice.of(tier), TernaryLayout.PANELS_2BIT, tokens),
                            way(memory, KernelChoice.of(base), TernaryLayout.ROWS, tokens),
                            leastRatio(tier, tokens)));
                }
            }
        }
        return contests;
    }

    /** AVX-512 VNNI on Zen 4: 2.0 for one token, 1.8 for many. AMX does eight times AVX-512's work at its best. */
    private static double leastRatio(Tier tier, int tokens) {
        return tier == Tier.AMX && tokens > 1 ? 2 : 1.1;
    }

    private static Way way(RandomMemory memory, Kernels kernels, TernaryLayout layout, int tokens) {
        TernaryWeights w = memory.ternary(kernels, ROWS, COLS, layout);
        Activations a = memory.activations(kernels, tokens, COLS);
        MemorySegment y = memory.bytes(4L * tokens * ROWS);
        return new Way(kernels.tier().label(), 1, () -> kernels.ternaryMatmul(w, a, tokens, 0, ROWS, y, ROWS));
    }
}
