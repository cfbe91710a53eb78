package dev.tern.measure.report;

import dev.tern.measure.comparison.FormatResult;
import dev.tern.measure.comparison.Quality;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;

/** What a comparison's measurements of quality say. */
final class QualityWords {
    /** Mean nats below which a reader sees no difference. */
    private static final double UNSEEN = 1e-3;

    /** Share of the positions from which on agreement is not worth a word. */
    private static final double AGREEING = 0.99;

    /** Share of the positions below which no trained model changes its most likely token for a rounding. */
    private static final double TRAINED = 0.9;

    /** Mean nats from which on a format is not what the checkpoint is; rounding an embedding gives 1e-5 to 1e-3. */
    private static final double DAMAGED = 0.05;

    private final Results results;
    private final Map<Quality, List<String>> groups = new LinkedHashMap<>();

    QualityWords(Results results) {
        this.results = results;
        for (Entry entry : results.measured()) {
            entry.format()
                    .flatMap(FormatResult::quality)
                    .ifPresent(quality -> groups.computeIfAbsent(quality, key -> new ArrayList<>())
                            .add(entry.name()));
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
                        .filter(format ->
                                format.quality().filter(QualityWords::damaged).isEmpty())
                        .isPresent())
                .toList();
    }

    private static boolean damaged(Quality quality) {
        return !quality.identical() && !(quality.meanKl() < DAMAGED);
    }

    /** Whether quality decides which format to take; empty where nothing is known of it. */
    Optional<Phrase> brief() {
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
            phrase.strong("Something else than the checkpoint")
                    .text(" is predicted by ")
                    .codes(damaged)
                    .text(". ");
        }
        if (!lossy.isEmpty() || !damaged.isEmpty()) {
            phrase.text("Do not use ").text(lossy.size() + damaged.size() == 1 ? "it." : "them.");
        } else if (!groups.isEmpty()) {
            between(phrase);
        }
        return phrase.isEmpty() ? Optional.empty() : Optional.of(phrase);
    }

    /** What predictions say of the choice between formats that are all sound. */
    private void between(Phrase phrase) {
        boolean single = groups.values().stream().mapToInt(List::size).sum() == 1;
        if (identical()) {
            phrase.text(single ? "Its" : "It does not decide: all")
                    .text(" predictions equal the checkpoint's to the bit.");
            return;
        }
        List<Quality> nearestFirst = groups.keySet().stream()
                .sorted(Comparator.comparingDouble(Quality::meanKl))
                .toList();
        Quality nearest = nearestFirst.getFirst();
        Quality furthest = nearestFirst.getLast();
        String differ = "differ from the checkpoint's own by " + range(Quality::meanKl, Numbers::three)
                + " nats on average" + otherTokens() + ".";
        if (single) {
            phrase.text("Its predictions " + differ);
        } else if (groups.size() == 1) {
            phrase.text("It does not decide between the formats: they predict the same. Their predictions " + differ);
        } else if (furthest.meanKl() - nearest.meanKl() < UNSEEN) {
            phrase.text("It does not decide between the formats: all their predictions " + differ);
        } else {
            phrase.text("Nearest to the checkpoint's predictions ")
                    .text(groups.get(nearest).size() == 1 ? "is " : "are ")
                    .codes(groups.get(nearest))
                    .text(", " + Numbers.three(nearest.meanKl()) + " nats from them on average; furthest ")
                    .text(groups.get(furthest).size() == 1 ? "is " : "are ")
                    .codes(groups.get(furthest))
                    .text(", " + Numbers.three(furthest.meanKl()) + " nats" + otherTokens() + ".");
        }
    }

    private boolean identical() {
        return groups.keySet().stream().allMatch(Quality::identical);
    }

    /** The least share of the positions at which the most likely token is the checkpoint's. */
    private double agreement() {
        return groups.keySet().stream()
                .mapToDouble(Quality::greedyAgreement)
                .min()
                .orElse(1);
    }

    private String otherTokens() {
        return agreement() < AGREEING
                ? ", and the most likely token is another at " + Numbers.percent(1 - agreement()) + " of the positions"
                : "";
    }

    private List<String> damaged() {
        return groups.entrySet().stream()
                .filter(group -> damaged(group.getKey()))
                .flatMap(group -> group.getValue().stream())
                .toList();
    }

    /** All that was measured of it; empty where nothing was. */
    Phrase phrase() {
        Phrase phrase = new Phrase();
        ternary(phrase);
        if (groups.isEmpty()) {
            return missing(phrase);
        }
        String gap = phrase.isEmpty() ? "" : " ";
        List<String> damaged = damaged();
        if (identical()) {
            return phrase.text(gap + "All logits equal the checkpoint's to the bit, so quality does not decide.");
        }
        if (!damaged.isEmpty()) {
            phrase.text(gap)
                    .strong("Do not use ")
                    .codes(damaged)
                    .text(damaged.size() == 1 ? ": it predicts" : ": they predict")
                    .text(" something else than the checkpoint.");
        }
        phrase.text(phrase.isEmpty() ? "" : " ")
                .text(groups.size() == 1 ? "All formats gave the same numbers: " : "Against the checkpoint ");
        phrase.text("the mean divergence is " + range(Quality::meanKl, Numbers::three)
                + " nats, the most likely token the same at "
                + range(Quality::greedyAgreement, Numbers::agreement) + " of " + Numbers.fixed(positions(), 0)
                + " positions, perplexity " + range(Quality::perplexity, Numbers::perplexity)
                + " where the checkpoint has "
                + range(Quality::referencePerplexity, Numbers::perplexity) + ".");
        return damaged.isEmpty() ? phrase.text(whence()) : phrase;
    }

    /** Where differences of sound formats come from. Near distributions have other maxima only where these are low. */
    private String whence() {
        String rounding = " Such differences come from rounding the embedding and the scales.";
        if (agreement() >= AGREEING) {
            return rounding;
        }
        return rounding + " Where they change the most likely token, several tokens are about as likely"
                + (agreement() < TRAINED ? ", as almost everywhere to a model whose weights are random." : ".");
    }

    private Phrase missing(Phrase phrase) {
        List<FormatResult> formats = results.comparison().formats();
        boolean asked = !results.comparison().method().text().isEmpty();
        return asked && formats.stream().allMatch(format -> format.quality().isEmpty())
                ? phrase.text(phrase.isEmpty() ? "" : " ")
                        .text("Every format failed before its predictions were compared with the checkpoint's.")
                : phrase;
    }

    private void ternary(Phrase phrase) {
        List<FormatResult> checked = results.comparison().formats().stream()
                .filter(format -> format.ternaryValues() > 0)
                .toList();
        List<String> lossy = checked.stream()
                .filter(format -> !format.lossless())
                .map(FormatResult::outtype)
                .toList();
        if (!lossy.isEmpty()) {
            phrase.strong("Values were lost")
                    .text(" in ")
                    .codes(lossy)
                    .text(": do not use ")
                    .text(lossy.size() == 1 ? "it." : "them.");
        } else if (!checked.isEmpty()) {
            phrase.text("Nothing ternary was lost: all "
                    + Numbers.fixed(checked.getFirst().ternaryValues(), 0)
                    + " values of every file that was checked equal the checkpoint's.");
        } else if (!results.measured().isEmpty()) {
            phrase.text("The files' ternary values were not compared with the checkpoint's.");
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
