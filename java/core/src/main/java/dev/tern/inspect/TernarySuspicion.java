package dev.tern.inspect;

import dev.tern.inspect.Inspection.Finding;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.ternary.TernaryCounts;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Known ways in which converters spoil ternary weights, told from the statistics of T and s. Weights made by absmean are
 * about 31 % zeros (of Gaussian weights; trained models keep near that), and their scales differ from tensor to tensor.
 */
final class TernarySuspicion {
    private static final String CONVERT = "Convert the original checkpoint with `tern convert`.";

    /** Fewer weights prove nothing. */
    private static final int MIN_WEIGHTS = 1024;

    /** One ternary tensor. */
    record Sample(String name, TernaryCounts counts, float scale) {
        boolean telling() {
            return counts.all() >= MIN_WEIGHTS;
        }

        boolean allZero() {
            return counts.zero() == counts.all();
        }

        /** mean|T|: what a second absmean over T takes for the scale. */
        double density() {
            return 1 - counts.zeroShare();
        }
    }

    private TernarySuspicion() {}

    static List<Finding> of(List<Sample> samples) {
        List<Finding> findings = new ArrayList<>();
        report(findings, samples, FindingKind.ALL_ZERO, Sample::allZero,
                "hold nothing but zeros", "These weights were never written, or lost. " + CONVERT);
        report(findings, samples, FindingKind.SIGN_QUANTIZED, s -> s.telling() && s.counts.zeroShare() < 0.001,
                "hold no zeros, where absmean gives about 31 %: they were made by sign() from continuous weights",
                "A model like this answers gibberish. " + CONVERT);
        report(findings, samples, FindingKind.ABSMAX_QUANTIZED, s -> s.telling() && s.counts.zeroShare() > 0.75 && !s.allZero(),
                "hold more than 75 % zeros, where absmean gives about 31 %: they were rounded against the largest weight",
                CONVERT);
        report(findings, samples, FindingKind.SCALE_NOT_POSITIVE, s -> s.scale < 0 || s.scale == 0 && !s.allZero(),
                "have a scale that is not positive", CONVERT);
        suspectScales(findings, samples.stream().filter(s -> s.telling() && !s.allZero()).toList());
        return findings;
    }

    private static void suspectScales(List<Finding> findings, List<Sample> samples) {
        if (samples.size() < 3) {
            return; // a coincidence in one or two is possible
        }
        if (samples.stream().allMatch(s -> s.scale == 1f)) {
            findings.add(new Finding(
                    FindingKind.SCALE_LOST, Severity.ERROR, "Every scale is 1: the scales were left out.", CONVERT));
        }
        long density = samples.stream().filter(s -> Math.abs(s.scale - s.density()) < 0.005 * s.density()).count();
        if (density > samples.size() / 2) {
            findings.add(new Finding(
                    FindingKind.SCALE_IS_DENSITY,
                    Severity.ERROR,
                    density + " of " + samples.size() + " scales equal the share of weights that are not zero: the ternary"
                            + " weights were quantized a second time, and the true scales lost.",
                    CONVERT));
        }
        float least = samples.stream().map(Sample::scale).min(Float::compare).orElseThrow();
        float largest = samples.stream().map(Sample::scale).max(Float::compare).orElseThrow();
        if (least > 0 && largest / least > 1e4f) {
            findings.add(new Finding(
                    FindingKind.SCALE_SPREAD,
                    Severity.WARNING,
                    "The scales range from " + least + " to " + largest + ", further than in any trained model: some may be"
                            + " inverted.",
                    "Compare with the checkpoint: `tern validate FILE --against CHECKPOINT`."));
        }
    }

    private static void report(
            List<Finding> findings,
            List<Sample> samples,
            FindingKind kind,
            Predicate<Sample> suspicious,
            String what,
            String cure) {
        List<Sample> found = samples.stream().filter(suspicious).toList();
        if (!found.isEmpty()) {
            findings.add(new Finding(
                    kind,
                    Severity.ERROR,
                    found.size() + " of " + samples.size() + " ternary tensors " + what + " (first: "
                            + found.getFirst().name() + ").",
                    cure));
        }
    }
}
