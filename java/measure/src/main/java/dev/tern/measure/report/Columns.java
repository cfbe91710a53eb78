package dev.tern.measure.report;

import dev.tern.measure.Spread;
import dev.tern.measure.comparison.FormatResult;
import dev.tern.measure.comparison.Method;
import dev.tern.measure.comparison.Quality;
import dev.tern.measure.report.Column.Best;
import dev.tern.measure.report.Column.Cell;
import dev.tern.measure.report.Column.Group;
import dev.tern.measure.report.Entry.Test;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** The columns of a comparison's table: those in which anything was measured. */
final class Columns {
    private final Results results;
    private final List<Column> columns = new ArrayList<>();

    private static final String EMBEDDING = "Embedding";

    private Columns(Results results) {
        this.results = results;
    }

    static List<Column> of(Results results, List<Entry> rows) {
        Columns all = new Columns(results);
        all.file();
        all.speed();
        all.start();
        all.quality();
        if (embedding(results).isPresent()) {
            all.columns.removeIf(column -> column.title().equals(EMBEDDING));
        }
        all.columns.removeIf(column -> rows.stream().allMatch(row -> column.cell().apply(row).isEmpty()));
        return List.copyOf(all.columns);
    }

    /** Type of the embedding where all formats have the same, so that it needs no column. */
    static Optional<String> embedding(Results results) {
        List<String> types = results.comparison().formats().stream()
                .map(FormatResult::embeddingType)
                .distinct()
                .toList();
        return types.size() == 1 && !types.getFirst().isEmpty() ? Optional.of(types.getFirst()) : Optional.empty();
    }

    /** Rows whose value is the best of the column; none where it is that of more than half of them. */
    static Set<Entry> best(Column column, List<Entry> rows) {
        List<Cell> cells = rows.stream()
                .map(row -> column.cell().apply(row).orElse(null))
                .filter(Objects::nonNull)
                .filter(cell -> Double.isFinite(cell.value()))
                .toList();
        if (column.best() == Best.NONE || cells.size() < 2) {
            return Set.of();
        }
        String best = cells.stream()
                .reduce((a, b) -> (column.best() == Best.LEAST) == (a.value() <= b.value()) ? a : b)
                .orElseThrow()
                .shown();
        Set<Entry> rowsOfIt = new LinkedHashSet<>();
        for (Entry row : rows) {
            column.cell().apply(row).filter(cell -> cell.shown().equals(best)).ifPresent(cell -> rowsOfIt.add(row));
        }
        return 2 * rowsOfIt.size() > cells.size() ? Set.of() : rowsOfIt;
    }

    private void file() {
        add(Group.FILE, "Size", "MB", "Size of the model file, in 10^6 bytes.", Best.LEAST,
                row -> known(row.fileBytes(), Numbers::megabytes));
        add(Group.FILE, "Bits", "a weight",
                "Bits of the file that hold one ternary weight, scales included; the embedding and the head are not counted.",
                Best.LEAST, of(FormatResult::bitsPerWeight, bits -> Numbers.fixed(bits, 2)));
        add(Group.FILE, EMBEDDING, "", "Type of the embedding, and of the head where the model has none of its own.",
                Best.NONE, row -> row.format()
                        .map(FormatResult::embeddingType)
                        .filter(type -> !type.isEmpty())
                        .map(type -> new Cell(Double.NaN, type, "")));
        add(Group.FILE, "Lossless", "",
                "Whether every ternary value of the file was compared with the checkpoint's and found equal.",
                Best.NONE, row -> row.format().flatMap(Columns::lossless));
        add(Group.FILE, "Convert", "s", "Time to read the checkpoint, convert it and write the file.", Best.LEAST,
                of(FormatResult::convertSeconds, Numbers::three));
    }

    private static Optional<Cell> lossless(FormatResult format) {
        if (format.ternaryValues() == 0) {
            return format.failure().isPresent()
                    ? Optional.empty()
                    : Optional.of(new Cell(Double.NaN, "not checked", ""));
        }
        return Optional.of(new Cell(Double.NaN, format.lossless() ? "yes" : "NO", ""));
    }

    private void speed() {
        Method method = results.comparison().method();
        String spread = method.rounds() > 1
                ? " Median of " + method.rounds() + " rounds, least and most beside it."
                : "";
        add(Group.SPEED, "Prefill", "tokens/s",
                "Tokens of a prompt of " + method.prompt() + " that are read a second, on " + results.onThreads() + "." + spread,
                Best.MOST, row -> results.speed(row, Test.PREFILL).map(Columns::cell));
        add(Group.SPEED, "Decode", "tokens/s",
                "Tokens that are written a second, one after the other, " + method.generated() + " of them, on "
                        + results.onThreads() + "." + spread,
                Best.MOST, row -> results.speed(row, Test.DECODE).map(Columns::cell));
        add(Group.SPEED, "Of peak", "%",
                "Share of the machine's integer peak that prefill reaches with the ternary matrices: their multiplications and"
                        + " additions a second over what the vector units do from registers alone.",
                Best.MOST, row -> share(results.peakShare(row)));
        add(Group.SPEED, "Of bandwidth", "%",
                "Share of the machine's read bandwidth that decode reaches: bytes of weights that a token reads, times tokens a"
                        + " second, over what plain reads of memory give.",
                Best.MOST, row -> share(results.bandwidthShare(row)));
    }

    private void start() {
        add(Group.START, "Load", "s", "From the start of a load, in a process of its own, to a model that can be asked.",
                Best.LEAST, row -> row.format().flatMap(FormatResult::loadSeconds).map(Columns::cell));
        add(Group.START, "First token", "s",
                "From the start of the process to the first token of a short prompt, all included.",
                Best.LEAST, row -> row.format().flatMap(FormatResult::firstTokenSeconds).map(Columns::cell));
        add(Group.START, "Memory", "MB",
                "Most memory that the process had resident, pages of the file included, in 10^6 bytes.",
                Best.LEAST, of(FormatResult::peakBytes, Numbers::megabytes));
        add(Group.START, "Read per token", "MB",
                "Bytes of weights that a decoded token reads as they lie in memory, head included, in 10^6 bytes.",
                Best.LEAST, of(FormatResult::bytesPerToken, Numbers::megabytes));
    }

    private void quality() {
        String reference = results.comparison().method().reference();
        String against = reference.isEmpty() ? "the checkpoint's own predictions" : reference;
        add(Group.QUALITY, "Perplexity", "",
                "Perplexity of the text: how many tokens the model is as unsure among, on average; less is better.",
                Best.LEAST, ofQuality(Quality::perplexity, Numbers::perplexity));
        add(Group.QUALITY, "Mean KL", "nats",
                "Kullback-Leibler divergence of the predictions from those of the reference (" + against
                        + "), mean over the positions; 0 where nothing differs.",
                Best.LEAST, ofQuality(quality -> quality.identical() ? 0 : quality.meanKl(), Numbers::three));
        add(Group.QUALITY, "Largest KL", "nats", "The same at the position where it is largest.", Best.LEAST,
                ofQuality(quality -> quality.identical() ? 0 : quality.mostKl(), Numbers::three));
        add(Group.QUALITY, "Same token", "%",
                "Share of the positions at which the most likely token is the reference's.", Best.MOST,
                ofQuality(Quality::greedyAgreement, share -> withoutSign(Numbers.agreement(share))));
        add(Group.QUALITY, "Same bits", "", "Whether all logits equal the reference's to the bit.", Best.NONE,
                row -> row.format().flatMap(FormatResult::quality)
                        .map(quality -> new Cell(Double.NaN, quality.identical() ? "yes" : "no", "")));
    }

    private void add(Group group, String title, String unit, String meaning, Best best,
            Function<Entry, Optional<Cell>> cell) {
        columns.add(new Column(group, title, unit, meaning, best, cell));
    }

    private static String withoutSign(String percent) {
        return percent.replace(" %", "");
    }

    private static Cell cell(Spread spread) {
        String detail = spread.samples().size() > 1 ? Numbers.range(spread) : "";
        return new Cell(spread.median(), Numbers.three(spread.median()), detail);
    }

    private static Optional<Cell> share(OptionalDouble share) {
        return share.isPresent()
                ? Optional.of(new Cell(share.getAsDouble(), withoutSign(Numbers.percent(share.getAsDouble())), ""))
                : Optional.empty();
    }

    private static Optional<Cell> known(double value, DoubleFunction<String> shown) {
        return value > 0 ? Optional.of(new Cell(value, shown.apply(value), "")) : Optional.empty();
    }

    private static Function<Entry, Optional<Cell>> of(ToDoubleFunction<FormatResult> value, DoubleFunction<String> shown) {
        return row -> row.format().flatMap(format -> known(value.applyAsDouble(format), shown));
    }

    private static Function<Entry, Optional<Cell>> ofQuality(
            ToDoubleFunction<Quality> value, DoubleFunction<String> shown) {
        return row -> row.format().flatMap(FormatResult::quality).map(quality -> {
            double number = value.applyAsDouble(quality);
            return new Cell(number, shown.apply(number), "");
        });
    }
}
