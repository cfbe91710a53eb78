package dev.tern.measure.report;

import dev.tern.measure.Spread;
import dev.tern.measure.comparison.FormatResult;
import dev.tern.measure.comparison.RivalResult;
import dev.tern.measure.report.Entry.Test;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** Which format to take for what, in sentences that follow from the numbers. */
final class Verdict {
    /** The winner of one question. */
    record Winner(String question, String name, String value, Phrase note) {}

    /** What to do, and for whom. */
    record Advice(String purpose, Phrase phrase) {}

    private static final int NAMED = 3; // formats that a note names before it counts the rest

    private static final double BUSY = 1.25; // most over least of a format's rounds, on a machine that is not quiet

    private final Results results;

    Verdict(Results results) {
        this.results = results;
    }

    /** The smallest, the fastest, the one with the least memory; none where there is nothing to choose between. */
    List<Winner> winners() {
        List<Winner> winners = new ArrayList<>();
        if (results.measured().size() < 2) {
            return winners;
        }
        least("Smallest file", entry -> entry.fileBytes()).ifPresent(winners::add);
        fastest("Fastest decode", Test.DECODE).ifPresent(winners::add);
        fastest("Fastest prefill", Test.PREFILL).ifPresent(winners::add);
        least(
                        "Least memory",
                        entry -> entry.format().map(FormatResult::peakBytes).orElse(0L))
                .ifPresent(winners::add);
        return winners;
    }

    private Optional<Winner> least(String question, ToDoubleFunction<Entry> bytes) {
        List<Entry> sorted = results.measured().stream()
                .filter(entry -> bytes.applyAsDouble(entry) > 0)
                .sorted(Comparator.comparingDouble(bytes))
                .toList();
        if (sorted.isEmpty()) {
            return Optional.empty();
        }
        Entry best = sorted.getFirst();
        Phrase note = new Phrase();
        if (sorted.size() > 1) {
            Entry largest = sorted.getLast();
            note.code(sorted.get(1).name()).text(" follows with " + Numbers.bytes(bytes.applyAsDouble(sorted.get(1))));
            if (sorted.size() > 2) {
                note.text("; ")
                        .code(largest.name())
                        .text(" takes "
                                + Numbers.times(bytes.applyAsDouble(largest) / bytes.applyAsDouble(best))
                                        .replace("×", " times as much"));
            }
            note.text(".");
        }
        return Optional.of(new Winner(question, best.name(), Numbers.bytes(bytes.applyAsDouble(best)), note));
    }

    private Optional<Winner> fastest(String question, Test test) {
        List<Entry> sorted = results.fastestFirst(results.measured(), test);
        if (sorted.isEmpty()) {
            return Optional.empty();
        }
        Entry best = sorted.getFirst();
        Spread speed = results.speed(best, test).orElseThrow();
        List<Entry> even = even(sorted, test);
        Phrase note = new Phrase();
        if (sorted.size() == 1) {
            note.text("No other was measured.");
        } else if (even.size() == sorted.size()) {
            note.text("No format is measurably slower.");
        } else if (even.size() > 1) {
            named(note, even.subList(1, even.size()))
                    .text(even.size() == 2 ? " is as fast within the spread." : " are as fast within the spread.");
        } else {
            Spread second = results.speed(sorted.get(1), test).orElseThrow();
            note.code(sorted.get(1).name()).text(" follows with " + Numbers.three(second.median()) + ".");
        }
        return Optional.of(new Winner(
                question, best.name(), Numbers.three(speed.median()) + " tokens/s on " + results.onThreads(), note));
    }

    private List<Entry> even(List<Entry> fastestFirst, Test test) {
        Spread best = results.speed(fastestFirst.getFirst(), test).orElseThrow();
        return fastestFirst.stream()
                .filter(entry -> Results.even(best, results.speed(entry, test).orElseThrow()))
                .toList();
    }

    private static Phrase named(Phrase phrase, List<Entry> entries) {
        List<String> names = entries.stream().map(Entry::name).toList();
        if (names.size() <= NAMED + 1) {
            return phrase.codes(names);
        }
        for (String name : names.subList(0, NAMED)) {
            phrase.code(name).text(", ");
        }
        return phrase.text("and " + (names.size() - NAMED) + " more");
    }

    /** What to take for what, what quality says, how other engines do, and what is missing. */
    List<Advice> advice() {
        List<Advice> advice = new ArrayList<>();
        advice.add(new Advice("To run in Tern", inTern()));
        advice.addAll(Readers.advice(results));
        new QualityWords(results).brief().ifPresent(phrase -> advice.add(new Advice("Quality", phrase)));
        rivals().ifPresent(phrase -> advice.add(new Advice("Beside other engines", phrase)));
        fewerThreads().ifPresent(phrase -> advice.add(new Advice("Threads", phrase)));
        doubt().ifPresent(phrase -> advice.add(new Advice("How sure this is", phrase)));
        missing().ifPresent(phrase -> advice.add(new Advice("Not measured", phrase)));
        return advice;
    }

    private Phrase inTern() {
        List<Entry> sound = new QualityWords(results).sound();
        List<Entry> bySize = sound.stream()
                .filter(entry -> entry.fileBytes() > 0)
                .sorted(Comparator.comparingLong(Entry::fileBytes))
                .toList();
        if (bySize.isEmpty()) {
            return Phrase.of("No format was converted and measured without fault, so none can be recommended.");
        }
        if (bySize.size() == 1) {
            return new Phrase()
                    .text("Only ")
                    .code(bySize.getFirst().name())
                    .text(results.comparison().formats().size() == 1 ? " was measured" : " was measured without fault")
                    .text(", so there is nothing to choose between.");
        }
        Entry smallest = bySize.getFirst();
        List<Entry> fast = results.fastestFirst(sound, Test.DECODE);
        if (fast.isEmpty()) {
            boolean speed = !results.fastestFirst(sound, Test.PREFILL).isEmpty();
            return new Phrase()
                    .text("Take ")
                    .code(smallest.name())
                    .text(": it is the smallest file. " + (speed ? "Decode" : "Speed") + " was not measured.")
                    .append(prompts(smallest, sound))
                    .append(kernels(smallest));
        }
        List<Entry> even = even(fast, Test.DECODE);
        Entry choice = bySize.stream().filter(even::contains).findFirst().orElse(fast.getFirst());
        if (choice.equals(smallest)) {
            return smallestAndFast(smallest, fast, even);
        }
        double choiceSpeed = results.speed(choice, Test.DECODE).orElseThrow().median();
        Phrase phrase = new Phrase()
                .text("Take ")
                .code(choice.name())
                .text(" for speed: it decodes " + Numbers.three(choiceSpeed) + " tokens/s on " + results.onThreads());
        results.speed(smallest, Test.DECODE)
                .ifPresent(speed -> phrase.text(
                        ", " + Numbers.percent(choiceSpeed / speed.median() - 1) + " more than the smallest file"));
        phrase.text(". Take ")
                .code(smallest.name())
                .text(" where size counts: " + Numbers.bytes(smallest.fileBytes()) + " instead of "
                        + Numbers.bytes(choice.fileBytes()) + ".");
        return phrase.append(kernels(choice));
    }

    private Phrase smallestAndFast(Entry smallest, List<Entry> fast, List<Entry> even) {
        Phrase phrase = new Phrase().text("Take ").code(smallest.name()).text(": it is the smallest file, and ");
        if (fast.size() == 1) {
            phrase.text("the only one whose decode was measured.");
        } else if (even.size() == 1) {
            phrase.text("it decodes fastest, "
                    + Numbers.three(
                            results.speed(smallest, Test.DECODE).orElseThrow().median()) + " tokens/s on "
                    + results.onThreads() + ".");
        } else {
            phrase.text("no format decodes measurably faster.");
        }
        return phrase.append(prompts(smallest, fast)).append(kernels(smallest));
    }

    /** Where prompts are read faster than from a format, and by how much; empty where nowhere. */
    private Phrase prompts(Entry entry, List<Entry> others) {
        List<Entry> fast = results.fastestFirst(others, Test.PREFILL);
        Optional<Spread> own = results.speed(entry, Test.PREFILL);
        if (own.isEmpty() || even(fast, Test.PREFILL).contains(entry)) {
            return new Phrase();
        }
        Spread best = results.speed(fast.getFirst(), Test.PREFILL).orElseThrow();
        return new Phrase()
                .text(" Long prompts are read "
                        + Numbers.percent(best.median() / own.get().median() - 1) + " faster from ")
                .code(fast.getFirst().name())
                .text(".");
    }

    private static Phrase kernels(Entry entry) {
        return entry.name().startsWith("tl")
                ? new Phrase().text(" It needs kernels of exactly this model's shapes, which Tern has or builds.")
                : new Phrase();
    }

    private Optional<Phrase> rivals() {
        Phrase phrase = new Phrase();
        for (Test test : Test.values()) {
            List<Entry> own = results.fastestFirst(results.measured(), test);
            List<Entry> others = results.fastestFirst(results.rivals(), test);
            if (own.isEmpty() || others.isEmpty()) {
                continue;
            }
            Spread ours = results.speed(own.getFirst(), test).orElseThrow();
            Spread theirs = results.speed(others.getFirst(), test).orElseThrow();
            phrase.text(phrase.isEmpty() ? "" : " ")
                    .text(test.title() + ": the fastest other engine is ")
                    .code(others.getFirst().name())
                    .text(" with " + Numbers.three(theirs.median()) + " tokens/s; Tern with ")
                    .code(own.getFirst().name())
                    .text(" gives " + Numbers.three(ours.median()) + ", "
                            + Numbers.times(ours.median() / theirs.median()).replace("×", "")
                            + " times that" + (Results.even(ours, theirs) ? ", which is within the spread." : "."));
        }
        return phrase.isEmpty() ? Optional.empty() : Optional.of(phrase);
    }

    /** Where the fastest decode is that of fewer threads than the table is about. */
    private Optional<Phrase> fewerThreads() {
        List<Entry> own = results.fastestFirst(results.measured(), Test.DECODE);
        if (own.isEmpty()) {
            return Optional.empty();
        }
        Spread most = results.speed(own.getFirst(), Test.DECODE).orElseThrow();
        record Fewer(Entry entry, int threads, Spread speed) {}
        return results.measured().stream()
                .flatMap(entry -> results.threadCounts().stream()
                        .filter(threads -> threads < results.threads())
                        .flatMap(threads -> entry.speed(Test.DECODE, threads)
                                .map(speed -> new Fewer(entry, threads, speed))
                                .stream()))
                .max(Comparator.comparingDouble(fewer -> fewer.speed().median()))
                .filter(fewer -> fewer.speed().median() > most.median() && !Results.even(fewer.speed(), most))
                .map(fewer -> new Phrase()
                        .text("Fewer are faster: ")
                        .code(fewer.entry().name())
                        .text(" decodes " + Numbers.three(fewer.speed().median()) + " tokens/s on "
                                + Results.threads(fewer.threads()) + ", where " + results.onThreads() + " give "
                                + Numbers.three(most.median()) + " at best. The model is too small for more, or the"
                                + " machine had other work."));
    }

    /** How much the numbers can be trusted, where that is little. */
    private Optional<Phrase> doubt() {
        double widest = results.measured().stream()
                .flatMap(entry -> Stream.of(Test.values()).flatMap(test -> results.speed(entry, test).stream()))
                .mapToDouble(speed -> speed.most() / speed.least())
                .max()
                .orElse(1);
        if (widest > BUSY) {
            return Optional.of(Phrase.of("Rounds of one format differ by up to "
                    + Numbers.times(widest).replace("×", "")
                    + " times: the machine had other work, or slept. Where it must be sure, measure again on a quiet"
                    + " one, in more rounds."));
        }
        return results.comparison().method().rounds() == 1 && results.measured().size() > 1
                ? Optional.of(
                        Phrase.of("One round was measured, so no spread is known, and small differences say nothing."))
                : Optional.empty();
    }

    private Optional<Phrase> missing() {
        Phrase phrase = new Phrase();
        for (FormatResult format : results.failed()) {
            phrase.text(phrase.isEmpty() ? "" : " ")
                    .code(format.outtype())
                    .text(" failed: ")
                    .withCode(sentence(format.failure().orElseThrow()));
        }
        for (RivalResult rival : results.skipped()) {
            phrase.text(phrase.isEmpty() ? "" : " ")
                    .code((rival.engine() + " " + rival.type()).strip())
                    .text(" was skipped: ")
                    .withCode(sentence(rival.skipped().orElseThrow()));
        }
        return phrase.isEmpty() ? Optional.empty() : Optional.of(phrase);
    }

    /** With a full stop. */
    static String sentence(String text) {
        String trimmed = text.strip();
        return trimmed.isEmpty() ? "no reason was given." : trimmed.matches("(?s).*[.!?]") ? trimmed : trimmed + ".";
    }
}
