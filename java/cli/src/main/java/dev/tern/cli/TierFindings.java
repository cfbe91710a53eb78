package dev.tern.cli;

import dev.tern.kernels.LibraryStatus;
import dev.tern.kernels.Tier;
import dev.tern.kernels.TierProof;
import dev.tern.kernels.TierProof.Outcome;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ArrayNode;

/**
 * What came of running each tier.
 *
 * @param proofs of the library's tiers, ascending
 * @param active the tier in use
 */
record TierFindings(List<TierProof> proofs, Tier active) {

    /** Tries the tiers, which takes about a second. */
    static TierFindings examine(LibraryStatus library) throws InterruptedException {
        return new TierFindings(TierProof.ofThisProcess(), library.active());
    }

    /** Of one tier, for people. */
    static String text(TierProof proof) {
        return switch (proof.outcome()) {
            case RUNS -> "runs, and gives the reference's results";
            case OBSTACLE -> "no: " + proof.detail();
            case CRASHED -> "no: announced, but crashed: " + proof.detail();
            case WRONG -> "no: gives a wrong result " + proof.detail();
            case UNKNOWN -> "announced, but not proved: " + proof.detail();
        };
    }

    /** What to do about the tier in use, when it does not run; a tier above it is held back already. */
    Optional<String> advice() {
        Optional<TierProof> refuted =
                proofs.stream().filter(proof -> proof.tier() == active && proof.failed()).findFirst();
        return refuted.map(proof -> {
            Optional<Tier> better = proofs.stream()
                    .filter(lower -> lower.outcome() == Outcome.RUNS && lower.tier().compareTo(active) < 0)
                    .map(TierProof::tier)
                    .reduce((first, second) -> second);
            boolean crashed = proof.outcome() == Outcome.CRASHED;
            String what = crashed ? "crashed (" + proof.detail() + ")" : "gives a wrong result";
            return "The " + active.label() + " kernels are in use, for the machine announces all that they need, but"
                    + " running them here " + what + ": the CPU, or the host of this virtual machine, does not do what"
                    + " it announces. Set "
                    + better.map(tier -> "TERN_MAX_TIER=" + tier.label()).orElse("TERN_NATIVE=off") + ".";
        });
    }

    void toJson(ArrayNode tiers) {
        for (TierProof proof : proofs) {
            tiers.addObject()
                    .put("tier", proof.tier().label())
                    .put("usable", proof.outcome() != Outcome.OBSTACLE && !proof.failed())
                    .put("obstacle", proof.outcome() == Outcome.OBSTACLE ? proof.detail() : null)
                    .put("outcome", proof.outcome().label())
                    .put("detail", proof.detail());
        }
    }
}
