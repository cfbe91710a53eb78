package dev.tern.measure.formats;

import dev.tern.codegen.KernelPlan;
import dev.tern.convert.ConversionPlan;
import dev.tern.convert.ConversionReport;
import dev.tern.convert.Converter;
import dev.tern.convert.ValidationReport;
import dev.tern.measure.BenchTest;
import dev.tern.measure.Speed;
import dev.tern.measure.Spread;
import dev.tern.measure.comparison.FormatResult;
import dev.tern.measure.comparison.Quality;
import dev.tern.ternary.Outtype;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One format on its way: planned, converted, compared, measured; and what is known of it when something fails. */
final class FormatTrial {
    private final Outtype outtype;
    private final Path file;
    private final String embeddingType;
    private final @Nullable ConversionPlan plan;
    private @Nullable String failure;
    private @Nullable ConversionReport report;
    private @Nullable Quality quality;
    private final List<BenchOutput> rounds = new ArrayList<>();

    /**
     * @param plan null where it cannot be converted, which {@code failure} says
     */
    FormatTrial(
            Outtype outtype, Path file, String embeddingType, @Nullable ConversionPlan plan, @Nullable String failure) {
        this.outtype = outtype;
        this.file = file;
        this.embeddingType = embeddingType;
        this.plan = plan;
        this.failure = failure;
    }

    Outtype outtype() {
        return outtype;
    }

    Path file() {
        return file;
    }

    boolean failed() {
        return failure != null;
    }

    /** Whether its file is there, whatever failed afterwards. */
    boolean converted() {
        return report != null;
    }

    /** It takes no more part; the first reason counts. */
    void fail(String reason) {
        if (failure == null) {
            failure = reason;
        }
    }

    /** Bytes that its file takes; 0 where there will be none. */
    long plannedBytes() {
        return plan == null || failed() ? 0 : plan.fileBytes();
    }

    /** The look-up-table kernels that its file is made for; empty for formats without tiles. */
    Optional<KernelPlan> kernels() {
        return Optional.ofNullable(plan)
                .map(made -> made.tiles().kernels())
                .filter(tiles -> !tiles.isEmpty())
                .map(KernelPlan::new);
    }

    /** Converts and validates. */
    ConversionReport convert(Converter converter) {
        ConversionReport made = converter.to(file);
        report = made;
        return made;
    }

    void quality(Quality found) {
        quality = found;
    }

    boolean hasQuality() {
        return quality != null;
    }

    void add(BenchOutput round) {
        rounds.add(round);
    }

    /** What a reader must know of how it was computed. */
    Optional<String> note() {
        if (kernels().isEmpty() || rounds.isEmpty() || rounds.getFirst().looksUp()) {
            return Optional.empty();
        }
        return Optional.of(outtype.label() + " was not looked up in tables: its weights were repacked when it was"
                + " loaded, and multiplied (" + rounds.getFirst().backend() + "), which was faster here or the only way");
    }

    FormatResult result() {
        Optional<ValidationReport> validation =
                Optional.ofNullable(report).map(ConversionReport::validation).filter(Objects::nonNull);
        return new FormatResult(
                outtype.label(),
                embeddingType,
                Optional.ofNullable(failure),
                plan == null ? 0 : plan.fileBytes(),
                report == null ? 0 : bitsPerWeight(report),
                report == null ? 0 : report.seconds(),
                validation.map(ValidationReport::ternaryWeights).orElse(0L),
                validation.map(ValidationReport::ok).orElse(false),
                spread(rounds.stream().map(round -> round.loadNanos() / 1e9).toList()),
                spread(rounds.stream()
                        .flatMap(round -> round.firstTokenNanos().stream().boxed())
                        .map(nanos -> nanos / 1e9)
                        .toList()),
                speeds(),
                rounds.stream().mapToLong(BenchOutput::weightBytesPerToken).max().orElse(0),
                rounds.stream().flatMapToLong(round -> round.peakBytes().stream()).max().orElse(0),
                Optional.ofNullable(quality));
    }

    private static double bitsPerWeight(ConversionReport report) {
        long bytes = 0;
        long weights = 0;
        for (ConversionReport.Tensor tensor : report.tensors()) {
            if (tensor.ternary() != null) {
                bytes += tensor.bytes();
                weights += (long) tensor.rows() * tensor.cols();
            }
        }
        return 8.0 * bytes / weights;
    }

    private static Optional<Spread> spread(List<Double> samples) {
        return samples.isEmpty() ? Optional.empty() : Optional.of(new Spread(samples));
    }

    /** The samples of all rounds, test by test, fewer threads first. */
    private List<Speed> speeds() {
        record Key(BenchTest test, int threads) {}
        Map<Key, List<Double>> samples = new LinkedHashMap<>();
        for (BenchOutput round : rounds) {
            for (BenchOutput.Test test : round.tests()) {
                samples.computeIfAbsent(new Key(test.test(), test.threads()), key -> new ArrayList<>())
                        .addAll(test.tokensPerSecond());
            }
        }
        return samples.entrySet().stream()
                .map(entry -> {
                    BenchTest test = entry.getKey().test();
                    return new Speed(
                            test.prompt(),
                            test.generated(),
                            test.depth(),
                            entry.getKey().threads(),
                            new Spread(entry.getValue()));
                })
                .sorted(Comparator.comparingInt(Speed::threads))
                .toList();
    }

    @Override
    public String toString() {
        return outtype.label();
    }
}
