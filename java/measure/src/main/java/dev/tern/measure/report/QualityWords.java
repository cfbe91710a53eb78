package dev.tern.measure.report;

import dev.tern.measure.comparison.FormatResult;
import dev.tern.measure.comparison.Quality;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;

/** What a comparison's measurements of quality say. */
final class QualityWords {
    /** Mean nats from which on a format is not what the checkpoint is; rounding an embedding gives 1e-5 to 1e-3. */
    private static final double DAMAGED = 0.05;

    private final Results results;
    private final Map<Quality, List<String>> groups = new LinkedHashMap<>();

    QualityWords(Results results) {
        this.results = results;
        for (Entry entry : results.measured()) {
            entry.format().flatMap(FormatResult::quality)
                    .ifPresent(quality -> groups.computeIfAbsent(quality, key -> new ArrayList<>()).add(entry.name()));
        }
    }

    /** Names of formats that predict the same, by what they give. */
    Map<Quality, List<String>> groups() {
        return groups;
    }

    /** Whether a chart would show more than a sentence does: formats differ from the reference, and not all alike. */
    boolean worthAChart() {
        return groups.size() > 1;
    }

    /** Formats that neither lost a value nor predict something else than the checkpoint. */
    List<Entry> sound() {
        return results.measured().stream()
                .filter(entry -> entry.format()
                        .filter(format -> format.ternaryValues() == 0 || format.lossless())
                        .filter(format -> format.quality().filter(QualityWords::damaged).isEmpty())
                        .isPresent())
                .toList();
    }

    private static boolean damaged(Quality quality) {
        return !quality.identical() && !(quality.meanKl() < DAMAGED);
    }

    /** Whether quality decides which format to take. */
    Phrase brief() {
        Phrase phrase = new Phrase();
        List<String> lossy = results.comparison().formats().stream()
                .filter(format -> format.ternaryValues() > 0 && !format.lossless())
                .map(FormatResult::outtype)
                .toList();
        List<String> damaged = damaged();
        if (!lossy.isEmpty()) {
            phrase.strong("Values were lost").text(" in ").codes(lossy).text(". ");
        }
        if (!damaged.isEmpty()) {
            phrase.strong("Something else than the checkpoint").text(" is predicted by ").codes(damaged).text(". ");
        }
        if (groups.isEmpty()) {
            return phrase.text("Predictions were not compared with the checkpoint's.");
        }
        if (!lossy.isEmpty() || !damaged.isEmpty()) {
            return phrase.text("Do not use ").text(lossy.size() + damaged.size() == 1 ? "it." : "them.");
        }
        if (groups.keySet().stream().allMatch(Quality::identical)) {
            return phrase.text("It does not decide: all predictions equal the checkpoint's to the bit.");
        }
        double most = groups.keySet().stream().mapToDouble(Quality::meanKl).max().orElse(0);
        return phrase.text("It does not decide: predictions differ from the checkpoint's by " + Numbers.three(most)
                + " nats at most, on average over the text.");
    }

    private List<String> damaged() {
        return groups.entrySet().stream()
                .filter(group -> damaged(group.getKey()))
                .flatMap(group -> group.getValue().stream())
                .toList();
    }

    /** All that was measured of it. */
    Phrase phrase() {
        Phrase phrase = new Phrase();
        ternary(phrase);
        if (groups.isEmpty()) {
            return phrase.text(" Predictions were not compared, as no text was given.");
        }
        List<String> damaged = damaged();
        if (groups.keySet().stream().allMatch(Quality::identical)) {
            return phrase.text(" All logits equal the checkpoint's to the bit, so quality does not decide.");
        }
        if (!damaged.isEmpty()) {
            phrase.text(" ").strong("Do not use ").codes(damaged)
                    .text(damaged.size() == 1 ? ": it predicts something else than the checkpoint." : ": they predict"
                            + " something else than the checkpoint.");
        }
        if (groups.size() == 1) {
            phrase.text(" All formats gave the same numbers: ");
        } else {
            phrase.text(" Against the checkpoint ");
        }
        return phrase.text("the mean divergence is " + range(Quality::meanKl, Numbers::three) + " nats, the most likely token the same at "
                + range(Quality::greedyAgreement, Numbers::agreement) + " of " + Numbers.fixed(positions(), 0)
                + " positions, perplexity " + range(Quality::perplexity, Numbers::perplexity) + " where the checkpoint has "
                + range(Quality::referencePerplexity, Numbers::perplexity) + "."
                + (damaged.isEmpty() ? " Such differences come from rounding the embedding and the scales." : ""));
    }

    private void ternary(Phrase phrase) {
        List<FormatResult> checked = results.comparison().formats().stream()
                .filter(format -> format.ternaryValues() > 0)
                .toList();
        List<String> lossy =
                checked.stream().filter(format -> !format.lossless()).map(FormatResult::outtype).toList();
        if (checked.isEmpty()) {
            phrase.text("The files' ternary values were not compared with the checkpoint's.");
        } else if (lossy.isEmpty()) {
            phrase.text("Nothing ternary was lost: all " + Numbers.fixed(checked.getFirst().ternaryValues(), 0)
                    + " values of every file that was checked equal the checkpoint's.");
        } else {
            phrase.strong("Values were lost").text(" in ").codes(lossy).text(": do not use ")
                    .text(lossy.size() == 1 ? "it." : "them.");
        }
    }

    private double positions() {
        return groups.keySet().stream().mapToInt(Quality::positions).max().orElse(0);
    }

    private String range(ToDoubleFunction<Quality> value, DoubleFunction<String> shown) {
        double least = groups.keySet().stream().mapToDouble(value).min().orElse(0);
        double most = groups.keySet().stream().mapToDouble(value).max().orElse(0);
        String from = shown.apply(least);
        String to = shown.apply(most);
        return from.equals(to) ? from : from.replace(" %", "") + " to " + to;
    }
}
